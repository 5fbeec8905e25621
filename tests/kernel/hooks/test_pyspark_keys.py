from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from kindling.hooks import Frame
from kindling.hooks.pyspark_keys import KeyRows
from kindling.schemas import Schema


class Recorded(KeyRows):
    """A session that notes what is asked of its engine; it is frame, catalog and spark in one."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.rows: list[object] = []
        self._keys = []
        self.spark = self.catalog = self

    def select(self, frame: Frame, columns: Sequence[tuple[str, str]]) -> Frame:
        self.told.append(("select", list(columns)))
        return frame

    def from_arrow(self, stream: object, schema: Schema) -> Frame:
        self.rows.append((pa.table(stream).to_pylist(), schema.ddl()))
        return self

    def crossJoin(self, other: object) -> Recorded:  # noqa: N802  # pyspark's name
        self.told.append(("cross", other))
        return self

    def createOrReplaceTempView(self, name: str) -> None:  # noqa: N802  # pyspark's name
        self.told.append(("view", name))

    def dropTempView(self, name: object) -> None:  # noqa: N802  # pyspark's name
        self.told.append(("drop", name))

    def table(self, name: str) -> Recorded:
        self.told.append(("row", name))
        return self


def test_one_row_of_keys_is_a_view_whose_name_cannot_be_guessed() -> None:
    session = Recorded()
    session.select_with_keys("one frame", [("x", "pepper")], {"pepper": b"a", "salt": b"\x00"})
    session.select_with_keys("another", [("x", "pepper")], {"pepper": b"b"})
    names = [entry[1] for entry in session.told if entry[0] == "view"]  # type: ignore[index]  # pairs
    joined = [entry for entry in session.told if entry[0] in ("row", "cross")]  # type: ignore[index]  # the same
    first, second = (("cross", "one frame"), ("cross", "another"))  # the row is the smaller, left side
    assert joined == [("row", names[0]), first, ("row", names[1]), second]
    assert len(set(names)) == 2
    assert all(len(str(name)) == len("kdl_") + 32 for name in names)
    assert session.rows[0] == ([{"pepper": b"a", "salt": b"\x00"}], "`pepper` binary, `salt` binary")
    session.told.clear()
    session.drop_keys()
    session.drop_keys()
    assert session.told == [("drop", names[1]), ("drop", names[0])]
