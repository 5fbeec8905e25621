from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from kindling_plugin_files import manifest, probe
from kindling_plugin_files.places import FileEntry

from kindling.addresses import Address

ENTRIES = st.lists(
    st.tuples(st.text(max_size=5), st.integers(0, 99), st.text("0123456789", max_size=3)), max_size=4
)


def address(uri: object, storage: str = "csv") -> Address:
    return Address(storage, "", ("bronze", "x"), str(uri))


def test_a_missing_source_has_no_version(tmp_path: Path) -> None:
    assert probe.version(address(tmp_path / "a.csv")) is None
    assert probe.version(address(tmp_path / "*.csv")) is None
    assert probe.version(address(tmp_path)) is None
    assert probe.cursor(address(tmp_path), "kindling") is None


def test_the_version_changes_with_names_sizes_and_times_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")
    seen = [probe.version(address(tmp_path))]
    assert probe.version(address(tmp_path)) == seen[0]
    path.write_text("a\n10\n")
    seen.append(probe.version(address(tmp_path)))
    os.utime(path, ns=(5, 5))
    seen.append(probe.version(address(tmp_path)))
    (tmp_path / "b.csv").write_text("")
    seen.append(probe.version(address(tmp_path)))
    assert len(set(seen)) == 4
    (tmp_path / "notes.md").write_text("not a CSV file")
    assert probe.version(address(tmp_path)) == seen[-1]


def test_a_folder_has_one_version_however_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n1\n")
    expected = probe.version(address(tmp_path))
    for uri in (f"{tmp_path}/", f"file://{tmp_path}", f"{tmp_path}/*.csv", f"{tmp_path}/a.csv"):
        assert probe.version(address(uri)) == expected


@given(ENTRIES, ENTRIES)
def test_different_files_have_different_versions(one: list[Any], other: list[Any]) -> None:
    tokens = [
        manifest.source_token([FileEntry(name, name, size, stamp) for name, size, stamp in entries])
        for entries in (one, other)
    ]
    assert (tokens[0] == tokens[1]) == (one == other)


def test_the_probe_equals_the_store(files: Any, tmp_path: Path) -> None:
    store = files.store("csv", tmp_path / "out")
    files.write(store, {"a": [1]})
    assert probe.version(address(tmp_path / "out")) == store.version()
    (tmp_path / "in.csv").write_text("a\n1\n")
    assert probe.version(address(tmp_path / "in.csv")) == files.store("csv", tmp_path / "in.csv").version()


def test_probing_imports_no_engine_no_pyarrow_and_no_fsspec(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n1\n")
    code = (
        "import sys\n"
        "from kindling.addresses import Address\n"
        "from kindling_plugin_files import probe\n"
        f"assert probe.version(Address('csv', '', ('x',), {str(tmp_path / '*.csv')!r}))\n"
        "heavy = {'pyarrow', 'fsspec', 'pathlib', 'typing', 'dataclasses', 'inspect', 'logging', 'pluggy'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-S", "-c", path_code() + code], capture_output=True, text=True, check=True
    )
    assert ended.stdout == "[]\n"


def path_code() -> str:
    """Without site, whose .pth files of editable installs import pathlib."""
    import kindling_plugin_files

    import kindling

    roots = [str(Path(str(module.__file__)).parents[1]) for module in (kindling, kindling_plugin_files)]
    return f"import sys; sys.path += {roots!r}\n"
