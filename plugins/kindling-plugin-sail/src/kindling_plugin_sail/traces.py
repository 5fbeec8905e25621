"""Which requests leave nothing behind on the engine, so that another task may have their session.

All that is not known to leave nothing counts as a trace: views, settings, functions, tables, caches.
"""

from __future__ import annotations

import re
from typing import Any

_ANALYSES = frozenset(
    {
        "ddl_parse",
        "explain",
        "input_files",
        "is_local",
        "is_streaming",
        "json_to_ddl",
        "same_semantics",
        "schema",
        "semantic_hash",
        "spark_version",
        "tree_string",
    }
)
_QUESTIONS = frozenset({"get", "get_all", "get_option", "get_with_default", "is_modifiable"})
_ACTING_RELATIONS = frozenset({"catalog", "extension", "ml_relation", "unknown"})
_PLAIN_SQL = re.compile(r"[\s(]*(SELECT|WITH|VALUES|INSERT|UPDATE|DELETE|MERGE)\b", re.IGNORECASE)


def is_plain_sql(text: str) -> bool:
    """Tell whether a statement only reads or writes rows: it makes no view and sets nothing."""
    return _PLAIN_SQL.match(text) is not None


def leaves_nothing(method: str, request: Any) -> bool:  # noqa: ANN401  # a message of pyspark's protocol
    """Tell whether a request to the engine leaves its session as it was.

    Args:
        method: `ExecutePlan`, `AnalyzePlan`, `Config`...
        request: The message.
    """
    if method == "AnalyzePlan":
        return request.WhichOneof("analyze") in _ANALYSES
    if method == "Config":
        return request.operation.WhichOneof("op_type") in _QUESTIONS
    if method != "ExecutePlan":
        return False
    kind = request.plan.WhichOneof("op_type")
    if kind == "root":
        return request.plan.root.WhichOneof("rel_type") not in _ACTING_RELATIONS
    return kind == "command" and _command_leaves_nothing(request.plan.command)


def _command_leaves_nothing(command: Any) -> bool:  # noqa: ANN401  # the same
    kind = command.WhichOneof("command_type")
    if kind == "write_operation":  # tables by name stand in the catalog, which each session has its own of
        return bool(command.write_operation.WhichOneof("save_type") == "path")
    if kind != "sql_command":
        return False
    given = command.sql_command
    relation = given.input if given.HasField("input") else None
    if relation is None:
        return is_plain_sql(given.sql)
    if relation.WhichOneof("rel_type") == "with_relations":
        relation = relation.with_relations.root
    return relation.WhichOneof("rel_type") == "sql" and is_plain_sql(relation.sql.query)
