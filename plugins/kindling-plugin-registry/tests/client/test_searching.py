"""`kindling plugins search`, and the copies that it reads."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Bench, Servers, Shelf


def _filled(shelf: Shelf) -> None:
    shelf.add("kindling-plugin-delta", capabilities={"storage:delta": {"features": ["reads"]}})
    shelf.add("kindling-plugin-lake", capabilities={"storage:lake": {}}, record={"keywords": ["delta"]})
    shelf.add("kindling-plugin-vault", capabilities={"secrets:vault": {}}, level="listed")
    shelf.publish()


def test_search_finds_by_name_keyword_kind_and_level(shelf: Shelf, bench: Bench) -> None:
    _filled(shelf)
    bench.configure(shelf.settings())
    found = bench.plugins("search", "delta", "--json").plain()
    assert [(row["registry"], row["name"], row["level"]) for row in found["plugins"]] == [  # type: ignore[attr-defined, index]
        ("test", "kindling-plugin-delta", "conformant"),
        ("test", "kindling-plugin-lake", "conformant"),
    ]
    by_kind = bench.plugins("search", "--kind", "secrets", "--json").plain()
    assert [row["name"] for row in by_kind["plugins"]] == ["kindling-plugin-vault"]  # type: ignore[attr-defined, index]
    assert "0 found" in bench.plugins("search", "--kind", "secrets", "--level", "loadable").out
    table = bench.plugins("search", "vault").out
    assert table.startswith("plugin ")
    assert "1 found; index: test " in table


def test_an_unchanged_index_over_http_is_answered_by_304(
    shelf: Shelf, bench: Bench, servers: Servers
) -> None:
    _filled(shelf)
    served = servers.serve(shelf.dist)
    bench.configure(shelf.settings(url=served.url))
    assert bench.plugins("search", "delta").code == 0
    first = len(served.asked)
    assert bench.plugins("search", "delta").code == 0
    assert len(served.asked) == first, "the copy was read"
    assert bench.plugins("search", "delta", "--refresh").code == 0
    assert served.asked[first:] == [("/metadata/timestamp.json", "304")]


def test_without_a_registry_the_error_says_what_to_add(bench: Bench) -> None:
    done = bench.plugins("search", "delta")
    assert done.code == 2
    assert done.err == (
        "KDL-REG-101: no registry is configured\n"
        "  why: [plugins.registry] names none\n"
        f"  where: {bench.folder}/kindling.toml\n"
        '  do: add [plugins.registry.NAME] with url = "https://..." and root = "root.json"\n'
    )


def test_an_expired_index_is_refused(shelf: Shelf, bench: Bench) -> None:
    _filled(shelf)
    bench.configure(shelf.settings())
    assert bench.plugins("search", "delta").code == 0
    current = next((bench.home / "cache/kindling/registry").glob("test-*/current.json"))
    facts = json.loads(current.read_text())
    current.write_text(json.dumps({**facts, "expires": "2026-01-01T00:00:00Z"}))
    done = bench.plugins("search", "delta")
    assert done.code == 5
    assert "KDL-REG-104: the index of the registry 'test' has expired" in done.err
    shelf.publish(datetime.now(timezone.utc) - timedelta(days=200))
    fresh = bench.plugins("search", "delta", "--refresh")
    assert fresh.code == 5
    assert "KDL-REG-030" in fresh.err


IMPORTS = """
import sys
sys.argv = ["kindling", "plugins", "search", "delta"]
from kindling.__main__ import main

try:
    main()
except SystemExit:
    print(sorted({"click", "pluggy", "msgspec", "tuf", "datetime", "packaging"}.intersection(sys.modules)))
"""


def test_a_warm_search_imports_neither_click_nor_what_verifies(shelf: Shelf, bench: Bench) -> None:
    _filled(shelf)
    bench.configure(shelf.settings())
    first = bench.plugins("search", "delta", "--level", "conformant", "--kind", "storage")
    for _ in range(2):  # the first fills the catalog's cache, which depends on how Python was started
        done = subprocess.run(
            [bench.python, "-c", IMPORTS],
            cwd=bench.folder,
            env=bench.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stdout.endswith("\n[]\n"), done
    assert done.stdout.splitlines()[:3] == first.out.splitlines()[:3], (
        "the same words as the ordinary command"
    )
