"""What is wrong with the installed plugins: findings of `audit`, `verify` and `doctor`, as rows."""

from __future__ import annotations

import base64
import csv
import os
import sys
from hashlib import sha256
from typing import TYPE_CHECKING

from kindling.names import canonical
from kindling.values import Value
from kindling_plugin_registry.client.kernel import KERNEL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kindling_plugin_registry.client.kernel import Catalog
    from kindling_plugin_registry.client.market import Market

OK, WARN, FAIL = "ok", "warn", "fail"


class Row(Value):
    """One finding.

    Attributes:
        status: `ok`, `warn` or `fail`.
        name: The plugin, or what was looked at.
        rule: A word for scripts.
        text: What was found.
        fix: What to do, or "".
    """

    status: str
    name: str
    rule: str
    text: str
    fix: str = ""

    def to_plain(self) -> dict[str, object]:
        """Return it as JSON types."""
        return {key: getattr(self, key) for key in ("status", "name", "rule", "text", "fix")}


def exit_code(rows: Sequence[Row]) -> int:
    """Return 5 if anything is refused, else 0."""
    return 5 if any(row.status == FAIL for row in rows) else 0


def rows_text(rows: Sequence[Row]) -> str:
    """Return findings as a table with what to do, and a last line with counts."""
    from kindling_plugin_registry.client.kernel import table_text

    table = []
    for row in rows:
        table.append((row.status, row.name, row.text))
        table += [("", "", f"do: {row.fix}")] if row.fix else []
    counts = {status: sum(row.status == status for row in rows) for status in (FAIL, WARN)}
    last = ", ".join(f"{count} {status}" for status, count in counts.items() if count) or "nothing is wrong"
    return f"{table_text(table)}{last}\n"


def audited(market: Market, versions: dict[str, str]) -> Iterator[Row]:
    """Yield a finding for each installed plugin that a registry warns about or no longer lists."""
    rules = market.client.rules
    for name, version in sorted(versions.items()):
        fix = f"kindling plugins update {name}, or kindling plugins uninstall {name}"
        if item := market.revocation(name, version):
            status = FAIL if rules.revoked == "refuse" else WARN
            yield Row(status, name, "revoked", f"{version} is revoked ({item.severity}): {item.reason}", fix)
        for advisory in market.affecting(name, version):
            status = FAIL if rules.vulnerable == "refuse" else WARN
            yield Row(status, name, advisory.id, f"{version}: {advisory.summary}", fix)
        found = market.find(name)
        release = (
            next((r for r in market.page(*found).releases if r.version == version), None) if found else None
        )
        if release is not None and release.yanked is not None:
            yield Row(WARN, name, "yanked", f"{version} was withdrawn: {release.yanked.reason}", fix)


def plugin_versions(catalog: Catalog) -> dict[str, str]:
    """Return version by name of the installed plugins."""
    return {item.name: item.version for item in catalog.distributions if item.name != KERNEL}


def verified_files(name: str, version: str) -> Row:
    """Compare the installed files of a distribution with the hashes in its RECORD."""
    folder = _info_folder(name, version)
    record = os.path.join(folder, "RECORD")
    if not folder or not os.path.isfile(record):
        return Row(WARN, name, "files", f"{version} has no RECORD: its files cannot be verified")
    base = os.path.dirname(folder)
    changed, count = [], 0
    with open(record, encoding="utf-8", newline="") as file:
        for path, digest, _ in (row[:3] for row in csv.reader(file) if len(row) > 2):  # noqa: PLR2004  # 3 columns
            if not digest.startswith("sha256="):
                continue
            count += 1
            if _digest(os.path.join(base, path)) != digest.removeprefix("sha256="):
                changed.append(path)
    if changed:
        fix = f"pip install --force-reinstall {name}"
        shown = ", ".join(changed[:5])
        return Row(FAIL, name, "files", f"{version}: changed or missing since installed: {shown}", fix)
    if os.path.isfile(os.path.join(folder, "direct_url.json")) and _is_editable(folder):
        return Row(WARN, name, "files", f"{version} is installed editable: its code is not what was released")
    return Row(OK, name, "files", f"{version}: {count} files are as installed")


def _is_editable(folder: str) -> bool:
    with open(os.path.join(folder, "direct_url.json"), encoding="utf-8") as file:
        return '"editable":true' in file.read().replace(" ", "")


def _info_folder(name: str, version: str) -> str:
    for entry in sys.path:
        try:
            found = os.listdir(entry or ".")
        except OSError:
            continue
        for item in found:
            head, dash, tail = item.removesuffix(".dist-info").rpartition("-")
            if item.endswith(".dist-info") and dash and canonical(head) == name and tail == version:
                return os.path.join(entry, item)
    return ""


def _digest(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return base64.urlsafe_b64encode(sha256(file.read()).digest()).rstrip(b"=").decode()
    except OSError:
        return ""
