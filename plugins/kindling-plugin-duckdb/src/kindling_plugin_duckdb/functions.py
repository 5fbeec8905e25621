"""Which of Spark's functions are portable, and what each becomes: tables by Spark name, no engine.

What stands in none of the tables is refused: a function that nobody has compared may be wrong silently.
Source: Spark 4.2 SQL reference, "Built-in Functions"; DuckDB 2.0 documentation, "Functions".
"""

from __future__ import annotations

SAME = frozenset(
    """
    abs bit_length cbrt coalesce contains cos cosh degrees exp greatest least lower md5 nullif pi power
    radians repeat sha1 sin sinh tan tanh translate upper
    map_keys map_values map_entries atan2
    """.split()  # noqa: SIM905  # a table reads better without quotes
)
"""DuckDB functions of the same name (or the name that `RENAMED` gives) and the same meaning."""

RENAMED = {
    "lcase": "lower",
    "ucase": "upper",
    "pow": "power",
    "sha": "sha1",
    "nvl": "coalesce",
    "ifnull": "coalesce",
    "startswith": "starts_with",
    "endswith": "ends_with",
    "unbase64": "from_base64",
    "unhex": "unhex",
    "array_max": "list_max",
    "array_min": "list_min",
    "regexp_like": "regexp_matches",
    "regexp": "regexp_matches",
    "rlike": "regexp_matches",
    "map_from_arrays": "map",
    "atan": "atan",
    "raise_error": "error",
    "hex": "hex",
    "trim": "trim",
    "ltrim": "ltrim",
    "rtrim": "rtrim",
    "btrim": "trim",
    "array": "list_value",
}
"""DuckDB's name of a function that means the same."""

INTEGERS = {
    "length": "length",
    "char_length": "length",
    "character_length": "length",
    "len": "length",
    "bit_length": "bit_length",
    "ascii": "ascii",
    "levenshtein": "levenshtein",
}
"""Functions that are `int` in Spark and `bigint` in DuckDB."""

EXTRACT_ONLY = frozenset({"doy", "week"})
"""Fields of `extract` that are no functions."""

DATE_PARTS = {
    "year": "year",
    "month": "month",
    "day": "day",
    "dayofmonth": "day",
    "dayofyear": "dayofyear",
    "doy": "dayofyear",
    "week": "weekofyear",
    "weekofyear": "weekofyear",
    "quarter": "quarter",
    "hour": "hour",
    "minute": "minute",
    "second": "second",
}
"""Parts of a date or an instant: `int` in Spark."""

MACRO_CALLS: dict[str, dict[int, str]] = {
    "substring": {2: "substring_from", 3: "substring"},
    "substr": {2: "substring_from", 3: "substring"},
    "left": {2: "left"},
    "right": {2: "right"},
    "initcap": {1: "initcap"},
    "split_part": {3: "split_part"},
    "array_append": {2: "append"},
    "array_prepend": {2: "prepend"},
    "flatten": {1: "flatten"},
    "map_concat": {2: "merge"},
    "substring_index": {3: "substring_index"},
    "pmod": {2: "pmod"},
    "mod": {2: "mod"},
    "try_divide": {2: "try_divide"},
    "ceil": {1: "ceil"},
    "ceiling": {1: "ceil"},
    "floor": {1: "floor"},
    "sqrt": {1: "sqrt"},
    "ln": {1: "ln"},
    "log": {1: "ln", 2: "log"},
    "log10": {1: "log10"},
    "log2": {1: "log2"},
    "sign": {1: "sign"},
    "signum": {1: "sign"},
    "isnan": {1: "isnan"},
    "nanvl": {2: "nanvl"},
    "add_months": {2: "months"},
    "size": {1: "size"},
    "cardinality": {1: "size"},
    "array_size": {1: "size"},
    "get": {2: "get"},
    "array_contains": {2: "list_has"},
    "array_distinct": {1: "distinct"},
    "array_intersect": {2: "intersect"},
    "array_except": {2: "except"},
    "array_union": {2: "union"},
    "array_position": {2: "position"},
    "array_remove": {2: "remove"},
    "array_compact": {1: "compact"},
    "array_repeat": {2: "repeat"},
    "array_join": {2: "join", 3: "join_nulls"},
    "slice": {3: "slice"},
    "sequence": {2: "sequence", 3: "sequence_by"},
    "map_contains_key": {2: "has_key"},
    "timestamp_seconds": {1: "to_timestamp"},
    "unix_seconds": {1: "seconds"},
    "octet_length": {1: "octets"},
    "chr": {1: "chr"},
    "char": {1: "chr"},
    "arrays_overlap": {2: "overlap"},
    "locate": {2: "locate", 3: "locate_from"},
}
"""Functions that are a macro of `macros.MACROS`, by number of arguments."""

