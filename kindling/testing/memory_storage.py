"""A storage in a dict that is handed in: every intent in plain Python over Arrow. For tests.

It is the contract's own reading of each intent, kept short so that it can be checked by eye. One
process, small tables; a version is a whole copy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from kindling.addresses import Address, Slice
from kindling.errors import PolicyError, StoreError
from kindling.hooks import Frame
from kindling.hooks.arrow import arrow_schema
from kindling.hooks.platform import ArrowIn, ArrowOut, Session
from kindling.hooks.storage import ChangeSet, Commit, CommitInfo, ReadRequest, WriteRequest
from kindling.schemas import Field, Schema
from kindling.testing.memory_tables import Line, MemoryProbe, Table, Tables, Version, instant, place

FEATURES = frozenset(
    {
        "reads", "writes", "merges", "historises", "replaces", "changes", "travels", "evolves",
        "cursors", "erases", "maintains", "times",
    }
)  # fmt: skip
HISTORY = (Field("valid_from", "timestamp"), Field("valid_to", "timestamp"), Field("is_current", "boolean"))
WIDER = {"tinyint": 1, "smallint": 2, "int": 3, "bigint": 4}


class MemoryStorage:
    """A storage.

    Args:
        tables: Where the entities are kept.
    """

    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    def open(self, address: Address, session: Session) -> MemoryStore:
        """Return a store; nothing is made before its first commit."""
        return MemoryStore(self.tables, address, session)


class MemoryStore:
    """One entity."""

    def __init__(self, tables: Tables, address: Address, session: Session) -> None:
        self.tables = tables
        self.address = address
        self.session = session
        self.probe = MemoryProbe(tables)

    @property
    def newest(self) -> Version | None:
        """The newest version, or None."""
        table = self.tables.get(place(self.address))
        return table.versions[-1] if table else None

    def schema(self) -> Schema | None:
        """Return the stored schema."""
        return self.newest.schema if self.newest else None

    def version(self) -> str | None:
        """Return the newest version."""
        return self.probe.version(self.address)

    def bounds(self, column: str) -> tuple[str, str] | None:
        """Return the least and the greatest value of a time column."""
        return self.probe.bounds(self.address, column)

    def read(self, request: ReadRequest) -> Frame:
        """Return rows of the version and the slice."""
        found = self._version(request.version)
        lines = [line for line in found.lines if inside(line, request.column, request.slice)]
        return self._frame(found.schema, lines)

    def _version(self, version: str | None) -> Version:
        table = self.tables.get(place(self.address))
        name = ".".join(self.address.parts)
        if table is None:
            raise StoreError(
                "KDL-STORE-001", f"{name!r} does not exist", hint="run the pipe that makes it first"
            )
        known = [str(number) for number in range(table.first, len(table.versions))]
        if version is not None and version not in known:
            raise StoreError(
                "KDL-STORE-002", f"{name!r} has no version {version!r}", why=f"kept are {', '.join(known)}"
            )
        return table.versions[-1 if version is None else int(version)]

    def _frame(self, schema: Schema, lines: Sequence[Line]) -> Frame:
        import pyarrow as pa

        if not isinstance(self.session, ArrowIn):
            msg = "the memory storage needs a session with arrow-in"
            raise TypeError(msg)
        table = pa.Table.from_pylist(list(lines), schema=arrow_schema(schema))
        return self.session.from_arrow(table, schema)

    def _lines(self, frame: Frame) -> list[Line]:
        import pyarrow as pa

        if not isinstance(self.session, ArrowOut):
            msg = "the memory storage needs a session with arrow-out"
            raise TypeError(msg)
        found: list[Line] = pa.table(self.session.to_arrow(frame)).to_pylist()
        return found

    def write(self, frame: Frame, request: WriteRequest) -> Commit:
        """Overwrite or append."""

        def work(old: list[Line], new: list[Line]) -> tuple[list[Line], list[tuple[str, Line]]]:
            if request.intent.name == "append":
                return old + new, [("insert", line) for line in new]
            return new, [("delete", line) for line in old] + [("insert", line) for line in new]

        return self.commit(frame, request, work)

    def merge(self, frame: Frame, request: WriteRequest) -> Commit:
        """Upsert by key."""

        def work(old: list[Line], new: list[Line]) -> tuple[list[Line], list[tuple[str, Line]]]:
            keys = unique_keys(new, request.intent.on)
            known = {key_of(line, request.intent.on) for line in old}
            kept = [line for line in old if key_of(line, request.intent.on) not in keys]
            kinds = [("update" if key in known else "insert", line) for key, line in keys.items()]
            return kept + new, kinds

        return self.commit(frame, request, work)

    def historise(self, frame: Frame, request: WriteRequest) -> Commit:
        """Close changed versions and add new ones."""
        on = request.intent.on
        track = request.intent.track or tuple(name for name in request.schema.names if name not in on)
        moment = datetime.fromisoformat(request.moment)

        def work(old: list[Line], new: list[Line]) -> tuple[list[Line], list[tuple[str, Line]]]:
            keys = unique_keys(new, on)
            current = {key_of(line, on): line for line in old if line["is_current"]}
            changed = {
                key: line
                for key, line in keys.items()
                if key not in current or key_of(current[key], track) != key_of(line, track)
            }
            closed = [current[key] for key in changed if key in current]
            ends: Line = {"valid_to": moment, "is_current": False}
            begins: Line = {"valid_from": moment, "valid_to": None, "is_current": True}
            kept = [line for line in old if line not in closed]
            updates = [{**line, **ends} for line in closed]
            inserts = [{**line, **begins} for line in changed.values()]
            kinds = [("update", line) for line in updates] + [("insert", line) for line in inserts]
            return kept + updates + inserts, kinds

        return self.commit(frame, request, work, extra=HISTORY)

    def replace(self, frame: Frame, request: WriteRequest) -> Commit:
        """Replace the rows of a slice or of the values that occur."""
        by = request.intent.by

        def work(old: list[Line], new: list[Line]) -> tuple[list[Line], list[tuple[str, Line]]]:
            if request.slice.kind == "interval":
                outside = [line for line in new if not inside(line, request.column, request.slice)]
                if outside:
                    raise StoreError(
                        "KDL-STORE-011",
                        f"{len(outside)} rows lie outside of the slice {request.slice}",
                        why=f"for example {request.column} = {outside[0][request.column]}",
                    )
                gone = [line for line in old if inside(line, request.column, request.slice)]
            else:
                values = {key_of(line, by) for line in new}
                gone = [line for line in old if key_of(line, by) in values]
            kept = [line for line in old if line not in gone]
            return kept + new, [("delete", line) for line in gone] + [("insert", line) for line in new]

        return self.commit(frame, request, work)

    def commit(
        self,
        frame: Frame,
        request: WriteRequest,
        work: Callable[[list[Line], list[Line]], tuple[list[Line], list[tuple[str, Line]]]],
        extra: tuple[Field, ...] = (),
    ) -> Commit:
        """Check owner, fingerprint and columns, compute, ask the guard, and add one version."""
        newest = self.newest
        last = CommitInfo.from_json(newest.info) if newest else None
        if last is not None:
            self.check_owner(last, request.info)
            if (last.slice, last.fingerprint) == (request.info.slice, request.info.fingerprint):
                return Commit(version=self.version() or "", rows=0)
        new = self._lines(frame)
        schema, warnings = self.drifted(newest.schema if newest else None, request, extra)
        old = [{name: line.get(name) for name in schema.names} for line in newest.lines] if newest else []
        new = [{name: line.get(name) for name in schema.names} for line in new]
        lines, changes = work(old, new)
        self.guard(request)
        table = self.tables.setdefault(place(self.address), Table())
        table.versions.append(Version(schema, lines, changes, request.info.to_json()))
        kinds = [kind for kind, _ in changes]
        counts = {
            f"rows_{kind.removesuffix('e')}ed": kinds.count(kind) for kind in ("insert", "update", "delete")
        }
        return Commit(
            version=self.version() or "",
            rows=counts["rows_inserted"] + counts["rows_updated"],
            metrics=counts,
            warnings=warnings,
        )

    def guard(self, request: WriteRequest) -> None:
        """Ask whether the task may still commit."""
        request.guard()

    def check_owner(self, last: CommitInfo, info: CommitInfo) -> None:
        """Refuse the table of another app or environment."""
        if (last.app, last.environment) != (info.app, info.environment):
            raise PolicyError(
                "KDL-POL-001",
                f"{'.'.join(self.address.parts)!r} belongs to the app {last.app!r} in {last.environment!r}",
                why=f"{info.app!r} in {info.environment!r} wants to write it",
            )

    def drifted(
        self, stored: Schema | None, request: WriteRequest, extra: tuple[Field, ...]
    ) -> tuple[Schema, tuple[str, ...]]:
        """Return the schema to store and the sentences about what was left out."""
        given = Schema((*request.schema.fields, *extra))
        if request.drift == "replace":
            return given, ()
        if stored is None or {f.name: f.type for f in stored.fields} == {
            f.name: f.type for f in given.fields
        }:
            return stored or given, ()
        differing = [f.name for f in given.fields if f.type != getattr(stored.field(f.name), "type", "")]
        missing = [f.name for f in stored.fields if given.field(f.name) is None]
        if request.drift == "fail":
            raise StoreError(
                "KDL-STORE-013",
                f"the columns of {'.'.join(self.address.parts)!r} differ: {', '.join(differing + missing)}",
                why=f"stored: {stored.ddl()}; given: {given.ddl()}",
                hint="run with drift = 'evolve', or --full-refresh",
            )
        if request.drift == "evolve":
            return evolved(stored, given), ()
        return stored, tuple(f"column {name!r} was left out" for name in differing + missing)

    def changes(self, since: str | None) -> ChangeSet:
        """Return the noted changes of the versions after a cursor."""
        table = self.tables.get(place(self.address))
        newest = self._version(None)
        versions = table.versions if table else []
        if since is None:
            noted = [("insert", line) for line in newest.lines]
        elif not since.isdigit() or not (table and table.first <= int(since) < len(versions)):
            raise StoreError(
                "KDL-STORE-012",
                f"what changed in {'.'.join(self.address.parts)!r} since {since!r} cannot be told",
                why="that version is not kept",
                hint="kindling run --full-refresh",
            )
        else:
            noted = [change for version in versions[int(since) + 1 :] for change in version.changes]
        schema = Schema((*newest.schema.fields, Field("_change", "string")))
        frame = self._frame(schema, [{**line, "_change": kind} for kind, line in noted]) if noted else None
        return ChangeSet(frame, str(len(versions) - 1), len(noted))

    def erase(self, condition: str, info: CommitInfo) -> Commit:
        """Keep one version, without the rows."""
        newest = self._version(None)
        frame = self.session.where(
            self._frame(newest.schema, newest.lines), f"NOT coalesce({condition}, FALSE)"
        )
        kept = self._lines(frame)
        table = self.tables[place(self.address)]
        gone = len(newest.lines) - len(kept)
        for version in table.versions:
            version.lines, version.changes = [], []
        table.versions.append(Version(newest.schema, kept, [], info.to_json()))
        table.first = len(table.versions) - 1
        return Commit(version=self.version() or "", rows=0, metrics={"rows_deleted": gone})

    def maintain(self, *, keep_s: int) -> Mapping[str, int]:
        """Drop all versions but the newest where nothing is to be kept."""
        table = self.tables[place(self.address)]
        dropped = 0 if keep_s else len(table.versions) - 1 - table.first
        table.first += dropped
        return {"versions_dropped": dropped}


def evolved(stored: Schema, given: Schema) -> Schema:
    """Return the stored columns, widened where the given ones are wider, and the new ones.

    Raises:
        StoreError: KDL-STORE-013, a type would have to change into another one.
    """
    fields = []
    for old in stored.fields:
        new = given.field(old.name) or old
        if old.type != new.type and not {old.type, new.type} <= WIDER.keys():
            raise StoreError(
                "KDL-STORE-013",
                f"column {old.name!r} cannot become {new.type}",
                why=f"it is {old.type}, and types only widen",
            )
        wider = new.type if WIDER.get(new.type, 0) > WIDER.get(old.type, 0) else old.type
        fields.append(old.replace(type=wider))
    return Schema((*fields, *(new for new in given.fields if stored.field(new.name) is None)))


def key_of(line: Line, columns: Sequence[str]) -> tuple[object, ...]:
    """Return a row's values of some columns, hashable."""
    return tuple(repr(line[name]) if isinstance(line[name], (list, dict)) else line[name] for name in columns)


def unique_keys(lines: Sequence[Line], on: Sequence[str]) -> dict[tuple[object, ...], Line]:
    """Return rows by key.

    Raises:
        StoreError: KDL-STORE-010, a key is null or occurs twice.
    """
    found: dict[tuple[object, ...], Line] = {}
    for line in lines:
        key = key_of(line, on)
        if None in key or key in found:
            raise StoreError(
                "KDL-STORE-010",
                f"the key ({', '.join(on)}) {'is null' if None in key else 'occurs twice'}",
                why=f"for example {key}",
            )
        found[key] = line
    return found


def inside(line: Line, column: str, part: Slice) -> bool:
    """Tell whether a row belongs to a slice."""
    return part.kind != "interval" or part.start <= instant(line[column]) < part.end


__all__ = ["FEATURES", "MemoryProbe", "MemoryStorage", "MemoryStore", "Table", "Tables"]
