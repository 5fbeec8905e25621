from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

from kindling.cli.documents import document, plain_value


class Row(tuple[object, ...]):
    __slots__ = ()

    def asDict(self) -> dict[str, object]:  # noqa: N802  # as engines call it
        return {"a": self[0]}


def test_a_document_begins_with_its_schema() -> None:
    assert document("kindling.x/1", b=1).startswith('{\n  "schema": "kindling.x/1",\n  "b": 1\n')


def test_every_cell_becomes_json() -> None:
    cells = [
        (None, None),
        (True, True),
        (2.5, 2.5),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (Decimal("1.10"), "1.10"),
        (b"\x00\xff", "00ff"),
        (dt.date(2024, 1, 2), "2024-01-02"),
        (dt.datetime(2024, 1, 2, 3, tzinfo=dt.UTC), "2024-01-02T03:00:00+00:00"),
        ([1, Decimal(2)], [1, "2"]),
        ({1: b"a"}, {"1": "61"}),
        (Row((b"a",)), {"a": "61"}),
    ]
    for given, expected in cells:
        assert plain_value(given) == expected
        json.dumps(plain_value(given), allow_nan=False)
