"""What one plugin's page shows, beyond what its documents say as they are."""

from __future__ import annotations

import json
import shlex
from datetime import datetime, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING

from kindling.errors import PolicyError
from kindling_plugin_registry.operator.pages import KEPT
from kindling_plugin_registry.records import Document
from kindling_plugin_registry.site.facets import VALUES
from kindling_plugin_registry.site.text import address
from kindling_plugin_registry.versions import is_within

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kindling_plugin_registry.advisories import Advisory
    from kindling_plugin_registry.records import Artifact, Entry, Page, Policy, Release, Result, Revocation

KINDS_OF_LINKS = {
    "homepage": "Home page",
    "repository": "Source code",
    "documentation": "Documentation",
    "issues": "Issues",
    "changelog": "Changelog",
}


class Snippet(Document, frozen=True, kw_only=True):
    """A command, or a line of a file, to copy."""

    id: str
    title: str
    text: str


class Cell(Document, frozen=True, kw_only=True):
    """One result of the tested matrix; `log` is the SHA-256 of the run's log."""

    result: str
    words: str
    at: str
    suite: str
    kernel: str
    log: str


def snippets(release: Release, package_index: str, url: str) -> list[Snippet]:
    """Return how a release is installed: by kindling, uv and pip, and as a line with hashes."""
    pin = f"{release.name}=={release.version}"
    index = address(package_index)
    kept = next((item for item in release.artifacts if item.url.startswith(KEPT)), None)
    wanted, option = pin, ""
    if kept and url:  # the registry's own wheel: its address with its hash
        wanted = f"{release.name} @ {url}wheels/{kept.filename}#sha256={kept.sha256}"
    elif index:
        option = f"--index-url {shlex.quote(index)} "
    uv_option = option.replace("--index-url", "--default-index")
    hashes = [f"--hash=sha256:{item.sha256}" for item in release.artifacts[:20]]
    return [
        Snippet(id="kindling", title="kindling", text=f"kindling plugins install {release.name}"),
        Snippet(id="uv", title="uv", text=f"uv add {uv_option}{shlex.quote(wanted)}"),
        Snippet(id="pip", title="pip", text=f"pip install {option}{shlex.quote(wanted)}"),
        Snippet(id="lock", title="Lock line", text=" ".join([pin, *hashes])),
    ]


def download(artifact: Artifact) -> str:
    """Return where a file is found, seen from the plugin's page; "" if only the package index knows."""
    if artifact.url == f"{KEPT}{artifact.filename}":
        return f"../wheels/{artifact.filename}"
    return address(artifact.url)


def links(page: Page) -> list[tuple[str, str]]:
    """Return titles and addresses of a plugin's links, those that are plain http or https."""
    found = ((title, address(getattr(page.record.links, key))) for key, title in KINDS_OF_LINKS.items())
    return [(title, place) for title, place in found if place]


def matrix(release: Release, results: Sequence[Result]) -> tuple[list[str], dict[str, dict[str, Cell]]]:
    """Return the tested systems, and for each capability the newest result by Python and system.

    Only the registry's own runs of this release's wheels count, as for levels.
    """
    wheels = {artifact.sha256 for artifact in release.artifacts}
    own = [item for item in results if item.runner == "registry" and item.sha256 in wheels]
    rows: dict[str, dict[str, Cell]] = {item.capability: {} for item in release.provides}
    places: set[str] = set()
    for result in sorted(own, key=lambda item: item.at):
        place = f"Python {result.python}, {result.os}"
        places.add(place)
        for capability, cells in rows.items():
            cells[place] = _cell(result, capability)
    return sorted(places)[:12], rows


def revocations(policy: Policy, release: Release) -> list[Revocation]:
    """Return the revocations that hold for a release; one that cannot be read holds."""
    return [
        item
        for item in policy.revoked
        if item.name == release.name and _is_held(release.version, item.versions)
    ]


def warnings(
    page: Page, advisories: Mapping[str, Advisory], release: Release
) -> tuple[list[Advisory], list[Advisory]]:
    """Return the advisories that affect a release, and the plugin's others."""
    known = [advisories[item] for item in page.advisories if item in advisories]
    hit = [item for item in known if item.is_affected(release.name, release.version)]
    return hit, [item for item in known if item not in hit]


def filters(entry: Entry) -> dict[str, Sequence[str]]:
    """Return the values that the search filters a plugin by."""
    return {facet: values(entry) for facet, values in VALUES.items()}


def mail_date(day: str) -> str:
    """Return a day as RSS has it, `Wed, 25 Nov 2026 00:00:00 +0000`; the first one for no day."""
    try:
        return format_datetime(datetime.fromisoformat(f"{day}T00:00:00+00:00"))
    except ValueError:
        return format_datetime(datetime.fromtimestamp(0, timezone.utc))


def default_text(setting: Mapping[str, object]) -> str:
    """Return a setting's default as it is written in JSON, "" if it has none."""
    value = setting.get("default")
    return "" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _cell(result: Result, capability: str) -> Cell:
    count = result.capabilities.get(capability)
    common = {
        "at": result.at[:10],
        "suite": f"{result.suite} {result.suite_version}",
        "kernel": result.kernel,
    }
    if any(item.test == "import" for item in result.failures):
        state, words = "failed", "not importable"
    elif count is None or not count.passed + count.failed:
        state, words = "none", "no tests"
    elif count.failed:
        state, words = "failed", f"{count.failed} failed, {count.passed} passed"
    else:
        state, words = "passed", f"{count.passed} passed"
    if count is not None and count.skipped:
        words += f", {count.skipped} skipped"
    return Cell(result=state, words=words, log=result.log_sha256, **common)


def _is_held(version: str, versions: str) -> bool:
    try:
        return is_within(version, versions)
    except PolicyError:
        return True
