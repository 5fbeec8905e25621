"""Each text in which an engine shows a plan with keyed masks: no key and no pad stands in it."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import date
from typing import Any

import pytest
from kindling_plugin_masking import date_shift, tokens
from kindling_plugin_masking.keyed import pads
from masked import masked_frame

from kindling.hooks import Frame, Plain
from kindling.hooks.masking import Secret
from kindling.hooks.platform import Session

KEY = "cnry-key-of-32-bytes-or-more-9d41"
CASES: list[tuple[str, str, object, dict[str, Plain], str]] = [
    ("keyed_hash", "string", "ann", {}, ""),
    ("token", "string", "ann", {}, tokens.PURPOSE),
    ("date_shift", "date", date(2024, 2, 29), {"by": "person"}, date_shift.PURPOSE),
]


def sail_texts(session: Session, frame: Frame) -> Iterator[str]:
    untyped: Any = frame
    shown = io.StringIO()
    with redirect_stdout(shown):
        for mode in ("simple", "extended", "formatted", "codegen", "cost"):
            untyped.explain(mode=mode)
        untyped.printSchema()
    plan = untyped._plan.to_proto(untyped.sparkSession.client)
    yield from (shown.getvalue(), repr(plan), plan.SerializeToString().decode("latin-1"), repr(frame))


def duckdb_texts(session: Session, frame: Frame) -> Iterator[str]:
    untyped: Any = session
    views = untyped._views
    sql = views.compiled(frame)
    yield from (sql, repr(frame))
    for verb in ("EXPLAIN", "EXPLAIN ANALYZE"):
        yield str(views.rows(f"{verb} {sql}"))
    yield str(views.rows("SELECT sql FROM duckdb_views() UNION ALL SELECT sql FROM duckdb_tables()"))


@pytest.mark.parametrize(("name", "type_", "value", "options", "purpose"), CASES)
def test_no_plan_of_an_engine_holds_a_key(
    sessions: tuple[Session, Session],
    name: str,
    type_: str,
    value: object,
    options: dict[str, Plain],
    purpose: str,
) -> None:
    made = [KEY.encode(), *pads(name, Secret(KEY), purpose).values()]
    forms = {form for key in made for form in (key.decode("latin-1"), key.hex(), repr(key)[2:-1])}
    forms |= {base64.b64encode(key).decode() for key in made}
    for session, texts_of in zip(sessions, (sail_texts, duckdb_texts), strict=True):
        frame = masked_frame(session, name, type_, [value, None], options, key=KEY)
        names = " ".join(session.schema(frame).names)
        told = [
            *texts_of(session, frame),
            *texts_of(session, session.where(frame, "value IS NOT NULL")),
            names,
        ]
        assert len(told) > 8
        assert [form for form in forms if any(form.lower() in text.lower() for text in told)] == []
