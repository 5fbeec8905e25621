"""The first rows of one entity, read through its platform: for `kindling show`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kindling.cli.documents import plain_value
from kindling.cli.tables import table_text
from kindling.errors import KindlingError, RunError, UsageError
from kindling.hooks.platform import SessionSpec
from kindling.hooks.storage import ReadRequest, Reads
from kindling.plan.binding import find_entity
from kindling.plan.facts import Facts
from kindling.plan.vaults import Vaults
from kindling.run.capabilities import Capabilities
from kindling.run.commitment import QUARANTINE, quarantine_of
from kindling.run.failures import WITHHELD
from kindling.run.governing import Governed, Masks, governed
from kindling.run.request import new_run_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kindling.cli.viewing import View
    from kindling.hooks import Frame
    from kindling.hooks.platform import Platform, Session
    from kindling.hooks.storage import Store
    from kindling.plan.binding import Binding, Bound
    from kindling.plan.project import Project
    from kindling.schemas import Schema

WIDEST = 60
"""Longest cell in a table, in characters; `--json` cuts nothing."""
NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal")


@dataclass(frozen=True, slots=True)
class Preview:
    """Rows of an entity.

    Attributes:
        schema: Columns and types of the frame.
        rows: One tuple per row, in the order of the columns.
        version: Version that was read, "" where the storage has none.
        masked: `(column, mask)` of each column that was masked for the viewer.
        notes: What the viewer should know, one sentence each.
    """

    schema: Schema
    rows: tuple[tuple[object, ...], ...]
    version: str
    masked: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def shown_entity(binding: Binding, name: str) -> Bound:
    """Return an entity by its name, or the quarantine of one by `<name>__quarantine`.

    Raises:
        PlanError: KDL-PLAN-001, there is none.
    """
    base = binding.entities.get(name.removesuffix(QUARANTINE))
    if base is None or base.name == name or base.pipe is None or base.address is None:
        return find_entity(binding, name)
    return base.replace(name=name, address=quarantine_of(base.address))


def preview(project: Project, bound: Bound, view: View, *, limit: int, version: str) -> Preview:
    """Read the first rows, masked for who looks at them.

    Effects: starts the entity's engine and stops it again.

    Raises:
        UsageError: KDL-USE-033, it is a memory entity; KDL-USE-034, it was never made; KDL-USE-035, the
            source does not exist.
        StoreError: The storage cannot read it, or not that version.
        RunError: KDL-RUN-030, the engine failed; KDL-GOV-006, it cannot hide the key of a mask.
    """
    _check_kept(bound)
    facts = Facts(project.loader, Vaults(project).resolve)
    if facts.is_known(bound) and facts.version(bound) is None:
        raise _absent(bound)
    capabilities = Capabilities(project, new_run_id())
    try:
        platform = capabilities.platform(bound.platform)
        return _read(project, bound, view, capabilities, platform, limit=limit, version=version)
    finally:
        capabilities.close()


def _read(
    project: Project,
    bound: Bound,
    view: View,
    capabilities: Capabilities,
    platform: Platform,
    *,
    limit: int,
    version: str,
) -> Preview:
    session = platform.open_session(SessionSpec(f"show/{bound.name}"))
    try:
        store = capabilities.storage(bound.storage).open(bound.address, session)  # type: ignore[arg-type]  # checked: it is kept
        frame, newest = _frame(bound, store, version)
        masks = Masks(project, capabilities.secret, capabilities.redactor.add)
        found = governed(session, masks, frame, view.classes_of(version, newest), view.rules)
        return _collected(session, found, limit, version or newest)
    except KindlingError as error:
        error.where = error.where or str(bound.entity.place)
        raise
    except Exception as error:  # the engine's own exceptions, which no kernel knows
        why = capabilities.redactor.redact(platform.explain(error))
        why = WITHHELD.format(kind=type(error).__name__) if view.older else why
        place = str(bound.entity.place)
        raise RunError("KDL-RUN-030", f"{bound.name!r} cannot be shown", why=why, where=place) from error
    finally:
        session.close()


def _frame(bound: Bound, store: Store, version: str) -> tuple[Frame, str]:
    """Return the frame of a version, and the newest version."""
    newest = store.version()
    if newest is None:
        raise _absent(bound)
    if not isinstance(store, Reads):
        raise UsageError("KDL-USE-036", f"the storage {bound.storage!r} of {bound.name!r} cannot be read")
    schema = None if bound.name.endswith(QUARANTINE) else bound.entity.schema
    return store.read(ReadRequest(version=version or None, schema=schema)), newest


def _collected(session: Session, found: Governed, limit: int, version: str) -> Preview:
    rows = session.preview(found.frame, limit)
    return Preview(session.schema(found.frame), rows.rows, version, found.masked, tuple(_notes(found)))


def _notes(found: Governed) -> Iterator[str]:
    if found.masked:
        yield f"masked for you: {', '.join(f'{column} ({mask})' for column, mask in found.masked)}"
    if found.classes:
        listed = [f"{column} ({', '.join(some)})" for column, some in sorted(found.classes.items())]
        told = ", ".join(listed)
        yield f"classified columns are shown as they are: {told}; no mask rule acts on them for you"


def _check_kept(bound: Bound) -> None:
    if bound.address is None:
        raise UsageError(
            "KDL-USE-033",
            f"{bound.name!r} is a memory entity: it is kept nowhere",
            where=str(bound.entity.place),
            hint="show what reads it, or give it a storage",
        )


def _absent(bound: Bound) -> UsageError:
    place = bound.address.uri if bound.address else ""
    if bound.pipe is not None:
        return UsageError(
            "KDL-USE-034",
            f"{bound.name!r} was never made",
            why=f"nothing is found at {place}" if place else "",
            where=str(bound.entity.place),
            hint=f"kindling run -s +{bound.name.removesuffix(QUARANTINE)}",
        )
    return UsageError(
        "KDL-USE-035",
        f"the source {bound.name!r} does not exist",
        why=f"nothing is found at {place}" if place else "",
        where=str(bound.entity.place),
    )


def preview_text(found: Preview) -> str:
    """Return the rows as an aligned table, numbers to the right."""
    head = found.schema.names
    cells = [head, *([_cell(value) for value in row] for row in found.rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(head))]
    right = [field.type.partition("(")[0] in NUMBERS for field in found.schema.fields]
    return table_text([_aligned(row, widths, right) for row in cells])


def _aligned(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> list[str]:
    return [
        cell.rjust(width) if is_right else cell
        for cell, width, is_right in zip(row, widths, right, strict=True)
    ]


def _cell(value: object) -> str:
    """Return a value as one line without control characters: data must not steer the terminal."""
    plain = plain_value(value)
    text = "null" if plain is None else str(plain)
    safe = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
    return safe if len(safe) <= WIDEST else safe[: WIDEST - 3] + "..."


def preview_plain(found: Preview) -> dict[str, object]:
    """Return the rows as JSON types."""
    return {
        "version": found.version,
        "columns": [{"name": field.name, "type": field.type} for field in found.schema.fields],
        "rows": [[plain_value(value) for value in row] for row in found.rows],
        "masked": [{"column": column, "mask": mask} for column, mask in found.masked],
        "notes": list(found.notes),
    }
