from __future__ import annotations

from types import SimpleNamespace

import pyarrow as pa

from kindling.hooks.platform import FrameApi
from kindling.hooks.pyspark import PysparkParts
from kindling.hooks.pyspark_connect import PysparkConnectSession
from kindling.schemas import Schema


class Column:
    def simpleString(self) -> str:  # noqa: N802  # pyspark's name
        return "int"


class ClientFrame:
    """A frame of the Connect client: its public `schema` and `toArrow` ask more often than needed."""

    _schema = SimpleNamespace(fields=[SimpleNamespace(name="a", dataType=Column(), nullable=True)])

    def _to_table(self) -> tuple[pa.Table, object]:
        return pa.table({"a": pa.array([1], pa.int32())}), self._schema


class Opened(PysparkConnectSession):
    releases = 0

    def _release(self) -> None:
        self.releases += 1


def session() -> Opened:
    parts = PysparkParts("mine", "engine-1", frozenset(), FrameApi(None, None, None), ClientFrame, "")
    return Opened(SimpleNamespace(), parts)


def test_schema_and_rows_come_from_the_inside_of_the_clients_frame() -> None:
    opened, frame = session(), ClientFrame()
    assert opened.schema(frame) == Schema.of(a="int")
    assert opened.to_arrow(frame).to_pylist() == [{"a": 1}]  # type: ignore[attr-defined]  # a table


def test_a_session_is_given_back_once() -> None:
    opened = session()
    opened.close()
    opened.close()
    assert opened.releases == 1


def test_a_plan_with_a_step_that_nobody_knows_is_opaque() -> None:
    opened = session()
    common = SimpleNamespace(HasField=lambda _: False)
    relation = SimpleNamespace(common=common, WhichOneof=lambda _: "sample_by", sample_by=None)
    plan = SimpleNamespace(_plan_id=1, plan=lambda _: relation)
    frame = SimpleNamespace(_plan=plan, _session=SimpleNamespace(client=None))
    assert opened.lineage(frame, {}) is None
