"""DuckDB macros with Spark's meaning, one table: name -> definitions. Pure text.

Three properties of DuckDB carry this (each has a test): `typeof(x)` is folded to a constant while a
query is planned, so a CASE over it costs nothing per row; `TRY_CAST` binds for every pair of types,
so branches for other types do no harm; `cast_to_type(x, y)` takes the *type* of `y` only. Thus the engine
itself picks the branch by type, and nothing here needs to know column types.

A macro is made when a query first needs it. Lambda parameters are called `kdl_e`: a macro's parameter may
be a column of any other name.
"""

from __future__ import annotations

import re

from kindling_plugin_duckdb.portability import marked

PREFIX = "kdl_"


def _error(what: str, hint: str) -> str:
    return "error('" + marked(what, hint).replace("'", "''") + "')"


_DECIMAL = "starts_with(typeof({0}), 'DECIMAL')"
_FLOATING = "typeof({0}) IN ('DOUBLE', 'FLOAT')"
_INVALID = (
    "error('[CAST_INVALID_INPUT] The value ''' || {0} ||"
    " ''' of the type \"STRING\" cannot be cast to \"{1}\"')"
)
_UNSPELT = "('DOUBLE', 'FLOAT', 'TIMESTAMP WITH TIME ZONE', 'INTERVAL')"
_UNSPELT_LISTS = "('DOUBLE[]', 'FLOAT[]', 'TIMESTAMP WITH TIME ZONE[]')"
_DIVIDE_BY_ZERO = "error('[DIVIDE_BY_ZERO] Division by zero')"


def _int_cast(kind: str) -> str:
    """Spark truncates fractions, takes whole numbers from text only, and instants as seconds."""
    return f"""(x) AS CASE
        WHEN {_FLOATING.format("x")} THEN CAST(trunc(TRY_CAST(x AS DOUBLE)) AS {kind})
        WHEN {_DECIMAL.format("x")} THEN CAST(split_part(TRY_CAST(x AS VARCHAR), '.', 1) AS {kind})
        WHEN typeof(x) = 'VARCHAR' THEN CAST(kdl_digits(TRY_CAST(x AS VARCHAR)) AS {kind})
        WHEN typeof(x) = 'TIMESTAMP WITH TIME ZONE' THEN
            CAST(floor(epoch_us(TRY_CAST(x AS TIMESTAMPTZ)) / 1000000) AS {kind})
        ELSE CAST(x AS {kind}) END"""


def _try_int_cast(kind: str) -> str:
    return f"""(x) AS CASE
        WHEN typeof(x) = 'VARCHAR' THEN CASE
            WHEN regexp_full_match(trim(TRY_CAST(x AS VARCHAR)), '[+-]?[0-9]+')
            THEN TRY_CAST(trim(TRY_CAST(x AS VARCHAR)) AS {kind}) END
        WHEN {_FLOATING.format("x")} THEN TRY_CAST(trunc(TRY_CAST(x AS DOUBLE)) AS {kind})
        WHEN {_DECIMAL.format("x")} THEN TRY_CAST(split_part(TRY_CAST(x AS VARCHAR), '.', 1) AS {kind})
        ELSE TRY_CAST(x AS {kind}) END"""


_DATE_TEXT = "[0-9]{4}(-[0-9]{1,2}(-[0-9]{1,2}([ T].*)?)?)?"
_STAMP_TEXT = "[0-9]{4}(-[0-9]{1,2}(-[0-9]{1,2}([ T][0-9].*)?)?)?"
# Of texts that fit one of these two patterns: those without a day have at most seven letters.
_PADDED = """CASE WHEN length(x) > 7 THEN %s
        WHEN length(x) = 4 THEN x || '-01-01' WHEN x IS NOT NULL THEN x || '-01' END"""
_DAY_PART = """CASE WHEN length(x) = 10 AND x[8] = '-' AND x[10] BETWEEN '0' AND '9' THEN x
        ELSE regexp_extract(x, '^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}') END"""

