"""Refusals: what means something else on DuckDB than on Spark and cannot be corrected.

Each function makes one error of the family KDL-PORT-02x, in the user's own words; the callers raise.
An error that only shows while rows are computed comes out of DuckDB as text: `marked` writes such a
text into a query, `unmarked` reads it back.
"""

from __future__ import annotations

import re

from kindling.errors import RunError
from kindling.names import close_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_MARK = re.compile(r"(KDL-PORT-\d{3}): (.*?) \| (.*?)(?:$|\n)", re.DOTALL)


def unknown_function(name: str, known: Sequence[str], hint: str = "") -> RunError:
    """The function is not known to give equal results on both engines."""
    close = close_names(name, known)
    return RunError(
        "KDL-PORT-020",
        f"the function {name!r} is not portable to duckdb",
        why="it is missing there or gives other results than Spark",
        hint=hint
        or (f"did you mean {' or '.join(map(repr, close))}?" if close else "")
        or "write it with portable functions, or run this pipe on a Spark platform",
        function=name,
    )


def wrong_arguments(name: str, why: str, hint: str = "") -> RunError:
    """The function is portable, but not with these arguments."""
    return RunError(
        "KDL-PORT-021",
        f"this call of {name!r} is not portable to duckdb",
        why=why,
        hint=hint or "change the call, or run this pipe on a Spark platform",
        function=name,
    )


def unnamed_column(text: str) -> RunError:
    """The engines would name a computed column differently."""
    return RunError(
        "KDL-PORT-022",
        f"the column {text!r} has no name",
        why="each engine makes up another name for a computed column",
        hint="name it: .alias('...') in frames, AS ... in SQL",
        column=text,
    )


def refused_method(name: str, why: str, hint: str) -> RunError:
    """A method of frames that gives other results or touches the outside."""
    return RunError("KDL-PORT-023", f"DataFrame.{name} is refused on duckdb", why=why, hint=hint, method=name)


def refused_syntax(what: str, hint: str) -> RunError:
    """A clause of Spark SQL that has no equal on DuckDB."""
    return RunError("KDL-PORT-024", f"{what} is not portable to duckdb", hint=hint, syntax=what)


def unknown_decimal(column: str, kind: str) -> RunError:
    """A computed decimal: its precision follows other rules on Spark."""
    return RunError(
        "KDL-PORT-025",
        f"the column {column!r} is a computed {kind}",
        why="Spark gives decimal arithmetic another precision than DuckDB does",
        hint=f"say its type: cast it as the last step, like CAST(... AS DECIMAL(18,2)) AS {column}, "
        "or declare the entity's schema",
        column=column,
        type=kind,
    )


def refused_pattern(function: str, pattern: str, part: str) -> RunError:
    """A date pattern or a regular expression that cannot be translated."""
    return RunError(
        "KDL-PORT-026",
        f"the pattern {pattern!r} of {function!r} is not portable to duckdb",
        why=f"{part!r} cannot be translated",
        hint="portable: yyyy yy MMMM MMM MM M dd d EEEE E HH H hh h mm m ss s SSS SSSSSS a D, 'text'",
        function=function,
        pattern=pattern,
    )


def unknown_attribute(name: str, columns: Sequence[str]) -> AttributeError:
    """An attribute that is neither a method nor a column of the frame."""
    close = close_names(name, columns)
    tail = f"did you mean {close[0]!r}?" if close else f"columns: {', '.join(columns)}"
    return AttributeError(f"a frame has neither a method nor a column {name!r}; {tail}")


def unknown_table(name: str, known: Sequence[str]) -> RunError:
    """A table in SQL text that is no declared input."""
    return RunError(
        "KDL-PORT-027",
        f"the table {name!r} is not an input of this query",
        why=f"inputs: {', '.join(known) or 'none'}",
        hint="declare it as an input and write it in braces",
        table=name,
    )


def unreadable_sql(text: str, why: str) -> RunError:
    """The text cannot be parsed as Spark SQL."""
    return RunError(
        "KDL-PORT-028", f"{text[:80]!r} cannot be parsed as Spark SQL", why=why, hint="correct the text"
    )


def refused_type(kind: str) -> RunError:
    """A column type of DuckDB without an engine-neutral counterpart."""
    return RunError(
        "KDL-PORT-029",
        f"the type {kind} has no engine-neutral counterpart",
        hint="cast the column, for example to string",
        type=kind,
    )


def ambiguous_column(name: str) -> RunError:
    """A name that two columns of a frame have; Spark refuses it too, and DuckDB would take the first."""
    return RunError(
        "KDL-INFRA-206",
        f"the frame has two columns {name!r}",
        why="after a join on a condition both sides keep their columns",
        hint=f"join on the name, or keep one: left[{name!r}] with an alias, or right.drop({name!r})",
        column=name,
    )


def marked(what: str, hint: str) -> str:
    """Return the text of a refusal that a query raises while it runs."""
    return f"KDL-PORT-021: {what} | {hint}"


def unmarked(text: str) -> RunError | None:
    """Return the refusal whose `marked` text stands in an engine error's text, or None."""
    match = _MARK.search(text)
    return RunError(match[1], match[2], hint=match[3].strip()) if match else None
