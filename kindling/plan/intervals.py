"""Which slices of time an entity has, and why each runs. Not how time is cut."""

from __future__ import annotations

from datetime import timedelta

from kindling.addresses import Slice, TaskKey
from kindling.plan.plan import Reason
from kindling.plan.slices import cut, parse_instant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from kindling.intents import Incremental
    from kindling.plan.binding import Bound
    from kindling.plan.decide import Request
    from kindling.plan.facts import Facts
    from kindling.records import TaskRecord

_OWN = ("code", "sql", "options", "order", "rights")


def wanted_slices(every: Incremental, source: Bound, facts: Facts, request: Request) -> tuple[Slice, ...]:
    """Return the slices between `--from` and `--to`, else those that the source has data for.

    Raises:
        PlanError: KDL-PLAN-030 to KDL-PLAN-033, an instant is none, there are too many slices, or the
            bounds cannot be told.
    """
    if request.start and request.end:
        first = parse_instant(request.start, what="--from")
        last = parse_instant(request.end, what="--to")
        pieces = cut(first, last, every)
        return tuple(piece for piece in pieces if parse_instant(piece.start, what="slice") < last)
    found = facts.bounds(source, every.column)
    if found is None:
        return ()
    first, last = (parse_instant(text, what=f"a bound of {every.column!r},") for text in found)
    return cut(first, last, every)


class SliceReasons:
    """Why slices of one entity run.

    Args:
        bound: The entity.
        recorded: Its records by slice text.
        request: What was asked for.
    """

    def __init__(self, bound: Bound, recorded: Mapping[str, TaskRecord], request: Request) -> None:
        self._bound = bound
        self._recorded = recorded
        self._request = request
        self._newest = max((text for text in recorded if text != "*"), default="")

    def of(self, piece: Slice, parts: Mapping[str, str], *, is_gone: bool) -> list[Reason]:
        """Return why a slice runs; [] if it need not.

        Args:
            piece: The slice.
            parts: The parts of its fingerprint by now.
            is_gone: Whether the table is known not to exist.
        """
        key = str(TaskKey(self._bound.name, piece))
        if key in self._request.made:
            return []
        asked = self._asked() if key not in self._request.done else None
        found = asked or self._news(piece, parts, is_gone=is_gone)
        return [] if found is None else [found]

    def _asked(self) -> Reason | None:
        if self._request.refresh:
            return Reason("refresh", "--full-refresh was asked for")
        return Reason("slice", "--from and --to ask for it") if self._request.start else None

    def _news(self, piece: Slice, parts: Mapping[str, str], *, is_gone: bool) -> Reason | None:
        record = self._recorded.get(str(piece))
        if record is None:
            return Reason("new", "the slice was never made")
        if is_gone:
            return Reason("vanished", "the table is gone")
        name = self._bound.inputs[0]
        changed = dict(record.parts).get(f"input:{name}") != parts.get(f"input:{name}")
        if changed and self._is_open(piece):
            return Reason("late", f"{name!r} has new data, and the slice may still get some")
        return None

    def _is_open(self, piece: Slice) -> bool:
        """Tell whether a recorded slice may still get data: the newest one, and those in the lookback."""
        if str(piece) == self._newest:
            return True
        every = self._bound.pipe.incremental if self._bound.pipe else None
        lookback = timedelta(seconds=every.lookback_s if every else 0)
        limit = parse_instant(self._newest.partition("/")[0], what="slice") - lookback
        return parse_instant(piece.end, what="slice") > limit

    def outdated(self, pieces: tuple[Slice, ...], parts: Mapping[str, str]) -> int:
        """Return how many of these finished slices were made by another declaration or other code."""
        records = (self._recorded.get(str(piece)) for piece in pieces)
        olds = [dict(record.parts) for record in records if record is not None]
        return sum(any(old.get(name) != parts.get(name) for name in _OWN) for old in olds)
