"""The page that lists all error codes; a code's own page is the one that `kindling explain` shows."""

from __future__ import annotations

from itertools import groupby

from paths import start

from kindling.cli import pages

AREAS = {
    "CONF": "Settings and secrets",
    "DECL": "Declarations",
    "EXP": "Expectations",
    "GOV": "Classes, masks and rights",
    "INFRA": "Engines, stores and leases that were lost",
    "LINE": "Lineage",
    "PLAN": "Plans",
    "PLUG": "Plugins",
    "POL": "Policies, owners and locks",
    "PORT": "Portability between platforms",
    "REG": "Registries",
    "RUN": "Tasks and runs",
    "STATE": "State",
    "STORE": "Storages",
    "TEST": "Tests",
    "TIME": "Time limits",
    "USE": "Commands and calls",
}
"""Titles by the middle part of a code; an area without a title is an error of the build."""


def codes() -> list[str]:
    """Return all error codes."""
    return pages.codes()


def above(source: str) -> str:
    """Return the line that stands above a code's page: its area, and the way to the others."""
    area = source.rpartition("/")[2].split("-")[1]
    return f"*{AREAS[area]}* · [all codes](index.md)"


def overview() -> str:
    """Return the page that lists all codes by area."""
    lines = start("errors")
    for area, members in groupby(codes(), key=lambda code: code.split("-")[1]):
        rows = [f"| [{code}]({code}.md) | {pages.title(code)} |" for code in members]
        lines += ["", f"## {AREAS[area]}", "", "| code | what it says |", "|---|---|", *rows]
    return "\n".join([*lines, ""])
