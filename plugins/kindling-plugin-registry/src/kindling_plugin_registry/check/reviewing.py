"""Review of one release: its record says what its wheels say, and they pass the check."""

from __future__ import annotations

import tempfile
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from kindling.errors import KindlingError, PolicyError
from kindling_plugin_registry.check.checking import Checked, Request, check
from kindling_plugin_registry.check.findings import Finding, of_error
from kindling_plugin_registry.check.rooms import Sources
from kindling_plugin_registry.formats import read_document, sha256_of, source_bytes, write_file
from kindling_plugin_registry.operator.adding import release_of
from kindling_plugin_registry.operator.pages import KEPT
from kindling_plugin_registry.records import CONFORMANCE, Conformance, Release
from kindling_plugin_registry.wheels import read_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kindling_plugin_registry.operator.source import Source
    from kindling_plugin_registry.records import Artifact

_MOST_BYTES = 512 << 20
_FETCH_S = 120
_FREE = ("released_at", "artifacts", "yanked")
"""Fields of a record that its wheels do not tell."""


class Workshop(Struct, frozen=True, kw_only=True):
    """How releases are checked.

    Attributes:
        sources: Where kernel and dependencies come from.
        wheels: Folder where wheels and source archives are found by name first, or None.
        environment: One to use again instead of a clean one for each wheel, or None.
    """

    sources: Sources = Sources()
    wheels: Path | None = None
    environment: Path | None = None


class Reviewed(Struct, frozen=True, kw_only=True):
    """One release: what its check gave, and all that is wrong with it."""

    name: str
    version: str
    checked: tuple[Checked, ...]
    findings: tuple[Finding, ...]


def review_release(source: Source, release: Release, workshop: Workshop) -> Reviewed:
    """Fetch a release's wheels, compare them with its record, check each."""
    checked: list[Checked] = []
    findings: list[Finding] = []
    with tempfile.TemporaryDirectory(prefix="kindling-review-") as folder:
        room = Path(folder)
        try:
            wheels = [_fetched(source, item, workshop, room) for item in release.artifacts]
            findings += _differences(release, wheels)
        except KindlingError as error:
            findings += of_error(error, error.code)
            wheels = []
        if not findings:
            names = tuple(name for name in source.names() if name != release.name)
            for number, wheel in enumerate(wheels):
                tests = _archive(source, release, wheel, workshop, room)
                place = room / str(number)
                request = Request(
                    path=wheel,
                    tests=tests,
                    sources=workshop.sources,
                    names=names,
                    runner="registry",
                    environment=workshop.environment,
                )
                checked.append(check(request, place))
                findings += checked[-1].findings
    return Reviewed(
        name=release.name, version=release.version, checked=tuple(checked), findings=tuple(findings)
    )


def keep_results(source: Source, reviewed: Reviewed) -> Path | None:
    """Add the evidence of a release to its conformance file; return that, None without evidence."""
    results = tuple(item.result for item in reviewed.checked if item.result is not None)
    if not results:
        return None
    path = source.plugin(reviewed.name) / "conformance" / f"{reviewed.version}.json"
    old = read_document(path, "conformance", Conformance).results if path.exists() else ()
    kept = Conformance(
        schema=CONFORMANCE, name=reviewed.name, version=reviewed.version, results=(*old, *results)
    )
    write_file(path, source_bytes(kept))
    return path


def _fetched(source: Source, artifact: Artifact, workshop: Workshop, room: Path) -> Path:
    """Return an artifact's wheel, found by its name or address; its hash is the record's.

    Raises:
        PolicyError: KDL-REG-252, there is none, or it has another hash.
    """
    path = _found(source, artifact.filename, artifact.url, workshop, room)
    if path is None or sha256_of(path.read_bytes()) != artifact.sha256:
        raise PolicyError(
            "KDL-REG-252",
            f"the wheel {artifact.filename!r} cannot be checked",
            why="it is nowhere to be found" if path is None else "its SHA-256 is not the one of the record",
            where=artifact.url,
            hint="publish the wheel first; then kindling registry add WHEEL --url ADDRESS",
        )
    return path


def _found(source: Source, filename: str, url: str, workshop: Workshop, room: Path) -> Path | None:
    folders = [
        folder for folder in (workshop.wheels, source.wheels if url.startswith(KEPT) else None) if folder
    ]
    for folder in folders:
        if (folder / filename).is_file():
            return folder / filename
    if not url.startswith("https://"):
        return None
    try:
        with urllib.request.urlopen(url, timeout=_FETCH_S) as answer:  # noqa: S310  # https alone
            content = answer.read(_MOST_BYTES)
    except OSError:
        return None
    (room / filename).write_bytes(content)
    return room / filename


def _archive(source: Source, release: Release, wheel: Path, workshop: Workshop, room: Path) -> Path | None:
    """Return the release's source archive, which brings the tests, from where its wheel is."""
    name = f"{wheel.name.split('-')[0]}-{release.version}.tar.gz"
    url = next(item.url for item in release.artifacts if item.filename == wheel.name)
    return _found(source, name, f"{url.rpartition('/')[0]}/{name}", workshop, room)


def _differences(release: Release, wheels: list[Path]) -> Iterator[Finding]:
    made = release_of([read_wheel(path) for path in wheels], release.released_at, "")
    changed = [
        key
        for key in made.__struct_fields__
        if key not in _FREE and getattr(made, key) != getattr(release, key)
    ]
    changed += [
        f"publisher of {item.filename}" for item in release.artifacts if item.publisher.kind != "none"
    ]
    if changed:
        yield Finding(
            code="KDL-REG-251",
            what=f"the record of {release.name!r} {release.version} says what its wheels do not",
            why=f"different: {', '.join(changed)}",
            where=f"plugins/{release.name}/releases/{release.version}.json",
            hint="make it again: kindling registry add WHEEL --replace",
        )
