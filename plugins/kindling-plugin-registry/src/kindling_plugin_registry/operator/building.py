"""Build the index, `dist/`: only what changed is made again. Signing is another step (`signing`).

Every file that a signature covers is also written under its hash, and never overwritten there: clients that
follow the old signature go on reading the old index until `sign` replaces `timestamp.json`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from kindling.errors import Faults, KindlingError, raise_together
from kindling_plugin_registry import records
from kindling_plugin_registry.advisories import Advisories
from kindling_plugin_registry.formats import index_bytes, sha256_of, write_file
from kindling_plugin_registry.operator.build_cache import Known, read_cache, state_of, write_cache
from kindling_plugin_registry.operator.pages import (
    Context,
    Documents,
    make_page,
    read_documents,
    required_names,
)
from kindling_plugin_registry.operator.simple import write_simple
from kindling_plugin_registry.operator.source import moment
from kindling_plugin_registry.versions import newest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from kindling_plugin_registry.advisories import Advisory
    from kindling_plugin_registry.operator.pages import Sheet
    from kindling_plugin_registry.operator.source import Source


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """What a build did.

    Attributes:
        plugins: How many plugins the index has.
        rebuilt: Names whose pages are new or other than before, sorted.
        removed: Names that are no longer in the index, sorted.
        without_release: Names that are in the source and have no release yet.
    """

    plugins: int
    rebuilt: tuple[str, ...]
    removed: tuple[str, ...]
    without_release: tuple[str, ...]


def build(source: Source, at: datetime, *, is_quick: bool = False, is_dry: bool = False) -> Built:
    """Build the index.

    Args:
        source: The registry.
        at: The present time: levels depend on it.
        is_quick: Look for changes as `build_cache.state_of` says.
        is_dry: Read and check everything that changed; write nothing.

    Raises:
        KindlingError: Documents are wrong; all faults of all plugins together, and nothing was written.
    """
    return _Build(source, moment(at), is_quick=is_quick).run(is_dry=is_dry)


class _Build:
    """One build: finds what changed, makes pages, then writes."""

    def __init__(self, source: Source, now: str, *, is_quick: bool) -> None:
        self.source = source
        self.now = now
        self.is_quick = is_quick
        self.settings = source.settings()
        self.advisories = source.advisories()
        self.revoked = source.revoked().revoked
        self.before = read_cache(source)
        self.after: dict[str, Known] = {}
        self.pages: dict[str, bytes] = {}
        self.readmes: dict[str, bytes] = {}
        self.faults: list[KindlingError] = []

    def run(self, *, is_dry: bool) -> Built:
        changed = self._read_changed()
        self._make_pages(changed)
        raise_together(self.faults)
        sheets = {name: known.sheet for name, known in sorted(self.after.items()) if known.sheet}
        removed = sorted(name for name, known in self.before.items() if known.sheet and name not in sheets)
        if not is_dry:
            self._write(sheets, removed)
        return Built(
            plugins=len(sheets),
            rebuilt=tuple(sorted(self.pages)),
            removed=tuple(removed),
            without_release=tuple(sorted(name for name, known in self.after.items() if known.sheet is None)),
        )

    def _read_changed(self) -> dict[str, Documents]:
        """Return the documents of plugins whose files changed; others are taken from the last build."""
        changed: dict[str, Documents] = {}
        present = _listing(self.source.dist / "plugins")
        plugins = str(self.source.plugins)
        for name in self.source.names():
            folder = f"{plugins}/{name}"  # ten thousand times: no Path
            files, folders = state_of(folder, is_quick=self.is_quick)
            known = self.before.get(name)
            if known is not None and self._is_same(known, files, folders) and _is_there(known, name, present):
                self.after[name] = known
                continue
            if self.is_quick:
                files, folders = state_of(folder, is_quick=False)
            documents = self._documents(name)
            if documents is not None:
                changed[name] = documents
                release = newest(documents.releases)
                requires = required_names(release) if release else ()
                self.after[name] = Known(
                    files=files, folders=folders, context="", requires=requires, sheet=None
                )
        return changed

    def _is_same(self, known: Known, files: bytes, folders: bytes) -> bool:
        return known.folders == folders if self.is_quick else known.files == files

    def _documents(self, name: str) -> Documents | None:
        try:
            return read_documents(self.source, name)
        except Faults as faults:
            self.faults += faults.faults
        except KindlingError as fault:
            self.faults.append(fault)
        return None

    def _make_pages(self, changed: Mapping[str, Documents]) -> None:
        contexts = _Contexts(self.settings, self.advisories, self.after)
        for name, known in self.after.items():
            context = contexts.of(name)
            digest = sha256_of(index_bytes(context))[:32] if context else contexts.plain
            is_due = known.sheet is not None and known.sheet.until and known.sheet.until < self.now
            if name not in changed and known.context == digest and not is_due:
                continue
            documents = changed.get(name) or self._documents(name)
            if documents is None:
                continue
            sheet = None
            if documents.releases:
                content, sheet = make_page(documents, context or contexts.empty, self.now)
                self._keep(name, content, documents.readme, sheet)
            self.after[name] = msgspec.structs.replace(known, context=digest, sheet=sheet)

    def _keep(self, name: str, content: bytes, readme: bytes, sheet: Sheet) -> None:
        """Remember to write a page, unless the last build wrote the same."""
        known = self.before.get(name)
        if (
            known is None
            or known.sheet is None
            or known.sheet.page != sheet.page
            or not self._is_written(name)
        ):
            self.pages[name] = content
        if readme:
            self.readmes[name] = readme

    def _is_written(self, name: str) -> bool:
        return (self.source.dist / "plugins" / f"{name}.json").exists()

    def _write(self, sheets: Mapping[str, Sheet], removed: list[str]) -> None:
        hashed = [*self._write_hashed("plugins", "json", self.pages)]
        hashed += self._write_hashed("readme", "md", self.readmes)
        kept = {name: sheet.wheels for name, sheet in sheets.items() if sheet.wheels}
        if kept or (self.source.dist / "simple").exists():
            write_simple(self.source, kept)
        for path, alias in hashed:
            _alias(path, alias)
        bare = [name for name in self.pages if sheets[name].readme is None]
        for folder, suffix, names in (("plugins", "json", removed), ("readme", "md", [*removed, *bare])):
            for name in names:
                (self.source.dist / folder / f"{name}.{suffix}").unlink(missing_ok=True)
        self._write_targets(sheets)
        write_cache(self.source, self.after)

    def _write_hashed(
        self, folder: str, suffix: str, contents: Mapping[str, bytes]
    ) -> Iterator[tuple[Path, Path]]:
        """Write files under their hashes; yield each with the name that it gets in the end."""
        place = self.source.dist / folder
        place.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            path = place / f"{sha256_of(content)}.{name}.{suffix}"
            if not path.exists():
                write_file(path, content)
            yield path, place / f"{name}.{suffix}"

    def _write_targets(self, sheets: Mapping[str, Sheet]) -> None:
        folder = self.source.dist / "targets"
        files: dict[str, tuple[str, int]] = {}
        capabilities: dict[str, list[records.Offering]] = {}
        for name, sheet in sheets.items():
            files[f"plugins/{name}.json"] = sheet.page
            if sheet.readme:
                files[f"readme/{name}.md"] = sheet.readme
            for capability, offering in sheet.offerings.items():
                capabilities.setdefault(capability, []).append(offering)
        made: dict[str, msgspec.Struct] = {
            "files.json": records.Files(schema=records.FILES, files=files),
            "capabilities.json": records.Capabilities(
                schema=records.CAPABILITIES,
                capabilities={key: tuple(items) for key, items in capabilities.items()},
            ),
            "advisories.json": Advisories(schema=records.ADVISORIES, advisories=self.advisories),
            "policy.json": records.Policy(schema=records.POLICY, revoked=self.revoked),
        }
        for target, document in made.items():
            _write_changed(folder / target, index_bytes(document))
        self._write_index(folder / "index.json", tuple(sheet.entry for sheet in sheets.values()))

    def _write_index(self, path: Path, entries: tuple[records.Entry, ...]) -> None:
        """Write `index.json`; `generated` stays as it is while nothing else changes."""
        index = records.Index(
            schema=records.INDEX,
            registry=self.settings.name,
            title=self.settings.title,
            generated=self.now,
            package_index=self.settings.package_index,
            plugins=entries,
        )
        try:
            old = path.read_bytes()
            generated = msgspec.json.decode(old, type=records.Index).generated
        except (OSError, msgspec.MsgspecError):
            write_file(path, index_bytes(index))
            return
        if index_bytes(msgspec.structs.replace(index, generated=generated)) != old:
            write_file(path, index_bytes(index))


class _Contexts:
    """What pages depend on besides their own documents: most plugins share one empty context."""

    def __init__(
        self,
        settings: records.RegistrySettings,
        advisories: tuple[Advisory, ...],
        plugins: Mapping[str, Known],
    ) -> None:
        self.empty = Context(advisories=(), dependents=(), kernel=settings.kernel, pythons=settings.pythons)
        self.plain = sha256_of(index_bytes(self.empty))[:32]
        self._advisories: dict[str, list[Advisory]] = {}
        for advisory in advisories:
            for name in {item.package.name for item in advisory.affected}:
                self._advisories.setdefault(name, []).append(advisory)
        self._dependents: dict[str, list[str]] = {}
        for name, known in plugins.items():
            for required in known.requires:
                if required in plugins:
                    self._dependents.setdefault(required, []).append(name)

    def of(self, name: str) -> Context | None:
        """Return a plugin's context, or None for the empty one."""
        if name not in self._advisories and name not in self._dependents:
            return None
        return msgspec.structs.replace(
            self.empty,
            advisories=tuple(self._advisories.get(name, ())),
            dependents=tuple(sorted(self._dependents.get(name, ()))),
        )


def _listing(folder: Path) -> frozenset[str]:
    return frozenset(os.listdir(folder)) if folder.is_dir() else frozenset()  # noqa: PTH208  # names only


def _is_there(known: Known, name: str, present: frozenset[str]) -> bool:
    return known.sheet is None or f"{known.sheet.page[0]}.{name}.json" in present


def _alias(path: Path, alias: Path) -> None:
    """Give a file its second name, in one rename."""
    if alias.exists() and alias.samefile(path):
        return  # a rename of two names of one file does nothing, and would leave the temporary one
    temporary = alias.with_name(f".{alias.name}.{os.getpid()}.new")
    temporary.unlink(missing_ok=True)
    try:
        temporary.hardlink_to(path)
    except OSError:  # a file system without hard links
        temporary.write_bytes(path.read_bytes())
    temporary.replace(alias)


def _write_changed(path: Path, content: bytes) -> None:
    if not path.exists() or path.read_bytes() != content:
        write_file(path, content)