CASTS = {
    "digits": f"""(x) AS CASE WHEN regexp_full_match(trim(x), '[+-]?[0-9]+') THEN trim(x)
        WHEN x IS NOT NULL THEN {_INVALID.format("x", "INT")} END""",
    "to_tinyint": _int_cast("TINYINT"),
    "to_smallint": _int_cast("SMALLINT"),
    "to_int": _int_cast("INTEGER"),
    "to_bigint": _int_cast("BIGINT"),
    "try_to_tinyint": _try_int_cast("TINYINT"),
    "try_to_smallint": _try_int_cast("SMALLINT"),
    "try_to_int": _try_int_cast("INTEGER"),
    "try_to_bigint": _try_int_cast("BIGINT"),
    "number_text": f"""(x) AS CASE WHEN NOT contains(x, '_') THEN trim(x)
        WHEN x IS NOT NULL THEN {_INVALID.format("x", "DOUBLE")} END""",
    "to_double": """(x) AS CASE
        WHEN typeof(x) = 'VARCHAR' THEN CAST(kdl_number_text(TRY_CAST(x AS VARCHAR)) AS DOUBLE)
        ELSE CAST(x AS DOUBLE) END""",
    "to_float": """(x) AS CASE
        WHEN typeof(x) = 'VARCHAR' THEN CAST(kdl_number_text(TRY_CAST(x AS VARCHAR)) AS FLOAT)
        ELSE CAST(x AS FLOAT) END""",
    "try_to_double": "(x) AS CASE WHEN NOT coalesce(contains(TRY_CAST(x AS VARCHAR), '_'), false) "
    "THEN TRY_CAST(x AS DOUBLE) END",
    "try_to_float": "(x) AS CASE WHEN NOT coalesce(contains(TRY_CAST(x AS VARCHAR), '_'), false) "
    "THEN TRY_CAST(x AS FLOAT) END",
    # A double becomes a decimal through its shortest text, as Java's BigDecimal.valueOf does.
    "decimal_source": f"""(x) AS CASE WHEN {_FLOATING.format("x")} OR typeof(x) = 'VARCHAR'
        THEN kdl_number_text(TRY_CAST(x AS VARCHAR)) ELSE TRY_CAST(x AS VARCHAR) END""",
    "to_boolean": f"""(x) AS CASE WHEN typeof(x) <> 'VARCHAR' THEN CAST(x AS BOOLEAN)
        WHEN x IS NULL THEN NULL
        WHEN lower(trim(TRY_CAST(x AS VARCHAR))) IN ('t', 'true', 'y', 'yes', '1') THEN true
        WHEN lower(trim(TRY_CAST(x AS VARCHAR))) IN ('f', 'false', 'n', 'no', '0') THEN false
        ELSE {_INVALID.format("TRY_CAST(x AS VARCHAR)", "BOOLEAN")} END""",
    "try_to_boolean": """(x) AS CASE WHEN typeof(x) <> 'VARCHAR' THEN TRY_CAST(x AS BOOLEAN)
        WHEN lower(trim(TRY_CAST(x AS VARCHAR))) IN ('t', 'true', 'y', 'yes', '1') THEN true
        WHEN lower(trim(TRY_CAST(x AS VARCHAR))) IN ('f', 'false', 'n', 'no', '0') THEN false END""",
    "date_text": f"""(x) AS CASE WHEN regexp_full_match(trim(x), '{_DATE_TEXT}') THEN kdl_pad_date(trim(x))
        WHEN x IS NOT NULL THEN {_INVALID.format("x", "DATE")} END""",
    "pad_date": f"(x) AS {_PADDED % _DAY_PART}",
    "pad_stamp": f"(x) AS {_PADDED % 'x'}",
    "to_date": """(x) AS CASE
        WHEN typeof(x) = 'VARCHAR' THEN CAST(kdl_date_text(TRY_CAST(x AS VARCHAR)) AS DATE)
        ELSE CAST(x AS DATE) END""",
    "try_to_date": f"""(x) AS CASE WHEN typeof(x) = 'VARCHAR' THEN CASE
            WHEN regexp_full_match(trim(TRY_CAST(x AS VARCHAR)), '{_DATE_TEXT}')
            THEN TRY_CAST(kdl_pad_date(trim(TRY_CAST(x AS VARCHAR))) AS DATE) END
        ELSE TRY_CAST(x AS DATE) END""",
    "stamp_text": f"""(x) AS CASE WHEN regexp_full_match(trim(x), '{_STAMP_TEXT}') THEN kdl_pad_stamp(trim(x))
        WHEN x IS NOT NULL THEN {_INVALID.format("x", "TIMESTAMP")} END""",
    "to_timestamp": """(x) AS CASE
        WHEN typeof(x) = 'VARCHAR' THEN CAST(kdl_stamp_text(TRY_CAST(x AS VARCHAR)) AS TIMESTAMPTZ)
        WHEN typeof(x) IN ('TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT')
            THEN to_timestamp(TRY_CAST(x AS DOUBLE))
        WHEN typeof(x) IN ('DOUBLE', 'FLOAT')
            THEN make_timestamptz(CAST(trunc(TRY_CAST(x AS DOUBLE) * 1000000) AS BIGINT))
        ELSE CAST(CASE WHEN typeof(x) IN ('DATE', 'TIMESTAMP', 'TIMESTAMP WITH TIME ZONE', '\"NULL\"')
            THEN TRY_CAST(x AS TIMESTAMPTZ) ELSE error('cannot cast ' || typeof(x) || ' to TIMESTAMP') END
            AS TIMESTAMPTZ) END""",
    "try_to_timestamp": f"""(x) AS CASE WHEN typeof(x) = 'VARCHAR' THEN CASE
            WHEN regexp_full_match(trim(TRY_CAST(x AS VARCHAR)), '{_STAMP_TEXT}')
            THEN TRY_CAST(kdl_pad_stamp(trim(TRY_CAST(x AS VARCHAR))) AS TIMESTAMPTZ) END
        ELSE TRY_CAST(x AS TIMESTAMPTZ) END""",
    "to_timestamp_ntz": """(x) AS CASE
        WHEN typeof(x) = 'VARCHAR' THEN CAST(kdl_stamp_text(TRY_CAST(x AS VARCHAR)) AS TIMESTAMP)
        ELSE CAST(x AS TIMESTAMP) END""",
    "try_to_timestamp_ntz": f"""(x) AS CASE WHEN typeof(x) = 'VARCHAR' THEN CASE
            WHEN regexp_full_match(trim(TRY_CAST(x AS VARCHAR)), '{_STAMP_TEXT}')
            THEN TRY_CAST(kdl_pad_stamp(trim(TRY_CAST(x AS VARCHAR))) AS TIMESTAMP) END
        ELSE TRY_CAST(x AS TIMESTAMP) END""",
    # Java's Double.toString: plain between 1e-3 and 1e7, else one digit, a point and an exponent.
    "double_text": """(v, a) AS CASE WHEN isnan(a) THEN 'NaN'
        WHEN isinf(a) THEN if(a > 0, 'Infinity', '-Infinity')
        WHEN abs(a) = 4.9e-324 THEN if(a < 0, '-', '') || '4.9E-324'
        WHEN a = 0 OR (abs(a) >= 0.001 AND abs(a) < 10000000) THEN v
        ELSE if(a < 0, '-', '') || kdl_scientific(ltrim(v, '-')) END""",
    "scientific": """(v) AS CASE
        WHEN contains(v, 'e') THEN if(contains(v, '.'), split_part(v, 'e', 1), split_part(v, 'e', 1) || '.0')
            || 'E' || CAST(CAST(split_part(v, 'e', 2) AS INTEGER) AS VARCHAR)
        WHEN starts_with(v, '0.') THEN kdl_mantissa(ltrim(substr(v, 3), '0'))
            || 'E-' || CAST(length(v) - 2 - length(ltrim(substr(v, 3), '0')) + 1 AS VARCHAR)
        ELSE kdl_mantissa(rtrim(replace(v, '.', ''), '0'))
            || 'E' || CAST(strpos(v, '.') - 2 AS VARCHAR) END""",
    "mantissa": "(d) AS substr(d, 1, 1) || '.' || if(length(d) > 1, substr(d, 2), '0')",
    "to_string": f"""(x) AS CASE
        WHEN {_FLOATING.format("x")} THEN kdl_double_text(TRY_CAST(x AS VARCHAR), TRY_CAST(x AS DOUBLE))
        WHEN typeof(x) = 'TIMESTAMP WITH TIME ZONE'
            THEN CAST(TRY_CAST(TRY_CAST(x AS TIMESTAMPTZ) AS TIMESTAMP) AS VARCHAR)
        WHEN typeof(x) = 'BLOB' THEN decode(TRY_CAST(x AS BLOB))
        WHEN starts_with(typeof(x), 'DECIMAL') THEN kdl_decimal_text(CAST(x AS VARCHAR))
        WHEN typeof(x) = 'INTERVAL' OR regexp_matches(typeof(x), '^(STRUCT|MAP)|\\]$')
            THEN {_error("casting a nested value to string", "build the text from its parts")}
        ELSE CAST(x AS VARCHAR) END""",
    # DuckDB writes no zero before the point of a DECIMAL(2, 2).
    "decimal_text": """(v) AS CASE WHEN starts_with(v, '.') THEN '0' || v
        WHEN starts_with(v, '-.') THEN '-0' || substr(v, 2) ELSE v END""",
    "to_binary": f"""(x) AS CASE WHEN typeof(x) = 'VARCHAR' THEN encode(TRY_CAST(x AS VARCHAR))
        WHEN typeof(x) IN ('BLOB', '"NULL"') THEN TRY_CAST(x AS BLOB)
        ELSE {_error("casting a number to binary", "cast it to string first")} END""",
}

