"""The kernel's platform contract, on the real engine."""

from __future__ import annotations

from typing import cast

from kindling_plugin_duckdb.session import DuckDBSession

from kindling.hooks import Frame
from kindling.hooks.platform import Session
from kindling.testing.platform_contract import PlatformContract


class TestDuckDB(PlatformContract):
    plugin = "kindling_plugin_duckdb"
    capability = "platform:duckdb"

    def plan_texts(self, session: Session, frame: Frame) -> list[str]:
        views = cast("DuckDBSession", session)._views
        sql = views.compiled(frame)  # type: ignore[arg-type]  # this platform's own
        told = [views.rows(f"{verb} {sql}") for verb in ("EXPLAIN", "EXPLAIN ANALYZE")]
        catalog = views.rows("SELECT sql FROM duckdb_views() UNION ALL SELECT sql FROM duckdb_tables()")
        return [sql, frame._spark_sql(), str(told), str(catalog)]  # type: ignore[attr-defined]  # the same