AGGREGATES = {
    "sum": "sum",
    "avg": "avg",
    "mean": "avg",
    "min": "min",
    "max": "max",
    "count": "count",
    "count_if": "count_if",
    "stddev": "stddev_samp",
    "std": "stddev_samp",
    "stddev_samp": "stddev_samp",
    "stddev_pop": "stddev_pop",
    "variance": "var_samp",
    "var_samp": "var_samp",
    "var_pop": "var_pop",
    "corr": "corr",
    "covar_pop": "covar_pop",
    "covar_samp": "covar_samp",
    "kurtosis": "kurtosis_pop",
    "first": "first",
    "first_value": "first",
    "last": "last",
    "last_value": "last",
    "any_value": "first",
    "collect_list": "list",
    "array_agg": "list",
    "collect_set": "list",
    "percentile": "quantile_cont",
    "median": "quantile_cont",
    "percentile_approx": "quantile_disc",
    "approx_percentile": "quantile_disc",
    "mode": "mode",
    "approx_count_distinct": "approx_count_distinct",
    "max_by": "arg_max_null",
    "min_by": "arg_min_null",
    "bool_and": "bool_and",
    "every": "bool_and",
    "bool_or": "bool_or",
    "some": "bool_or",
    "any": "bool_or",
    "bit_and": "bit_and",
    "bit_or": "bit_or",
    "bit_xor": "bit_xor",
    "grouping": "grouping",
}
"""Aggregate functions; `calls.aggregate` handles their arguments."""

WINDOW_ONLY = {
    "row_number": "row_number",
    "rank": "rank",
    "dense_rank": "dense_rank",
    "ntile": "ntile",
    "percent_rank": "percent_rank",
    "cume_dist": "cume_dist",
    "lag": "lag",
    "lead": "lead",
    "nth_value": "nth_value",
}
WINDOW_INTEGERS = frozenset({"row_number", "rank", "dense_rank", "ntile"})

CAST_CALLS = {
    "int": "int",
    "bigint": "bigint",
    "smallint": "smallint",
    "tinyint": "tinyint",
    "double": "double",
    "float": "float",
    "string": "string",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
    "binary": "binary",
}
"""Types that are also called like a function: `int(x)`."""

HINTS = {
    "pivot": "write one aggregate per value: sum(CASE WHEN c = 'v' THEN x END) AS v",
    "skewness": "compute it from avg and stddev_pop",
    "bround": "use round: halves away from zero",
    "xxhash64": "use sha2(x, 256) or md5(x)",
    "hash": "use sha2(x, 256) or md5(x)",
    "crc32": "use sha2(x, 256) or md5(x)",
    "monotonically_increasing_id": "use row_number() over an order",
    "months_between": "use datediff",
    "typeof": "declare the entity's schema instead",
    "from_json": "use get_json_object(text, '$.path') and cast",
    "to_json": "write the text where it is needed, outside of the pipe",
    "posexplode": "explode sequence(0, size(xs) - 1) and index",
    "inline": "explode, then take the fields",
    "stack": "use UNION ALL",
    "format_number": "keep numbers; format them where they are shown",
    "input_file_name": "declare the file name as a column of the source",
    "regexp_extract_all": "use split or regexp_extract with a group",
    "string_agg": "use array_join(sort_array(collect_list(x)), ',')",
    "listagg": "use array_join(sort_array(collect_list(x)), ',')",
    "trunc": "write trunc(date, 'month') with a literal unit",
    "try_add": "cast to a wider type first",
}
"""What to write instead of a refused function, where there is one good answer."""

_BUILT = """
    concat concat_ws locate position instr split regexp_replace regexp_extract sha2 encode decode base64
    get_json_object date_format to_date to_timestamp try_to_timestamp unix_timestamp from_unixtime
    date_trunc trunc date_add date_sub datediff date_diff dayofweek weekday last_day make_date
    current_date curdate current_timestamp now extract date_part datepart from_utc_timestamp
    to_utc_timestamp round replace element_at try_element_at sort_array array_sort array_append
    array_prepend transform filter exists forall bit_count negative positive aggregate reduce
    map struct named_struct explode explode_outer if nvl2 isnull isnotnull equal_null uuid rand lpad
    rpad reverse cast try_cast unix_millis e
    """.split()  # noqa: SIM905  # a table reads better without quotes
PORTABLE = frozenset(
    {*SAME, *RENAMED, *INTEGERS, *DATE_PARTS, *MACRO_CALLS, *AGGREGATES, *WINDOW_ONLY, *CAST_CALLS, *_BUILT}
    - EXTRACT_ONLY
)
"""Every name that is portable, for "did you mean"."""
