"""The registry's client beside bare Python, its site for each page, and peers where they do the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from commands import KINDLING, PYTHON, clean_environment, in_turns, run
from environments import QUIET, programs, versions
from figures import Row, both_ratios, spread
from places import PROBES, Scratch
from rows.starts import starter

if TYPE_CHECKING:
    from pathlib import Path

    from figures import Figure

PLUGINS, FEW, RELEASES, WANTED = 10_000, 200, 10, 20
PAGES, FEW_PAGES, TIMES = 250, 25, 4
SEARCH_BUDGET, RESOLVE_BUDGET, VERIFY_BUDGET, PAGE_KB = 8.0, 20.0, 20.0, 100.0
PROBE = str(PROBES / "registry_probe.py")
SETTINGS = """app = "app:app"
[plugins.policy]
require_level = "listed"
cooldown_days = 0
[plugins.registry.synthetic]
url = "{folder}/registry/dist"
root = "{folder}/registry/keys/1.root.json"
"""
SITE_CONFIG = "site_name: s\ntheme: material\nplugins: [search, awesome-pages, redirects]\n"
CATALOG = (
    "projects:\n- {name: mkdocs-material, mkdocs_theme: material, pypi_id: mkdocs-material}\n"
    + "".join(
        f"- name: {name}\n  mkdocs_plugin: {plugin}\n  pypi_id: {name}\n  category: other\n"
        for name, plugin in (
            ("mkdocs-awesome-pages-plugin", "awesome-pages"),
            ("mkdocs-redirects", "redirects"),
        )
    )
)


def market(scratch: Scratch, rounds: int) -> Row:
    """Measure search, resolve and verify on a large index; all copies are there."""
    folder, project = scratch.folder("market"), scratch.folder("market-project")
    env = clean_environment(XDG_CACHE_HOME=str(scratch.path / "market-cache"))
    plugins = PLUGINS if scratch.is_full else FEW
    run([PYTHON, PROBE, "make", str(folder), str(plugins), str(RELEASES)], folder, env)
    (project / "kindling.toml").write_text(SETTINGS.format(folder=folder))
    (project / "app.py").write_text("import kindling as k\n\napp = k.App('app')\n")
    step = plugins // WANTED
    wanted = [f"storage:p{number:05d}" for number in range(0, plugins, step)][:WANTED]
    verify = [KINDLING, "plugins", "search", "p00007", "--refresh"]
    run(verify, project, env)
    sides = {
        "bare": starter([PYTHON, "-c", "pass"], project, env),
        "tuf": starter([PYTHON, "-c", "import tuf.ngclient"], project, env),
        "word": starter([KINDLING, "plugins", "search", "p00007"], project, env),
        "words": starter([KINDLING, "plugins", "search", "synthetic", "tables", "p0001"], project, env),
        "all": starter([KINDLING, "plugins", "search", "synthetic"], project, env),
        "resolve": starter([KINDLING, "plugins", "resolve", *wanted], project, env),
        "verify": starter(verify, project, env),
    }
    found = in_turns(rounds, sides, warm=1)
    return Row(
        "market",
        f"the client on an index of {PLUGINS} plugins, {RELEASES} releases each, to bare `python -c pass`",
        (
            *both_ratios("search for one name", found["word"], found["bare"], budget=SEARCH_BUDGET),
            *both_ratios("search for three words", found["words"], found["bare"], budget=SEARCH_BUDGET),
            *both_ratios(
                "search for a word that all have", found["all"], found["bare"], budget=SEARCH_BUDGET
            ),
            *both_ratios(
                f"resolve {WANTED} capabilities", found["resolve"], found["bare"], budget=RESOLVE_BUDGET
            ),
            *both_ratios(
                "search --refresh, which verifies, to importing tuf",
                found["verify"],
                found["tuf"],
                budget=VERIFY_BUDGET,
            ),
        ),
        (f"{plugins} plugins in the index; its copy, and the pages that resolve reads, are on this machine",),
    )


def site(scratch: Scratch, rounds: int) -> Row:
    """Measure what the site costs for each plugin, small and large."""
    folder, env = scratch.folder("site"), clean_environment()
    count = PAGES if scratch.is_full else FEW_PAGES
    few, many, kilobytes = [], [], []
    for number in range(rounds):
        for target, plugins in ((few, count), (many, TIMES * count)):
            place = folder / f"{number}-{plugins}"
            place.mkdir()
            told = json.loads(run([PYTHON, PROBE, "site", str(place), str(plugins)], folder, env)[1])
            target.append(told["seconds"] * 1000 / plugins)
            kilobytes.append(told["bytes"] / 1000)
    return Row(
        "site",
        f"the registry's site, from an index of {TIMES * PAGES} plugins",
        (
            spread("for each plugin", many, "ms"),
            spread(f"the same to {TIMES} times fewer plugins", _pairs(many, few), "x", budget=1.2),
            spread("the largest plugin page before its README", kilobytes, "kB", budget=PAGE_KB),
        ),
        (f"{TIMES * count} plugins; the search's files are part of it",),
    )


def _pairs(ours: list[float], theirs: list[float]) -> list[float]:
    return [one / two for one, two in zip(ours, theirs, strict=True)]


def market_peers(scratch: Scratch, rounds: int) -> Row:
    """Measure what others do, too: list what is installed, and tell what a project needs."""
    project = scratch.project("chain", "market-peers")
    docs = scratch.folder("market-docs")
    (docs / "mkdocs.yml").write_text(SITE_CONFIG)
    (docs / "catalog.yaml").write_text(CATALOG)
    env = clean_environment(
        XDG_CACHE_HOME=str(scratch.path / "market-cache"), LLM_USER_PATH=str(docs), **QUIET
    )
    deps = [_program("mkdocs", "mkdocs"), "get-deps", "-f", "mkdocs.yml", "-p", "catalog.yaml"]
    sides = {
        "list": starter([KINDLING, "plugins", "list"], project, env),
        "llm": starter([_program("llm", "llm"), "plugins"], docs, env),
        "datasette": starter([_program("datasette", "datasette"), "plugins"], docs, env),
        "need": starter([KINDLING, "plugins", "need"], project, env),
        "mkdocs": starter(deps, docs, env),
    }
    found = in_turns(rounds, sides, warm=1)
    figures: list[Figure] = []
    for ours, theirs, name in (
        ("list", "llm", "`plugins list` to `llm plugins`"),
        ("list", "datasette", "`plugins list` to `datasette plugins`"),
        ("need", "mkdocs", "`plugins need` to `mkdocs get-deps`"),
    ):
        figures += both_ratios(name, found[ours], found[theirs])
    return Row(
        "market-peers",
        "what peers do, too: list installed plugins; tell what a project needs",
        tuple(figures),
        (
            ", ".join(versions(name) for name in ("llm", "datasette", "mkdocs")),
            "`mkdocs get-deps` reads a catalogue of two projects from a file; its own one is fetched",
            "none of them searches, resolves or verifies offline; meltano, whose hub is online, is left out",
        ),
    )


def _program(environment: str, name: str) -> str:
    path: Path = programs(environment) / name
    return str(path)