NUMBERS = {
    "div": f"""(a, b) AS CASE
        WHEN ({_DECIMAL.format("a")} OR {_DECIMAL.format("b")})
            AND NOT ({_FLOATING.format("a")} OR {_FLOATING.format("b")})
            THEN {_error("division of decimals", "write CAST(... AS DOUBLE) / ...")}
        WHEN CAST(b AS DOUBLE) = 0 THEN {_DIVIDE_BY_ZERO} ELSE CAST(a AS DOUBLE) / CAST(b AS DOUBLE) END""",
    "ratio": f"""(a, b) AS CASE WHEN CAST(b AS DOUBLE) = 0 THEN {_DIVIDE_BY_ZERO}
        ELSE CAST(a AS DOUBLE) / CAST(b AS DOUBLE) END""",
    "try_divide": f"""(a, b) AS CASE
        WHEN ({_DECIMAL.format("a")} OR {_DECIMAL.format("b")})
            AND NOT ({_FLOATING.format("a")} OR {_FLOATING.format("b")})
            THEN {_error("division of decimals", "write try_divide(CAST(... AS DOUBLE), ...)")}
        WHEN CAST(b AS DOUBLE) <> 0 THEN CAST(a AS DOUBLE) / CAST(b AS DOUBLE) END""",
    "intdiv": f"""(a, b) AS CASE
        WHEN {_FLOATING.format("a")} OR {_FLOATING.format("b")} OR {_DECIMAL.format("a")}
            OR {_DECIMAL.format("b")} THEN {_error("div of fractions", "write CAST(a / b AS BIGINT)")}
        ELSE CAST(a AS BIGINT) // CAST(b AS BIGINT) END""",
    "mod": f"(a, b) AS CASE WHEN b = 0 THEN {_DIVIDE_BY_ZERO} ELSE a % b END",
    "pmod": f"""(a, b) AS CASE WHEN b = 0 THEN {_DIVIDE_BY_ZERO}
        WHEN a % b < 0 THEN (a % b + b) % b ELSE a % b END""",
    "ceil": f"""(x) AS CASE WHEN {_DECIMAL.format("x")}
        THEN {_error("ceil of a decimal", "write ceil(CAST(... AS DOUBLE))")}
        ELSE CAST(ceil(CAST(x AS DOUBLE)) AS BIGINT) END""",
    "floor": f"""(x) AS CASE WHEN {_DECIMAL.format("x")}
        THEN {_error("floor of a decimal", "write floor(CAST(... AS DOUBLE))")}
        ELSE CAST(floor(CAST(x AS DOUBLE)) AS BIGINT) END""",
    # Spark computes float with decimal in double, DuckDB in float.
    "beside_decimal": f"""(x) AS CASE WHEN typeof(x) = 'FLOAT'
        THEN {_error("a float beside a decimal number", "write CAST(... AS DOUBLE)")} ELSE x END""",
    # Text is cast to the whole number beside it: Spark fails on a fraction, DuckDB would round it.
    "beside_fraction": f"""(t, x) AS CASE
        WHEN typeof(x) IN ('TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT')
        THEN {_error("a whole number compared with a fraction in quotes", "write the number without quotes")}
        ELSE t END""",
    "sqrt": "(x) AS CASE WHEN x < 0 THEN CAST('nan' AS DOUBLE) ELSE sqrt(x) END",
    "ln": "(x) AS CASE WHEN x > 0 THEN ln(x) END",
    "log10": "(x) AS CASE WHEN x > 0 THEN log10(x) END",
    "log2": "(x) AS CASE WHEN x > 0 THEN log2(x) END",
    "log": "(b, x) AS CASE WHEN b > 0 AND x > 0 THEN ln(x) / ln(b) END",
    "sign": """(x) AS CASE WHEN isnan(CAST(x AS DOUBLE)) THEN CAST('nan' AS DOUBLE)
        ELSE CAST(sign(x) AS DOUBLE) END""",
    "isnan": "(x) AS coalesce(isnan(x), false)",
    "nanvl": "(a, b) AS CASE WHEN isnan(a) THEN b ELSE a END",
    "sum_input": f"""(x) AS CASE WHEN typeof(x) IN ('BOOLEAN', 'VARCHAR')
        THEN {_error("the sum of booleans or text", "cast to int or double first")} ELSE x END""",
    "approx_input": f"""(x) AS CASE WHEN {_FLOATING.format("x")} AND isnan(TRY_CAST(x AS DOUBLE))
        THEN {_error("an approximate percentile over NaN", "filter them before, or use percentile")}
        ELSE x END""",
    "average_input": f"""(x) AS CASE WHEN {_DECIMAL.format("x")}
        THEN {_error("the average of a decimal", "write avg(CAST(... AS DOUBLE))")} ELSE x END""",
}

