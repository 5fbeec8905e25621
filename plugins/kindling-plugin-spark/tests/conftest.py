from __future__ import annotations

from importlib.util import find_spec

# pyspark and pyspark-client exclude one another, so these tests have a tox environment of their own.
collect_ignore_glob = [] if find_spec("kindling_plugin_spark") else ["test_*.py"]
