"""How single calls of Spark functions become DuckDB expressions. Trees in, trees out.

`BUILDERS` holds the functions whose translation depends on their arguments; `functions` holds the tables
for all others. Arguments are already translated when a builder gets them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from sqlglot import exp

from kindling_plugin_duckdb import patterns
from kindling_plugin_duckdb.functions import DATE_PARTS
from kindling_plugin_duckdb.kinds import WHOLE, kind_of
from kindling_plugin_duckdb.nodes import Args, as_type, bound, call, integer, plain, text
from kindling_plugin_duckdb.portability import unknown_function, wrong_arguments
from kindling_plugin_duckdb.typed import macro

_ROUND_USES = 6
Builder: TypeAlias = Callable[[Args], exp.Expression]


def literal_text(name: str, node: exp.Expression) -> str:
    """Return the value of a text literal; raises RunError KDL-PORT-021 for anything else."""
    if isinstance(node, exp.Literal) and node.is_string:
        return str(node.this)
    raise wrong_arguments(name, "an argument that must be a text in quotes is not", "write the text itself")


def literal_integer(name: str, node: exp.Expression) -> int:
    """Return the value of an integer literal; raises RunError KDL-PORT-021 for anything else."""
    found = plain(node)
    sign = -1 if isinstance(found, exp.Neg) else 1
    found = plain(found.this) if isinstance(found, exp.Neg) else found
    if isinstance(found, exp.Literal) and not found.is_string and str(found.this).isdigit():
        return sign * int(found.this)
    raise wrong_arguments(name, "an argument that must be a whole number is not", "write the number itself")


def _concat(args: Args) -> exp.Expression:
    if len(args) == 1:
        return args[0]
    joined = _part(args[0])
    for arg in args[1:]:
        joined = exp.DPipe(this=joined, expression=_part(arg))
    return exp.Paren(this=joined)


def _part(arg: exp.Expression) -> exp.Expression:
    joined = isinstance(arg, exp.Paren) and isinstance(arg.unnest(), exp.DPipe)
    return arg if joined or (isinstance(arg, exp.Literal) and arg.is_string) else macro("part", arg)


def concat(args: Args) -> exp.Expression:
    """Text, binary or arrays, null if one is null; one argument is returned as it is."""
    return _concat(args) if args else text("")


def _upper(args: Args) -> exp.Expression:
    # DuckDB has a capital of its own for the one letter that Java writes as two.
    return call("upper", call("replace", args[0], text("ß"), text("ss")))


def _trim(name: str, args: Args) -> exp.Expression:
    return call(name, *reversed(args))  # Spark's order is (letters, text)


def _concat_ws(args: Args) -> exp.Expression:
    return call("concat_ws", args[0], *(macro("to_string", arg) for arg in args[1:]))


def _split(args: Args) -> exp.Expression:
    pattern = literal_text("split", args[1])
    if not pattern or (len(args) > 2 and literal_integer("split", args[2]) > 0):  # noqa: PLR2004  # (text, pattern, limit)
        raise wrong_arguments("split", "an empty pattern or a limit splits differently", "drop the limit")
    if re.fullmatch(r"[\w ,;:/@#-]+", pattern):
        return call("string_split", args[0], args[1])
    if re.fullmatch(r"\\?[.|+*^$\\]", pattern) and len(pattern) == 2:  # noqa: PLR2004  # one escaped letter
        return call("string_split", args[0], text(pattern[1]))
    return call("string_split_regex", args[0], args[1])


def _regexp_replace(args: Args) -> exp.Expression:
    if len(args) != 3:  # noqa: PLR2004  # (text, pattern, replacement)
        raise wrong_arguments("regexp_replace", "a start position is not portable", "use three arguments")
    if plain(args[1]) == text(""):
        raise wrong_arguments("regexp_replace", "an empty pattern splits letters differently", "use concat")
    new = text(patterns.replacement(literal_text("regexp_replace", args[2])))
    return call("regexp_replace", args[0], args[1], new, text("g"))


def _regexp_extract(args: Args) -> exp.Expression:
    group = literal_integer("regexp_extract", args[2]) if len(args) > 2 else 1  # noqa: PLR2004  # Spark's default
    return call("regexp_extract", args[0], args[1], integer(group))


def _sha2(args: Args) -> exp.Expression:
    if literal_integer("sha2", args[1]) not in (0, 256):
        raise wrong_arguments("sha2", "duckdb has SHA-256 only", "write sha2(x, 256)")
    return call("sha256", args[0])


def _charset(name: str, args: Args) -> exp.Expression:
    if literal_text(name, args[1]).lower() not in ("utf-8", "utf8"):
        raise wrong_arguments(name, "duckdb knows UTF-8 only", f"write {name}(x, 'utf-8')")
    return call(name, args[0])


def _json(args: Args) -> exp.Expression:
    if "*" in literal_text("get_json_object", args[1]):
        raise wrong_arguments("get_json_object", "a wildcard in a path is not portable", "name one element")
    return macro("json_text", *args)


def _date_format(args: Args) -> exp.Expression:
    made = patterns.strftime_pattern("date_format", literal_text("date_format", args[1]))
    return call("strftime", macro("wall", args[0]), text(made))


def _parsed(name: str, args: Args) -> exp.Expression:
    made = patterns.strftime_pattern(name, literal_text(name, args[1]))
    if "%y" not in made.lower():
        raise wrong_arguments(name, "a pattern without a year means another day", "join the date to the text")
    return macro("try_parse" if name.startswith("try_") else "parse", args[0], text(made))


def _to_date(args: Args) -> exp.Expression:
    return as_type(_parsed("to_date", args), "DATE") if len(args) > 1 else macro("to_date", args[0])


def _to_timestamp(args: Args) -> exp.Expression:
    if len(args) > 1:
        return as_type(_parsed("to_timestamp", args), "TIMESTAMPTZ")
    return macro("to_timestamp", args[0])


def _try_to_timestamp(args: Args) -> exp.Expression:
    if len(args) > 1:
        return as_type(_parsed("try_to_timestamp", args), "TIMESTAMPTZ")
    return macro("try_to_timestamp", args[0])


def _unix_timestamp(args: Args) -> exp.Expression:
    if not args:
        return macro("seconds", call("now"))
    if len(args) > 1:
        return as_type(call("epoch", _parsed("unix_timestamp", args)), "BIGINT")
    return macro("unix_time", args[0])


def _from_unixtime(args: Args) -> exp.Expression:
    pattern = literal_text("from_unixtime", args[1]) if len(args) > 1 else "yyyy-MM-dd HH:mm:ss"
    made = patterns.strftime_pattern("from_unixtime", pattern)
    return call("strftime", as_type(macro("to_timestamp", args[0]), "TIMESTAMP"), text(made))


def _date_trunc(args: Args) -> exp.Expression:
    unit = patterns.truncation_unit("date_trunc", literal_text("date_trunc", args[0]))
    return call("date_trunc", text(unit), macro("to_timestamp", args[1]))


def _trunc(args: Args) -> exp.Expression:
    if len(args) != 2:  # noqa: PLR2004  # (date, unit)
        raise unknown_function("trunc", (), "write trunc(date, 'month') with a unit")
    unit = patterns.truncation_unit("trunc", literal_text("trunc", args[1]))
    if unit not in ("year", "quarter", "month", "week"):
        raise wrong_arguments("trunc", f"{unit!r} is no unit of trunc", "write year, quarter, month or week")
    return as_type(call("date_trunc", text(unit), macro("to_date", args[0])), "DATE")


def _moved(args: Args, sign: type[exp.Binary]) -> exp.Expression:
    if len(args) != 2:  # noqa: PLR2004  # (date, days)
        raise wrong_arguments("date_add", "a unit is not portable", "write date_add(date, days)")
    return exp.Paren(this=sign(this=macro("to_date", args[0]), expression=macro("to_int", args[1])))


def _date_diff(args: Args) -> exp.Expression:
    if len(args) != 2:  # noqa: PLR2004  # (end, start)
        raise wrong_arguments("datediff", "a unit is not portable", "write datediff(end, start)")
    days = call("date_diff", text("day"), macro("to_date", args[1]), macro("to_date", args[0]))
    return as_type(days, "INTEGER")


def date_part(name: str, args: Args) -> exp.Expression:
    """Return a part of a date as Spark's `int`."""
    return as_type(call(name, macro("wall", args[0])), "INTEGER")