TEXTS = {
    "substring": """(s, p, l) AS CASE WHEN l <= 0 THEN substring(s, 1, 0) WHEN p = 0 THEN substring(s, 1, l)
        WHEN p > 0 THEN substring(s, p, l)
        ELSE substring(s, greatest(length(s) + p, 0) + 1, greatest(l + least(length(s) + p, 0), 0)) END""",
    "substring_from": "(s, p) AS kdl_substring(s, p, 2147483647)",
    "part": f"""(x) AS CASE WHEN typeof(x) IN {_UNSPELT} OR (starts_with(typeof(x), 'DECIMAL')
            AND split_part(typeof(x), ',', 1) = 'DECIMAL(' || rtrim(split_part(typeof(x), ',', 2), ')'))
        THEN {_error("joining a double or a timestamp to text", "write CAST(... AS STRING)")} ELSE x END""",
    "chr": "(n) AS CASE WHEN n < 0 THEN '' ELSE chr(CAST(n % 256 AS INTEGER)) END",
    "left": "(s, n) AS CASE WHEN n <= 0 THEN substring(s, 1, 0) ELSE left(s, n) END",
    "right": "(s, n) AS CASE WHEN n <= 0 THEN substring(s, 1, 0) ELSE right(s, n) END",
    "locate": "(n, s) AS CAST(instr(s, n) AS INTEGER)",
    "locate_from": """(n, s, p) AS CASE WHEN n IS NULL OR s IS NULL THEN NULL WHEN p < 1 THEN 0
        WHEN instr(substring(s, p), n) = 0 THEN 0
        ELSE CAST(instr(substring(s, p), n) + p - 1 AS INTEGER) END""",
    "initcap": """(s) AS array_to_string(list_transform(string_split(lower(s), ' '),
        lambda kdl_e: upper(substr(kdl_e, 1, 1)) || substr(kdl_e, 2)), ' ')""",
    "split_part": """(s, d, n) AS CASE WHEN n = 0
        THEN error('[INVALID_INDEX_OF_ZERO] The index 0 is invalid') ELSE split_part(s, d, n) END""",
    "substring_index": """(s, d, n) AS CASE WHEN n = 0 OR d = '' THEN substring(s, 1, 0)
        WHEN n > 0 THEN array_to_string(string_split(s, d)[1:n], d)
        ELSE array_to_string(string_split(s, d)[n:], d) END""",
    "octets": "(x) AS CAST(octet_length(kdl_to_binary(x)) AS INTEGER)",
    "json_text": "(s, p) AS CASE WHEN json_valid(s) THEN json_extract_string(s, p) END",
}

