"""Kindling platform `sail`: Spark semantics without a JVM, on an embedded engine in a subprocess.

Not honoured by the engine: integer arithmetic that overflows wraps silently (Sail 0.7.2), whatever
`spark.sql.ansi.enabled` says; casts do fail. See "Limits" in the README.
"""

from __future__ import annotations

__version__ = "0.1.0"