def _date_part(args: Args) -> exp.Expression:
    return extracted(literal_text("date_part", args[0]), args[1])


def extracted(field: str, value: exp.Expression) -> exp.Expression:
    """Return a named part of a date or an instant, as `extract` and `date_part` give it."""
    name = field.lower()
    if name in ("dow", "dayofweek"):
        return _day_of_week((value,))
    if name not in DATE_PARTS or name == "second":  # Spark's is a decimal with the fraction
        raise wrong_arguments("extract", f"the field {field!r} is not portable", "use year(), ..., second()")
    return date_part(DATE_PARTS[name], (value,))


def _day_of_week(args: Args) -> exp.Expression:
    return exp.Paren(
        this=exp.Add(this=date_part("dayofweek", args), expression=as_type(integer(1), "INTEGER"))
    )


def _weekday(args: Args) -> exp.Expression:
    return exp.Paren(this=exp.Sub(this=date_part("isodow", args), expression=as_type(integer(1), "INTEGER")))


def _zone(args: Args, *, to_utc: bool) -> exp.Expression:
    # timezone(zone, instant) is the wall clock there; timezone(zone, wall clock) is the instant.
    value = macro("to_timestamp", args[0])
    if to_utc:
        return macro("instant", args[1], call("timezone", text("UTC"), value))
    return call("timezone", text("UTC"), call("timezone", args[1], value))


