from __future__ import annotations

from pathlib import Path

import pytest
from kindling_plugin_spark.environment import check, java, versions

from kindling.errors import PluginError


def test_versions_stand_in_the_names_of_the_dist_info_folders(tmp_path: Path) -> None:
    for name in ("pyspark-4.2.0", "pyspark_client-4.2.1", "pyspark_extra-1.0"):
        (tmp_path / f"{name}.dist-info").mkdir()
    assert versions(tmp_path) == {"pyspark": "4.2.0", "pyspark-client": "4.2.1"}


def test_java_is_looked_for_at_home_first(tmp_path: Path) -> None:
    binary = tmp_path / "bin" / "java"
    binary.parent.mkdir()
    binary.touch(0o755)
    assert java({"JAVA_HOME": str(tmp_path)}) == str(binary)
    assert java({"PATH": str(binary.parent)}) == str(binary)
    assert java({"JAVA_HOME": "/no/such", "PATH": str(binary.parent)}) is None


def test_what_fits_passes() -> None:
    check({"pyspark": "4.2.0"}, "/usr/bin/java")


@pytest.mark.parametrize(
    ("found", "runtime", "lines"),
    [
        (
            {"pyspark": "4.2.0", "pyspark-client": "4.2.0"},
            "java",
            [
                "KDL-INFRA-310: the platform 'spark' cannot work beside pyspark-client",
                "  why: it owns the same files as pyspark, without the JVM's jars",
                "  do: pip uninstall -y pyspark pyspark-client && pip install 'pyspark>=4.2,<4.3'",
            ],
        ),
        (
            {"pyspark": "4.3.0"},
            "java",
            [
                "KDL-INFRA-311: the platform 'spark' does not work with pyspark 4.3.0",
                "  why: it was tested with 4.2.x",
                "  do: pip install 'pyspark>=4.2,<4.3'",
            ],
        ),
        (
            {"pyspark": "4.2.0"},
            None,
            [
                "KDL-INFRA-312: the platform 'spark' finds no Java runtime",
                "  why: there is no `java` in JAVA_HOME or on the PATH",
                "  do: install a Java 17 or 21 runtime, or set JAVA_HOME",
            ],
        ),
    ],
)
def test_what_does_not_fit_is_refused(found: dict[str, str], runtime: str | None, lines: list[str]) -> None:
    with pytest.raises(PluginError) as caught:
        check(found, runtime)
    assert str(caught.value).splitlines() == lines
