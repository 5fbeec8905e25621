from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree as ET
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from kindling_plugin_registry.site.writing import make_site

from kindling.errors import PluginError, UsageError

NAME = "kindling-plugin-sample"
LINK = re.compile(r'(?:href|src|action)="([^"]*)"')
MOST = 100_000


def tree(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314  # we wrote it a moment ago


def times(folder: Path) -> dict[str, int]:
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}


def test_every_link_leads_somewhere(full_stall: Any) -> None:
    files = set(times(full_stall.dist))
    for name in sorted(file for file in files if file.endswith(".html")):
        root = "/" if name != "404.html" else "/market/"
        text = full_stall.text(name)
        for place in {item.partition("#")[0] for item in LINK.findall(text)} - {""}:
            if urlsplit(place).scheme:
                assert "readme" in name or place.startswith("https://"), (name, place)
                continue
            assert unquote(urljoin(f"/{name}", place)).removeprefix(root) in files, (name, place)


def test_pages_are_small_and_load_nothing_from_elsewhere(full_stall: Any) -> None:
    for path in sorted(full_stall.dist.rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        assert len(text.partition('id="readme"')[0].encode()) <= MOST, path
        assert not re.search(r"""(?:src|<link[^>]*href)="(?:https?:)?//(?!plugins\.example)""", text), path
        assert "style=" not in text
        assert not re.search(r"<script(?! src=)", text), path


def test_only_what_changed_is_written(stall: Any) -> None:
    stall.fill(3)
    stall.fill_special()
    first = stall.make()
    assert first.is_searched_anew
    before = times(stall.dist)
    again = stall.make()
    assert (again.written, again.deleted, again.is_searched_anew) == ((), (), False)
    assert times(stall.dist) == before
    stall.add("kindling-plugin-thing1", "1.0.0", summary="Another thing.")
    changed = stall.make()
    assert changed.is_searched_anew
    assert [path for path in changed.written if path.startswith("plugin/")] == [
        "plugin/kindling-plugin-thing1.html"
    ]


def test_pages_of_what_is_gone_are_deleted(stall: Any) -> None:
    stall.fill(2)
    stall.make()
    for path in sorted(stall.source.plugin("kindling-plugin-thing1").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    stall.source.plugin("kindling-plugin-thing1").rmdir()
    assert "plugin/kindling-plugin-thing1.html" in stall.make().deleted
    assert not (stall.dist / "plugin/kindling-plugin-thing1.html").exists()
    assert not list(stall.dist.rglob("*thing1*.html"))


def test_a_list_of_files_from_elsewhere_deletes_nothing_outside(stall: Any) -> None:
    stall.fill(1)
    stall.make()
    victim = stall.dist.parent / "victim.html"
    victim.write_text("x")
    listing = json.loads(stall.text("site.json"))
    listing["files"] += ["../victim.html", str(victim), "simple/x/index.html", "targets/index.json"]
    (stall.dist / "site.json").write_text(json.dumps(listing))
    assert stall.make().deleted == ()
    assert victim.exists()


def test_feeds_and_sitemap_hold_whole_addresses(full_stall: Any) -> None:
    rss = tree(full_stall.text("feed.xml"))
    links = [item.text or "" for item in rss.iter("link")]
    assert links[0] == "https://plugins.example/market/"
    assert f"https://plugins.example/market/plugin/{NAME}.html" in links
    assert "25 Nov 2026 00:00:00 +0000" in full_stall.text("feed.xml")
    assert len(list(tree(full_stall.text("atom.xml")))) == 56
    places = [item.text or "" for item in tree(full_stall.text("sitemap.xml")).iter() if item.text]
    assert "https://plugins.example/market/plugins.2.html" in places
    assert not any("404" in place for place in places)


def test_without_an_address_there_are_no_feeds(stall: Any) -> None:
    stall.fill(1)
    stall.make("")
    assert not (stall.dist / "feed.xml").exists()
    assert "atom.xml" not in stall.text("index.html")


def test_a_plugin_page_has_what_its_documents_say(full_stall: Any) -> None:
    text = full_stall.text(f"plugin/{NAME}.html")
    sha = "ab" * 32
    for words in (
        f"kindling plugins install {NAME}",
        f"uv add {NAME}==1.0.0",
        f"pip install {NAME}==1.0.0",
        f"{NAME}==1.0.0 --hash=sha256:{sha}",
        "Yanked 2026-11-24: loses rows",
        "5 passed",
        "kernel 0.1.0, 2026-11-25",
        "Version 1.0.0 is affected by",
        '<a href="../plugin/kindling-plugin-user.html">kindling-plugin-user</a>',
        "Marigold tables.",
        "<code>folder</code>",
        f'<a href="../plugins/{NAME}.json">',
    ):
        assert words in text, words


def test_wheels_that_the_registry_keeps_are_installed_by_their_address(stall: Any) -> None:
    file = "kindling_plugin_sample-1.0.0-py3-none-any.whl"
    sha = sha256(b"x").hexdigest()
    stall.add(NAME, {"artifacts": [stall.samples.artifact(url=f"../wheels/{file}", sha256=sha, size=1)]})
    (stall.source.wheels).mkdir(exist_ok=True)
    (stall.source.wheels / file).write_bytes(b"x")
    stall.make()
    text = stall.text(f"plugin/{NAME}.html")
    assert f"{NAME} @ https://plugins.example/market/wheels/{file}#sha256={sha}" in text
    assert f'href="../wheels/{file}"' in text


def test_an_index_with_a_name_of_markup_is_refused(stall: Any) -> None:
    stall.fill(1)
    stall.make()
    path = stall.dist / "targets/index.json"
    path.write_text(path.read_text().replace('"kindling-plugin-thing0"', '"<script>x</script>"'))
    with pytest.raises(PluginError, match="KDL-REG-301") as caught:
        make_site(stall.dist)
    assert "'targets/index.json' of the index is missing or wrong" in str(caught.value)


def test_a_page_that_the_index_does_not_list_is_refused(stall: Any) -> None:
    stall.fill(1)
    stall.make()
    path = stall.dist / "plugins/kindling-plugin-thing0.json"
    content = path.read_text().replace("Thing number 0.", "Trust me.")
    path.unlink()
    path.write_text(content)
    with pytest.raises(PluginError) as caught:
        make_site(stall.dist)
    assert str(caught.value) == (
        "KDL-REG-301: no site can be made: 'plugins/kindling-plugin-thing0.json' of the index is missing or "
        "wrong\n  why: its SHA-256 is not the one that files.json lists\n"
        f"  where: {stall.dist}\n  do: kindling registry build"
    )


def test_a_missing_pagefind_is_told_with_its_install(stall: Any) -> None:
    stall.fill(1)
    with pytest.raises(UsageError) as caught:
        stall.make(pagefind=(sys.executable, "-S", "-m", "pagefind"))
    assert str(caught.value) == (
        "KDL-REG-302: the site's search cannot be made\n  why: Pagefind is not installed\n"
        "  do: pip install 'kindling-plugin-registry[site]'"
    )


def test_a_failing_pagefind_is_told_with_its_words(stall: Any) -> None:
    stall.fill(1)
    with pytest.raises(PluginError) as caught:
        stall.make(pagefind=(sys.executable, "-c", "raise SystemExit('disk full')"))
    assert str(caught.value) == (
        "KDL-REG-303: the site's search cannot be made\n"
        f"  why: Pagefind ended with exit code 1: disk full\n  where: {stall.dist}"
    )


def test_an_address_that_is_none_is_refused(stall: Any) -> None:
    stall.fill(1)
    with pytest.raises(UsageError) as caught:
        stall.make("javascript:x")
    assert str(caught.value) == (
        "KDL-REG-304: the site's address 'javascript:x' cannot be used\n"
        "  why: it is not of the form https://host/folder/\n"
        "  do: --url https://host/folder/, or mend url in registry.toml"
    )