def _round(args: Args) -> exp.Expression:
    digits = literal_integer("round", args[1]) if len(args) > 1 else 0
    if not -38 <= digits <= 15:  # noqa: PLR2004  # a double has about 16 digits
        raise wrong_arguments("round", f"{digits} digits are not portable", "use at most 15")
    if kind_of(args[0]) in WHOLE:
        return call("round", args[0], integer(digits))
    return bound(args[:1], _ROUND_USES, lambda values: _rounded(values[0], digits))


def _rounded(value: exp.Expression, digits: int) -> exp.Expression:
    floating = exp.In(this=call("typeof", value.copy()), expressions=[text("DOUBLE"), text("FLOAT")])
    exact = call("round", exp.TryCast(this=value.copy(), to=exp.DataType.build("DOUBLE")), integer(digits))
    if digits >= 0:
        # Java rounds the shortest decimal text of a double, half away from zero: 1.005 -> 1.01.
        shown = exp.TryCast(this=value.copy(), to=exp.DataType.build("TEXT"))
        decimal = as_type(exp.Cast(this=shown, to=_decimal(digits)), "DOUBLE")
        small = exp.LT(
            this=call("abs", exp.TryCast(this=value.copy(), to=exp.DataType.build("DOUBLE"))),
            expression=exp.Literal.number("1e15"),
        )
        exact = exp.Case(ifs=[exp.If(this=small, true=decimal)], default=exact)
    chosen = exp.Case(
        ifs=[exp.If(this=floating, true=exact)], default=call("round", value.copy(), integer(digits))
    )
    # The type of a rounded decimal depends on the digits, so it is taken from round itself.
    return call("cast_to_type", chosen, call("round", value, integer(digits)))


def _decimal(scale: int) -> exp.DataType:
    return exp.DataType.build(f"DECIMAL(38, {scale})", dialect="duckdb")


def _element(name: str, args: Args) -> exp.Expression:
    key = args[1]
    if isinstance(key, exp.Literal) and key.is_string:
        return exp.Bracket(this=args[0], expressions=[key])
    return macro("element" if name == "element_at" else "try_element", args[0], key)


def _sort_array(args: Args) -> exp.Expression:
    rising = len(args) == 1 or plain(args[1]) == exp.true()
    if len(args) > 1 and not isinstance(plain(args[1]), exp.Boolean):
        raise wrong_arguments("sort_array", "the direction is not a literal", "write true or false")
    order = (text("ASC"), text("NULLS FIRST")) if rising else (text("DESC"), text("NULLS LAST"))
    return call("list_sort", args[0], *order)


def _array_sort(args: Args) -> exp.Expression:
    if len(args) > 1:
        raise wrong_arguments(
            "array_sort", "a comparator is not portable", "use sort_array or transform first"
        )
    return call("list_sort", args[0], text("ASC"), text("NULLS LAST"))


def _pad(name: str, args: Args) -> exp.Expression:
    return call(name, args[0], args[1], args[2] if len(args) > 2 else text(" "))  # noqa: PLR2004  # pad defaults to a space


def _aggregate_list(args: Args) -> exp.Expression:
    if len(args) != 3:  # noqa: PLR2004  # (list, start, merge)
        raise wrong_arguments("aggregate", "a finishing function is not portable", "apply it to the result")
    return call("list_reduce", args[0], args[2], args[1])


def _map(args: Args) -> exp.Expression:
    return call("map", call("list_value", *args[0::2]), call("list_value", *args[1::2]))


def _rand(args: Args) -> exp.Expression:
    if args:
        raise wrong_arguments("rand", "a seed gives other numbers on each engine", "write rand()")
    return call("random")


