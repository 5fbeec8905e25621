"""The methods of PySpark's frames that are refused on DuckDB: name -> (why, what to do instead)."""

from __future__ import annotations

REFUSED_METHODS = {
    "show": ("it prints inside of a pipe", "use `kindling show ENTITY`"),
    "write": ("a pipe returns its frame; the kernel writes it", "return the frame"),
    "writeTo": ("a pipe returns its frame; the kernel writes it", "return the frame"),
    "explain": ("it prints inside of a pipe", "leave it out"),
    "toPandas": ("a pipe stays on the engine", "return the frame, or use collect()"),
    "createOrReplaceTempView": ("a session's views belong to the kernel", "pass the frame on"),
    "createTempView": ("a session's views belong to the kernel", "pass the frame on"),
    "createGlobalTempView": ("a session's views belong to the kernel", "pass the frame on"),
    "sparkSession": ("a pipe has no session", "declare the input, or use context.frame(...)"),
    "replace": ("it treats types differently on each engine", "use F.when(...).otherwise(...)"),
    "stat": ("it computes at once, and differently on each engine", "use aggregate functions"),
    "approxQuantile": ("it computes at once", "use F.percentile_approx"),
    "corr": ("it computes at once", "use F.corr in agg"),
    "cov": ("it computes at once", "use F.covar_samp in agg"),
    "crosstab": ("it names its columns differently", "group by both columns"),
    "sample": ("each engine draws other rows", "filter by a hash of a key"),
    "randomSplit": ("each engine draws other rows", "filter by a hash of a key"),
    "mapInPandas": ("there are no Python workers on duckdb", "use functions of F"),
    "mapInArrow": ("there are no Python workers on duckdb", "use functions of F"),
    "rdd": ("there are no RDDs on duckdb", "use functions of F"),
    "observe": ("it is not offered on duckdb", "declare expectations"),
    "withWatermark": ("there are no streams on duckdb", "leave it out"),
    "sql": ("the SQL of a frame is another one on each engine", "leave it out"),
    "lineage": ("it is the kernel's task", "use `kindling lineage`"),
    "checkpoint": ("it computes at once", "leave it out"),
    "localCheckpoint": ("it computes at once", "leave it out"),
    "foreach": ("there are no Python workers on duckdb", "use functions of F"),
    "toLocalIterator": ("it streams rows into Python", "use collect()"),
}