TIMES = {
    "wall": """(x) AS CASE WHEN typeof(x) = 'VARCHAR'
        THEN CAST(kdl_stamp_text(TRY_CAST(x AS VARCHAR)) AS TIMESTAMP) ELSE CAST(x AS TIMESTAMP) END""",
    # A text must come out again as it went in: DuckDB's reader is laxer than Spark's.
    "parse": f"""(s, f) AS CASE WHEN strftime(strptime(s, f), f) = s THEN strptime(s, f)
        WHEN s IS NOT NULL THEN {_INVALID.format("s", "TIMESTAMP")} END""",
    "try_parse": """(s, f) AS CASE WHEN strftime(try_strptime(s, f), f) = s THEN try_strptime(s, f) END""",
    "months": """(d, n) AS CAST(kdl_to_date(d) + to_months(CAST(n AS INTEGER)) AS DATE)""",
    "shift": "(x, i) AS cast_to_type(x + i, x)",
    "shift_back": "(x, i) AS cast_to_type(x - i, x)",
    "shift_time": f"""(x, i) AS CASE WHEN typeof(x) = 'DATE'
        THEN {_error("adding hours to a date", "cast the date to timestamp first")} ELSE x + i END""",
    "shift_time_back": f"""(x, i) AS CASE WHEN typeof(x) = 'DATE'
        THEN {_error("taking hours from a date", "cast the date to timestamp first")} ELSE x - i END""",
    "seconds": """(x) AS CASE
        WHEN typeof(x) = 'VARCHAR'
            THEN CAST(epoch(kdl_parse(TRY_CAST(x AS VARCHAR), '%Y-%m-%d %H:%M:%S')) AS BIGINT)
        ELSE CAST(floor(epoch_us(CAST(x AS TIMESTAMPTZ)) / 1000000) AS BIGINT) END""",
    # As `seconds`, but towards zero, as Spark's unix_timestamp has it.
    "unix_time": """(x) AS CASE
        WHEN typeof(x) = 'VARCHAR'
            THEN CAST(epoch(kdl_parse(TRY_CAST(x AS VARCHAR), '%Y-%m-%d %H:%M:%S')) AS BIGINT)
        ELSE CAST(trunc(epoch_us(CAST(x AS TIMESTAMPTZ)) / 1000000) AS BIGINT) END""",
    # Of two instants with one wall clock Spark takes the earlier one.
    "instant": """(z, w) AS CASE
        WHEN timezone(z, timezone(z, w) - INTERVAL 1 HOUR) = w THEN timezone(z, w) - INTERVAL 1 HOUR
        WHEN timezone(z, timezone(z, w) - INTERVAL 30 MINUTE) = w THEN timezone(z, w) - INTERVAL 30 MINUTE
        ELSE timezone(z, w) END""",
    "minus": f"""(a, b) AS CASE WHEN typeof(a) IN ('DATE', 'TIMESTAMP', 'TIMESTAMP WITH TIME ZONE')
            AND typeof(b) IN ('DATE', 'TIMESTAMP', 'TIMESTAMP WITH TIME ZONE')
        THEN {_error("the difference of two dates", "write datediff(end, start)")} ELSE a - b END""",
}