def _explode(args: Args, *, outer: bool) -> exp.Expression:
    values = macro("explodable", args[0])
    return call("unnest", macro("outer", values) if outer else values)


def _is_null(args: Args) -> exp.Expression:
    return exp.Paren(this=exp.Is(this=args[0], expression=exp.Null()))


def _is_not_null(args: Args) -> exp.Expression:
    return exp.Paren(this=exp.Not(this=_is_null(args)))


def _nvl2(args: Args) -> exp.Expression:
    return exp.Case(ifs=[exp.If(this=_is_not_null(args[:1]), true=args[1])], default=args[2])


def _tested(name: str, args: Args) -> exp.Expression:
    return macro(name, call("list_transform", *args))


BUILDERS: dict[str, Builder] = {
    "concat": concat,
    "upper": _upper,
    "ucase": _upper,
    "ltrim": lambda args: _trim("ltrim", args),
    "rtrim": lambda args: _trim("rtrim", args),
    "concat_ws": _concat_ws,
    "instr": lambda args: macro("locate", args[1], args[0]),
    "position": lambda args: macro("locate" if len(args) < 3 else "locate_from", *args),  # noqa: PLR2004
    "split": _split,
    "regexp_replace": _regexp_replace,
    "regexp_extract": _regexp_extract,
    "sha2": _sha2,
    "encode": lambda args: _charset("encode", args),
    "decode": lambda args: _charset("decode", args),
    "base64": lambda args: call("to_base64", macro("to_binary", args[0])),
    "get_json_object": _json,
    "date_format": _date_format,
    "to_date": _to_date,
    "to_timestamp": _to_timestamp,
    "try_to_timestamp": _try_to_timestamp,
    "unix_timestamp": _unix_timestamp,
    "to_unix_timestamp": _unix_timestamp,
    "unix_millis": lambda args: call("epoch_ms", args[0]),
    "from_unixtime": _from_unixtime,
    "date_trunc": _date_trunc,
    "trunc": _trunc,
    "date_add": lambda args: _moved(args, exp.Add),
    "dateadd": lambda args: _moved(args, exp.Add),
    "date_sub": lambda args: _moved(args, exp.Sub),
    "datediff": _date_diff,
    "date_diff": _date_diff,
    "dayofweek": _day_of_week,
    "weekday": _weekday,
    "last_day": lambda args: call("last_day", macro("to_date", args[0])),
    "make_date": lambda args: call("make_date", *args),
    "current_date": lambda _args: as_type(call("now"), "DATE"),
    "curdate": lambda _args: as_type(call("now"), "DATE"),
    "current_timestamp": lambda _args: call("now"),
    "now": lambda _args: call("now"),
    "from_utc_timestamp": lambda args: _zone(args, to_utc=False),
    "to_utc_timestamp": lambda args: _zone(args, to_utc=True),
    "round": _round,
    "element_at": lambda args: _element("element_at", args),
    "try_element_at": lambda args: _element("try_element_at", args),
    "sort_array": _sort_array,
    "array_sort": _array_sort,
    "transform": lambda args: call("list_transform", *args),
    "filter": lambda args: call("list_filter", *args),
    "exists": lambda args: _tested("any_true", args),
    "forall": lambda args: _tested("all_true", args),
    "aggregate": _aggregate_list,
    "reduce": _aggregate_list,
    "map": _map,
    "explode": lambda args: _explode(args, outer=False),
    "explode_outer": lambda args: _explode(args, outer=True),
    "if": lambda args: exp.Case(ifs=[exp.If(this=args[0], true=args[1])], default=args[2]),
    "nvl2": _nvl2,
    "isnull": _is_null,
    "isnotnull": _is_not_null,
    "equal_null": lambda args: exp.Paren(this=exp.NullSafeEQ(this=args[0], expression=args[1])),
    "uuid": lambda _args: as_type(call("uuid"), "VARCHAR"),
    "rand": _rand,
    "replace": lambda args: call("replace", *args, *(() if len(args) > 2 else (text(""),))),  # noqa: PLR2004
    "lpad": lambda args: _pad("lpad", args),
    "rpad": lambda args: _pad("rpad", args),
    "reverse": lambda args: call("reverse", args[0]),
    "bit_count": lambda args: as_type(call("bit_count", as_type(args[0], "BIGINT")), "INTEGER"),
    "negative": lambda args: exp.Neg(this=exp.Paren(this=args[0])),
    "positive": lambda args: args[0],
    "date_part": _date_part,
    "datepart": _date_part,
    "e": lambda _args: call("exp", integer(1)),
}
