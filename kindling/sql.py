"""SQL texts of pipes: placeholders, and the check that nothing undeclared is read. No execution."""

from __future__ import annotations

import re

from kindling.errors import DeclarationError
from kindling.names import close_names, did_you_mean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlglot.errors import SqlglotError
    from sqlglot.expressions import Expr, Query, With

_TOKEN = re.compile(
    r"""
    '(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" | `[^`]*`   # texts and quoted names
    | --[^\n]* | /\*(?!\+).*?\*/                       # comments; hints, /*+ ... */, are code
    | \{(?P<name>[A-Za-z_]\w*)\}
    """,
    re.VERBOSE | re.DOTALL,
)
"""What may hold braces, and a placeholder. Source: Spark 4.2 SQL reference, "Literals", "Comments"."""


def placeholders_in(text: str) -> tuple[str, ...]:
    """Return the identifiers that stand in braces, in order, each once; not those in texts and comments."""
    return tuple(dict.fromkeys(match["name"] for match in _TOKEN.finditer(text) if match["name"]))


def bind(text: str, tables: Mapping[str, str]) -> str:
    """Replace each `{identifier}` that is among `tables` by its table name.

    Other braces stay, and so do those in string literals, quoted names and comments.
    """
    return _TOKEN.sub(lambda match: tables.get(match["name"], match[0]), text)


def table_of(placeholder: str) -> str:
    """Return the table name under which a placeholder's frame is visible to the engine."""
    return f"kdl_{placeholder}"


def misspelt(text: str, declared: Sequence[str]) -> list[str]:
    """Return messages for braces that look like a misspelt placeholder."""
    return [
        f"{{{name}}} is no input: did you mean {{{close[0]}}}?"
        for name in placeholders_in(text)
        if name not in declared and (close := close_names(name, declared, most=1))
    ]


def check_sql(text: str, *, pipe: str, declared: Sequence[str], where: str) -> list[DeclarationError]:
    """Return the faults of one SQL text: syntax, several statements, undeclared tables and functions.

    Imports sqlglot, so it is called for changed texts only.
    """
    wrong = misspelt(text, declared)
    unused = [name for name in declared if name not in placeholders_in(text)]
    faults = [_fault("KDL-DECL-041", f"the SQL of {pipe!r}: {message}", where) for message in wrong]
    faults += [
        _fault("KDL-DECL-042", f"the SQL of {pipe!r} never uses its input {{{name}}}", where)
        for name in unused
    ]
    if wrong:
        return faults
    try:
        query = _parse(bind(text, {name: table_of(name) for name in declared}))
    except ValueError as error:
        return [*faults, _fault("KDL-DECL-043", f"the SQL of {pipe!r} cannot be parsed", where, str(error))]
    for name in undeclared_tables(query, declared):
        faults.append(
            _fault(
                "KDL-DECL-044",
                f"the SQL of {pipe!r} reads {name!r}, which is not an input",
                where,
                did_you_mean(name, declared),
                "give its handle in inputs={...} and write {name} in braces",
            )
        )
    return faults


def _fault(code: str, what: str, where: str, why: str = "", hint: str = "") -> DeclarationError:
    return DeclarationError(code, what, why=why, where=where, hint=hint)


def _parse(text: str) -> Query:
    """Parse one SELECT in Spark's dialect; raises ValueError with a message of one or two lines."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        statements = [item for item in sqlglot.parse(text, read="spark") if item is not None]
    except SqlglotError as error:
        raise ValueError(_syntax_error(error)) from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        msg = f"expected one SELECT, found {len(statements)} statements"
        if len(statements) == 1:
            msg = f"expected one SELECT, found {type(statements[0]).__name__.upper()}"
        raise ValueError(msg)
    return statements[0]


def _syntax_error(error: SqlglotError) -> str:
    details = getattr(error, "errors", None)
    if details:
        return "line {line}, column {col}: {highlight!r} is not expected there".format_map(details[0])
    return " ".join(str(error.__cause__ or error).split())[:300]


def undeclared_tables(query: Query, declared: Sequence[str]) -> list[str]:
    """Return what a parsed query reads besides its inputs: tables, paths, table functions; sorted."""
    from sqlglot import exp

    allowed = {table_of(name).lower() for name in declared}
    found: set[str] = set()
    for table in query.find_all(exp.Table):
        name = table.name.lower()
        if isinstance(table.this, exp.Func):
            found.add(table.this.sql("spark"))
        elif table.db or table.catalog or (name not in allowed and not _is_cte(table, name)):
            found.add(table.sql("spark"))
    return sorted(found)


def _is_cte(table: Expr, name: str) -> bool:
    """Tell whether a table's name is a CTE that is visible where the table stands.

    Within a WITH clause only the CTEs before its own are visible, with RECURSIVE its own too.
    """
    from sqlglot import exp

    node: Expr | None = table
    inside: Expr | None = None
    while node is not None:
        if isinstance(node, exp.CTE):
            inside = node
        clause = node.args.get("with_") or node.args.get("with")
        if isinstance(clause, exp.With) and name in _visible(clause, inside):
            return True
        node = node.parent
    return False


def _visible(clause: With, inside: Expr | None) -> set[str]:
    names: set[str] = set()
    for cte in clause.expressions:
        if cte is inside and not clause.args.get("recursive"):
            break
        names.add(cte.alias.lower())
        if cte is inside:
            break
    return names
