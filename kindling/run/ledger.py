"""What a run leaves in the state: its record, its outcomes, its counts. It decides nothing."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from kindling.hooks.executor import Outcome
from kindling.records import RunRecord
from kindling.run.request import decoded, encoded, utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kindling.hooks.state import State
    from kindling.run.request import RunRequest
    from kindling.values import Plain


class Ledger:
    """Writes one run into the state.

    Args:
        state: The state.
        app: App name.
        environment: Environment name.
        request: What the run is about.
    """

    def __init__(self, state: State, app: str, environment: str, request: RunRequest) -> None:
        self._state = state
        self._began = utc_now()
        self._record = RunRecord(
            request.run_id,
            app,
            environment,
            "running",
            request.to_json(),
            os.getpid(),
            socket.gethostname(),
            self._began,
        )

    def open(self) -> None:
        """Record that the run began."""
        self._state.start_run(self._record)

    def close(
        self,
        status: str,
        exit_code: int,
        outcomes: Mapping[str, Outcome],
        skipped: Mapping[str, str],
        counts: Mapping[str, int],
    ) -> None:
        """Record how the run ended, outcomes first."""
        rows = [plain_outcome(key, outcome) for key, outcome in outcomes.items()]
        rows += [
            {**_place(key), "key": key, "status": "skipped", "cause": cause} for key, cause in skipped.items()
        ]
        try:
            self._state.put_outcomes(self._record.run_id, rows)
        finally:
            ended = self._record.replace(
                status=status, ended=utc_now(), exit_code=exit_code, counts=tuple(sorted(counts.items()))
            )
            self._state.update_run(ended)


def plain_outcome(key: str, outcome: Outcome) -> dict[str, Plain]:
    """Return an outcome as JSON types, with `entity` and `slice`."""
    import msgspec

    plain: dict[str, Plain] = msgspec.to_builtins(outcome)
    return {**plain, **_place(key)}


def outcomes_of(rows: Sequence[Mapping[str, Plain]]) -> tuple[dict[str, Outcome], dict[str, str]]:
    """Return (outcomes by key, cause by the key of each skipped task) of stored rows."""
    ended = {
        str(row["key"]): decoded(Outcome, encoded(dict(row)), "an outcome")
        for row in rows
        if row["status"] != "skipped"
    }
    skipped = {str(row["key"]): str(row.get("cause", "")) for row in rows if row["status"] == "skipped"}
    return ended, skipped


def _place(key: str) -> dict[str, Plain]:
    entity, _, piece = key.partition("[")
    return {"entity": entity, "slice": piece.removesuffix("]") or "*"}
