"""Governed runs, masked by key and with lineage on, beside the same app without and with masks by hand."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from commands import clean_environment, in_turns
from figures import Row, both_ratios
from places import Scratch
from rows.runs import check_equal, kindling

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from figures import Figure

BUDGET = 1.10
KEY = "a key of 32 bytes or more, for benchmarks"
NAMES = {"customers": {"name": "pii.name"}}
EACH_ORDER = {
    "orders": {"customer_id": "pii.id"},
    "customers": {"customer_id": "pii.id", "name": "pii.name"},
}
RULES = """
run.trace = true
[policy.masks.people]
class = "pii.*"
mask = "keyed_hash"
key = "secret://env/BENCH_MASK_KEY"
entities = ["m.clean_*"]
"""
GOLD = ("daily", "country", "product", "segment")


def governed(scratch: Scratch, rounds: int) -> Row:
    """Measure the medallion on both engines: names of customers masked, and the customer of each order."""
    orders = scratch.orders()
    figures: list[Figure] = []
    for platform in ("sail", "duckdb"):
        base = {"KINDLING_PLATFORM__DEFAULT": platform, "BENCH_ORDERS": str(orders), "BENCH_MASK_KEY": KEY}
        cases: dict[str, tuple[Path, Mapping[str, str]]] = {
            "plain": (scratch.project("medallion", f"governed-plain-{platform}"), {}),
            "names": (_ruled(scratch, f"governed-names-{platform}"), _classes(NAMES)),
            "each": (_ruled(scratch, f"governed-each-{platform}"), _classes(EACH_ORDER)),
            "hand": (_by_hand(scratch, f"governed-hand-{platform}"), {}),
        }
        sides = {
            name: kindling(project, clean_environment(**base, **more), 1)
            for name, (project, more) in cases.items()
        }
        found = in_turns(rounds, sides)
        lakes = {name: project / "lake" / "dev" for name, (project, _) in cases.items()}
        for name in ("names", "each", "hand"):
            check_equal(lakes[name], lakes["plain"] / "m", {f"m.gold_{one}": f"gold_{one}" for one in GOLD})
        figures += both_ratios(f"{platform}, names", found["names"], found["plain"], budget=BUDGET)
        figures += both_ratios(
            f"{platform}, each order's customer, to masks by hand",
            found["each"],
            found["hand"],
            budget=BUDGET,
        )
        figures += both_ratios(f"{platform}, each order's customer", found["each"], found["plain"])
    return Row(
        "governed",
        f"medallion over {scratch.rows:,} rows, masked by `keyed_hash` and traced, to the same ungoverned",
        tuple(figures),
        (
            "names: the names of 51,000 customers are masked where bronze is read",
            "each order's customer: the key of the joins as well, a number that becomes 64 letters",
            "masks by hand: the same HMAC-SHA256 in the text of the queries, with the key in it, untraced",
        ),
    )


def _classes(classes: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {"BENCH_CLASSES": json.dumps(classes)}


def _ruled(scratch: Scratch, name: str) -> Path:
    project = scratch.project("medallion", name)
    with (project / "kindling.toml").open("a", encoding="utf-8") as file:
        file.write(RULES)
    return project


def _by_hand(scratch: Scratch, name: str) -> Path:
    """Return a project whose queries mask what the rules of `EACH_ORDER` mask."""
    project = scratch.project("medallion", name)
    place = project / "queries.json"
    queries = json.loads(place.read_text(encoding="utf-8"))
    for pipe, columns in (("clean_orders", ("customer_id",)), ("clean_customers", ("customer_id", "name"))):
        query = queries["pipes"][pipe]
        for column in columns:
            raw = f"trim({column}) AS {column}" if column == "name" else f"{column},"
            masked = (
                f"trim({_hmac(column)}) AS {column}" if column == "name" else f"{_hmac(column)} AS {column},"
            )
            query["sql"] = query["sql"].replace(raw, masked, 1)
    place.write_text(json.dumps(queries), encoding="utf-8")
    return project


def _hmac(column: str) -> str:
    key = KEY.encode()
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")  # noqa: PLR2004  # RFC 2104
    inner, outer = (bytes(byte ^ pad for byte in block).hex() for pad in (0x36, 0x5C))
    value = f"encode(CAST({column} AS STRING), 'utf-8')"
    return f"sha2(concat(unhex('{outer}'), unhex(sha2(concat(unhex('{inner}'), {value}), 256))), 256)"
