"""The copy of an index is searched in halves: every name is found, and no other."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st
from kindling_plugin_registry.client.copies import FIELDS, LINES, Copy
from kindling_plugin_registry.client.registries import Registry

NAMES = st.from_regex(r"[a-z0-9]{1,3}(-[a-z0-9]{1,2}){0,2}", fullmatch=True)


@given(names=st.sets(NAMES, max_size=30), others=st.lists(NAMES, max_size=10))
def test_every_name_is_found_and_no_other(names: set[str], others: list[str]) -> None:
    rest = "\t".join("x" * (len(FIELDS) - 1))
    text = "\n" + "".join(f"{name}\t{rest}\n" for name in sorted(names))
    digest = sha256(text.encode()).hexdigest()
    with TemporaryDirectory() as folder:
        Path(folder, digest).write_text(text)
        registry = Registry("test", "x/", 0, "", "", (), folder)
        copy = Copy(registry, {"files": {LINES: [digest, len(text)]}})
        for name in [*names, *others]:
            found = copy.find(name)
            assert (found.name if found else None) == (name if name in names else None)
        assert [line.name for line in copy.all()] == sorted(names)