LISTS = {
    "size": "(x) AS CAST(array_length(x) AS INTEGER)",
    "get": """(x, k) AS CASE WHEN k >= 0 THEN x[k + 1] END""",
    "item": f"""(x, k) AS CASE WHEN starts_with(typeof(x), 'MAP')
        THEN {_error("a map's number key in brackets", "write element_at with a string key")}
        WHEN x IS NULL OR k IS NULL THEN NULL
        WHEN k < 0 OR k >= len(x) THEN error('[INVALID_ARRAY_INDEX] The index ' || k || ' is out of bounds')
        ELSE x[k + 1] END""",
    "element": f"""(x, k) AS CASE WHEN starts_with(typeof(x), 'MAP')
        THEN {_error("a map's number key in element_at", "use string keys")}
        WHEN x IS NULL OR k IS NULL THEN NULL
        WHEN k = 0 OR abs(k) > len(x)
            THEN error('[INVALID_ARRAY_INDEX] The index ' || k || ' is out of bounds')
        ELSE x[k] END""",
    "try_element": f"""(x, k) AS CASE WHEN starts_with(typeof(x), 'MAP')
        THEN {_error("a map's number key in try_element_at", "use string keys")} ELSE x[k] END""",
    "list_has": """(l, v) AS CASE WHEN v IS NULL THEN NULL WHEN list_contains(l, v) THEN true
        WHEN len(l) <> list_count(l) THEN NULL WHEN l IS NOT NULL THEN false END""",
    "distinct": "(l) AS list_filter(l, lambda kdl_e, kdl_i: list_position(l, kdl_e) = kdl_i)",
    "intersect": """(a, b) AS CASE WHEN b IS NOT NULL THEN
        list_filter(kdl_distinct(a), lambda kdl_e: list_position(b, kdl_e) IS NOT NULL) END""",
    "except": """(a, b) AS CASE WHEN b IS NOT NULL THEN
        list_filter(kdl_distinct(a), lambda kdl_e: list_position(b, kdl_e) IS NULL) END""",
    "union": "(a, b) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN kdl_distinct(a || b) END",
    "position": """(l, v) AS CASE WHEN l IS NOT NULL AND v IS NOT NULL
        THEN CAST(coalesce(list_position(l, v), 0) AS BIGINT) END""",
    "remove": """(l, v) AS CASE WHEN v IS NOT NULL THEN
        list_filter(l, lambda kdl_e: kdl_e IS DISTINCT FROM v) END""",
    "compact": "(l) AS list_filter(l, lambda kdl_e: kdl_e IS NOT NULL)",
    "repeat": "(v, n) AS list_transform(range(n), lambda kdl_e: v)",
    "slice": """(l, s, n) AS CASE
        WHEN s = 0 THEN error('[INVALID_PARAMETER_VALUE.START] slice starts at 1 or -1')
        WHEN s > 0 THEN l[s:s + n - 1]
        WHEN len(l) + s < 0 THEN l[1:0]
        ELSE l[len(l) + s + 1:len(l) + s + n] END""",
    "sequence": """(a, b) AS cast_to_type(CASE WHEN a <= b
        THEN generate_series(CAST(a AS BIGINT), CAST(b AS BIGINT))
        ELSE generate_series(CAST(a AS BIGINT), CAST(b AS BIGINT), -1) END, [a, b])""",
    "sequence_by": "(a, b, s) AS cast_to_type(generate_series(CAST(a AS BIGINT), CAST(b AS BIGINT), "
    "CAST(s AS BIGINT)), [a, b])",
    "join": f"""(l, d) AS CASE WHEN typeof(l) IN {_UNSPELT_LISTS}
        THEN {_error("joining doubles or timestamps to text", "cast them in transform(...) first")}
        ELSE array_to_string(l, d) END""",
    "join_nulls": f"""(l, d, n) AS CASE WHEN typeof(l) IN {_UNSPELT_LISTS}
        THEN {_error("joining doubles or timestamps to text", "cast them in transform(...) first")}
        ELSE array_to_string(list_transform(l, lambda kdl_e: coalesce(CAST(kdl_e AS VARCHAR), n)), d) END""",
    "any_true": """(t) AS CASE WHEN list_contains(t, true) THEN true WHEN len(t) <> list_count(t) THEN NULL
        WHEN t IS NOT NULL THEN false END""",
    "all_true": """(t) AS CASE WHEN list_contains(t, false) THEN false WHEN len(t) <> list_count(t) THEN NULL
        WHEN t IS NOT NULL THEN true END""",
    "overlap": """(a, b) AS CASE WHEN list_has_any(a, b) THEN true
        WHEN (len(a) <> list_count(a) OR len(b) <> list_count(b)) AND len(a) > 0 AND len(b) > 0 THEN NULL
        WHEN a IS NOT NULL AND b IS NOT NULL THEN false END""",
    "append": "(l, v) AS CASE WHEN l IS NOT NULL THEN list_append(l, v) END",
    "prepend": "(l, v) AS CASE WHEN l IS NOT NULL THEN list_prepend(v, l) END",
    "flatten": "(l) AS CASE WHEN len(l) = list_count(l) THEN flatten(l) END",
    "merge": """(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL
        WHEN list_has_any(map_keys(a), map_keys(b)) THEN error('[DUPLICATED_MAP_KEY] Duplicate map key')
        ELSE map_concat(a, b) END""",
    "has_key": "(m, k) AS list_contains(map_keys(m), k)",
    # The empty list keeps structs out, which UNNEST would spread over columns.
    "explodable": "(x) AS coalesce(x, [])",
    "outer": "(l) AS CASE WHEN l IS NULL OR len(l) = 0 THEN [NULL] ELSE l END",
}

MACROS: dict[str, str] = {**CASTS, **NUMBERS, **TEXTS, **TIMES, **LISTS}
_CALL = re.compile(r"\bkdl_([a-z_0-9]+)\(", re.IGNORECASE)


def needed(sql: str) -> set[str]:
    """Return the names of the macros that a statement calls."""
    return {name.lower() for name in _CALL.findall(sql)}


def statements(names: set[str], made: set[str]) -> list[str]:
    """Return the statements that make the named macros, and those they need, in order.

    Args:
        names: Macro names without their prefix.
        made: Names that exist; what is returned is added to it.
    """
    found: list[str] = []
    for name in sorted(names - made):
        made.add(name)
        found += statements(needed(MACROS[name]), made)
        found.append(f"CREATE OR REPLACE MACRO {PREFIX}{name}{MACROS[name]}")
    return found
