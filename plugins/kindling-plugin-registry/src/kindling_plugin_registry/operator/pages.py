"""One plugin's page and what the index says about it, made of its documents. Nothing is written here."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from kindling.errors import PluginError, raise_together
from kindling.names import canonical
from kindling_plugin_registry import records
from kindling_plugin_registry.formats import index_bytes, read_text, sha256_of
from kindling_plugin_registry.levels import STALE_DAYS, level
from kindling_plugin_registry.operator.source import MOMENT
from kindling_plugin_registry.versions import newest, newest_first

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kindling.errors import KindlingError
    from kindling_plugin_registry.advisories import Advisory
    from kindling_plugin_registry.operator.source import Source

Listed = tuple[str, int]
"""SHA-256 and size."""


class Sheet(records.Document, frozen=True, kw_only=True):
    """What one plugin adds to the index, kept between builds.

    Attributes:
        entry: Its entry of `index.json`.
        offerings: Its elements of `capabilities.json`, by capability; empty if all releases are yanked.
        requires: Canonical names that its newest release depends on.
        page: Of `plugins/<name>.json`.
        readme: Of `readme/<name>.md`, or None.
        until: When a level changes because a result gets too old, or "" if none does.
        wheels: Files kept in the registry: name, SHA-256, Python range, reason of a yank or None.
    """

    entry: records.Entry
    offerings: dict[str, records.Offering]
    requires: tuple[str, ...]
    page: Listed
    readme: Listed | None
    until: str
    wheels: tuple[tuple[str, str, str, str | None], ...]


class Documents(records.Document, frozen=True, kw_only=True):
    """All documents of one plugin; releases newest first."""

    record: records.PluginRecord
    releases: tuple[records.Release, ...]
    conformance: dict[str, tuple[records.Result, ...]]
    readme: bytes


class Context(records.Document, frozen=True, kw_only=True):
    """What a page depends on besides its own documents."""

    advisories: tuple[Advisory, ...]
    dependents: tuple[str, ...]
    kernel: str
    pythons: tuple[str, ...]


KEPT = "../wheels/"
"""How the address of a wheel begins that the registry keeps itself."""


def read_documents(source: Source, name: str) -> Documents:
    """Read a plugin's documents.

    Raises:
        KindlingError: A document cannot be read, breaks its schema, or KDL-REG-021, says another name or
            version than its file; several faults together.
    """
    readme = source.plugin(name) / "README.md"
    found = Documents(
        record=source.record(name),
        releases=newest_first(source.releases(name)),
        conformance=source.conformance(name),
        readme=read_text(readme).encode() if readme.exists() else b"",
    )
    raise_together(list(disagreements(source, name, found)))
    return found


def disagreements(source: Source, name: str, found: Documents) -> Iterable[KindlingError]:
    """Yield KDL-REG-021 for each document that says another name or version than its place."""
    folder = source.plugin(name)
    if found.record.name != name:
        yield _misplaced(f"{folder}/plugin.toml", f"name is {found.record.name!r}", f"{name!r}")
    for release in found.releases:
        path = source.release_path(name, release.version)
        if release.name != name:
            yield _misplaced(str(path), f"name is {release.name!r}", f"{name!r}")
        if not path.exists():
            yield _misplaced(
                str(folder), f"a release says version {release.version!r}", f"a file {path.name!r}"
            )
    for version in found.conformance:
        if not (folder / "conformance" / f"{version}.json").exists():
            yield _misplaced(str(folder), f"results say version {version!r}", f"a file '{version}.json'")


def make_page(found: Documents, context: Context, now: str) -> tuple[bytes, Sheet]:
    """Return the bytes of `plugins/<name>.json`, and what the index says.

    Args:
        found: The plugin's documents; at least one release.
        context: Advisories that name the plugin, and plugins that require it.
        now: The present moment.
    """
    record = found.record
    levels = {
        release.version: level(
            record,
            release,
            found.conformance.get(release.version, ()),
            now,
            context.kernel,
            context.pythons,
        )
        for release in found.releases
    }
    page = records.Page(
        schema=records.PAGE,
        record=record,
        releases=found.releases,
        conformance=found.conformance,
        levels=levels,
        advisories=tuple(item.id for item in context.advisories),
        dependents=context.dependents,
        readme_sha256=sha256_of(found.readme) if found.readme else "",
    )
    content = index_bytes(page)
    return content, _sheet(found, context, levels, content, now)


def required_names(release: records.Release) -> tuple[str, ...]:
    """Return the canonical names of what a release depends on, without extras, sorted."""
    found = set()
    for text in release.requires_dist:
        try:
            found.add(canonical(Requirement(text).name))
        except InvalidRequirement:
            continue  # `validate` tells it
    return tuple(sorted(found))


def _sheet(
    found: Documents, context: Context, levels: Mapping[str, records.Level], content: bytes, now: str
) -> Sheet:
    record, release = found.record, newest(found.releases)
    if release is None:  # the caller asked for a page of a plugin with releases
        raise AssertionError(record.name)
    own = levels[release.version]
    entry = records.Entry(
        n=record.name,
        s=record.summary,
        v=release.version,
        py=release.requires_python,
        k=release.requires_kernel,
        c=tuple(sorted(item.capability for item in release.provides)),
        lv=own.level,
        st=own.stale,
        lf=record.lifecycle,
        lic=record.license,
        p=tuple(sorted(release.permissions)),
        adv=tuple(a.id for a in context.advisories if a.is_affected(record.name, release.version)),
        kw=record.keywords,
        upd=release.released_at[:10],
    )
    offerings = {
        item.capability: records.Offering(
            n=record.name, v=release.version, api=item.api, f=tuple(sorted(item.features)), lv=own.level
        )
        for item in release.provides
        if release.yanked is None
    }
    return Sheet(
        entry=entry,
        offerings=offerings,
        requires=required_names(release),
        page=(sha256_of(content), len(content)),
        readme=(sha256_of(found.readme), len(found.readme)) if found.readme else None,
        until=_until(found.conformance.values(), now),
        wheels=tuple(_wheels(found.releases)),
    )


def _wheels(releases: Sequence[records.Release]) -> Iterable[tuple[str, str, str, str | None]]:
    for release in releases:
        for artifact in release.artifacts:
            if artifact.url.startswith(KEPT):
                reason = release.yanked.reason if release.yanked else None
                yield artifact.filename, artifact.sha256, release.requires_python, reason


def _until(results: Iterable[Sequence[records.Result]], now: str) -> str:
    ends = [
        (datetime.fromisoformat(result.at) + timedelta(days=STALE_DAYS)).strftime(MOMENT)
        for found in results
        for result in found
    ]
    return min((end for end in ends if end >= now), default="")


def _misplaced(where: str, found: str, expected: str) -> PluginError:
    return PluginError(
        "KDL-REG-021",
        "a document does not fit its place",
        why=f"{found}, expected {expected}",
        where=where,
        hint="git mv, or mend the document",
    )
