"""Lineage: the Spark queries behind a frame and its views, followed to the frames that a pipe was given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kindling.hooks.sql_traces import parsed, query_trace
from kindling.hooks.traces import OpaqueError, Trace
from kindling_plugin_duckdb.spark_text import PlainSpark

if TYPE_CHECKING:
    from kindling.lineage import ColumnLineage
    from kindling_plugin_duckdb.frames import Frame
    from kindling_plugin_duckdb.views import Views


def lineage(views: Views, frame: Frame, inputs: Mapping[str, Frame]) -> ColumnLineage | None:
    """Return what a frame's columns come from; None where a view is stored rows of nobody knows where.

    An input that is no view cannot be told from what was made of it, so it makes all opaque.
    """
    names = [name for name, _ in views.describe(frame)]
    returned = next((entity for entity, given in inputs.items() if given is frame), None)
    if returned is not None:
        return Trace.of_input(returned, names).lineage()
    known: dict[str, str] = {}
    for entity, given in inputs.items():
        relation = views.known(given)
        if relation is None:
            return None
        known.setdefault(relation, entity)
    relation = views.known(frame)
    try:
        if relation is None:
            text = frame._spark_sql()  # noqa: SLF001  # this plugin's own
            found = query_trace(parsed(text), lambda name: _table(views, known, name))
        else:
            found = _table(views, known, relation)
        return found.shown(names).lineage()
    except OpaqueError:
        return None


def _table(views: Views, known: Mapping[str, str], name: str) -> Trace:
    if name in known:
        return Trace.of_input(known[name], views.names(name))
    tree = views.tree(name)
    if tree is None:
        raise OpaqueError
    # Read anew: in this plugin's own trees, calls have names and no meaning.
    return query_trace(parsed(tree.sql(dialect=PlainSpark)), lambda inner: _table(views, known, inner))
