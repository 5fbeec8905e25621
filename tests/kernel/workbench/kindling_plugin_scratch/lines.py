"""`storage:lines`: a file with one number a line. Lines that are none are left out and reported."""

from __future__ import annotations

from pathlib import Path

from kindling.addresses import Address
from kindling.hooks.platform import Session
from kindling.hooks.storage import BadRows, ReadRequest
from kindling.schemas import Schema

SCHEMA = Schema.of(n="bigint")


def version(address: Address) -> str | None:
    file = Path(address.uri)
    return f"{file.stat().st_size}-{file.stat().st_mtime_ns}" if file.exists() else None


def cursor(address: Address, key: str) -> str | None:
    return None


class LinesStore:
    def __init__(self, address: Address, session: Session) -> None:
        self.address = address
        self.session = session
        self.bad: list[tuple[str, str, str]] = []

    def schema(self) -> Schema | None:
        return SCHEMA if self.version() else None

    def version(self) -> str | None:
        return version(self.address)

    def read(self, request: ReadRequest) -> object:
        import pyarrow as pa

        good = []
        for number, line in enumerate(Path(self.address.uri).read_text(encoding="utf-8").splitlines(), 1):
            if line.isdigit():
                good.append(int(line))
            else:
                self.bad.append((f"{Path(self.address.uri).name}:{number}", line, "it is no number"))
        table = pa.table({"n": pa.array(good, pa.int64())})
        return self.session.from_arrow(table, SCHEMA)  # type: ignore[attr-defined]  # the scratch platforms take Arrow

    def bad_rows(self) -> BadRows:
        return BadRows(len(self.bad), tuple(self.bad[:20]))


class LinesStorage:
    def open(self, address: Address, session: Session) -> LinesStore:
        return LinesStore(address, session)
