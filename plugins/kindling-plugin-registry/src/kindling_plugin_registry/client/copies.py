"""The verified copy of one registry's index on this machine: read, never verified here (`refreshing`).

`current.json` names the signed documents by their SHA-256, and until when their signature counts; they
stand beside it under their hashes, so that a reader sees one whole copy or another. `lines` is made of the
verified index: one line a plugin, which is searched as a text, because decoding 10,000 entries of JSON
takes longer than a whole search may.
"""

from __future__ import annotations

import json
import os
import time

from kindling.errors import PolicyError
from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kindling_plugin_registry.client.registries import Registry

SCHEMA = "kindling.copy/1"
CURRENT = "current.json"
LINES = "lines"
DOCUMENTS = (LINES, "index.json", "files.json", "capabilities.json", "advisories.json", "policy.json")
FIELDS = (
    "name",
    "version",
    "level",
    "stale",
    "lifecycle",
    "license",
    "capabilities",
    "permissions",
    "python",
    "kernel",
    "advisories",
    "updated",
    "page",
    "size",
    "keywords",
    "summary",
)
"""Columns of a line, joined by tabs; capabilities, permissions and keywords stand between commas.

Lines are sorted by name.
"""


class Line(Value):
    """One plugin of a registry; the fields are texts, as in the index."""

    name: str
    version: str
    level: str
    stale: str
    lifecycle: str
    license: str
    capabilities: str
    permissions: str
    python: str
    kernel: str
    advisories: str
    updated: str
    page: str
    size: str
    keywords: str
    summary: str

    def to_plain(self) -> dict[str, object]:
        """Return the plugin as JSON types."""
        plain: dict[str, object] = {field: getattr(self, field) for field in FIELDS[:-4]}
        for field in ("capabilities", "permissions", "keywords", "advisories"):
            plain[field] = listed(str(getattr(self, field)))
        plain["stale"] = self.stale == "1"
        plain["summary"] = self.summary
        return plain


def listed(field: str) -> list[str]:
    """Return the elements of a field like `,a,b,`."""
    return [item for item in field.split(",") if item]


class Copy:
    """A verified copy.

    Attributes:
        registry: Whose it is.
        facts: `current.json`.
    """

    def __init__(self, registry: Registry, facts: Mapping[str, object]) -> None:
        self.registry = registry
        self.facts = facts
        self._lines = ""

    @property
    def expires(self) -> str:
        """Until when the signature counts."""
        return str(self.facts["expires"])

    @property
    def version(self) -> int:
        """Version of the signed timestamp: it only grows."""
        return int(str(self.facts["version"]))

    @property
    def digest(self) -> str:
        """SHA-256 of `index.json`."""
        return self.digest_of("index.json")

    def digest_of(self, name: str) -> str:
        """Return the SHA-256 of a signed document."""
        return self._named(name)[0]

    def age_s(self) -> int:
        """Return the seconds since the copy was fetched or found unchanged."""
        return max(0, int(time.time()) - int(str(self.facts["fetched_s"])))

    def age_text(self) -> str:
        """Return the age for people, for example `3 h`."""
        age = self.age_s()
        for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
            if age >= size:
                return f"{age // size} {unit}"
        return f"{age} s"

    def lines(self) -> str:
        """Return all lines: each plugin's begins behind a line break and ends before one."""
        if not self._lines:
            self._lines = self._read(LINES).decode()
        return self._lines

    def document(self, name: str) -> bytes:
        """Return a signed document, for example `policy.json`.

        Raises:
            PolicyError: KDL-REG-105, the file on this machine is not the verified one.
        """
        return self._read(name)

    def find(self, name: str) -> Line | None:
        """Return a plugin by its canonical name: in halves, because resolving asks many times."""
        text = self.lines()
        low, high = 0, len(text) - 1  # both are line breaks; the plugin's line is between them, if anywhere
        while low < high:
            start = text.rfind("\n", low, (low + high) // 2 + 1)
            found = text[start + 1 : text.find("\t", start)]
            if found == name:
                return _line(text, start + 1)
            if found < name:
                low = text.find("\n", start + 1)
            else:
                high = start
        return None

    def offering(self, capability: str) -> Iterator[Line]:
        """Yield the plugins whose newest version offers a capability, sorted by name."""
        text, wanted = self.lines(), f",{capability},"
        place = text.find(wanted)
        while place >= 0:
            start = text.rfind("\n", 0, place) + 1
            found = _line(text, start)
            if wanted in found.capabilities:
                yield found
            place = text.find(wanted, text.find("\n", place))

    def all(self) -> Iterator[Line]:
        """Yield all plugins, sorted by name."""
        text = self.lines()
        place = 1
        while place < len(text):
            yield _line(text, place)
            place = text.find("\n", place) + 1

    def _named(self, name: str) -> tuple[str, int]:
        table = self.facts["files"]
        digest, size = table[name]  # type: ignore[index]  # see `read_copy`
        return str(digest), int(size)

    def _read(self, name: str) -> bytes:
        from hashlib import sha256

        digest, size = self._named(name)
        path = os.path.join(self.registry.folder, os.path.basename(digest))
        try:
            with open(path, "rb") as file:
                content = file.read(size + 1)
        except OSError:
            content = b""
        if len(content) != size or sha256(content).hexdigest() != digest:
            raise PolicyError(
                "KDL-REG-105",
                f"the copy of the registry {self.registry.name!r} on this machine is refused",
                why=f"{name!r} is not what was verified",
                where=path,
                hint="kindling plugins search --refresh",
            )
        return content


def read_copy(registry: Registry) -> Copy | None:
    """Return the copy of a registry, expired or not; None where there is none, or its head is broken."""
    try:
        with open(os.path.join(registry.folder, CURRENT), encoding="utf-8") as file:
            facts = json.load(file)
    except (OSError, ValueError):
        return None
    if not isinstance(facts, dict) or facts.get("schema") != SCHEMA or facts.get("url") != registry.url:
        return None
    return Copy(registry, facts) if _is_whole(facts) else None


def _is_whole(facts: Mapping[str, object]) -> bool:
    """Tell whether `current.json` has all that is read of it, in the right types."""
    files = facts.get("files")
    if not isinstance(files, dict) or not isinstance(facts.get("expires"), str):
        return False
    if not all(isinstance(facts.get(key), int) for key in ("version", "fetched_s")):
        return False
    named = [files.get(name) for name in DOCUMENTS]
    return all(isinstance(item, list) and [type(part) for part in item] == [str, int] for item in named)


def check_fresh(copy: Copy) -> None:
    """Refuse a copy whose signature has ended.

    Raises:
        PolicyError: KDL-REG-104.
    """
    # Both are UTC of one form, so texts compare as times do; importing datetime takes longer than this.
    if copy.expires <= time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()):
        raise PolicyError(
            "KDL-REG-104",
            f"the index of the registry {copy.registry.name!r} has expired",
            why=f"its signature counted until {copy.expires}; what was withdrawn since is unknown",
            where=copy.registry.url,
            hint="kindling plugins search --refresh; else tell the registry's operator",
        )


def ages_text(copies: Iterable[Copy]) -> str:
    """Return how old each copy is, for example `kindling 3 h old`."""
    return ", ".join(f"{copy.registry.name} {copy.age_text()} old" for copy in copies)


def _line(text: str, start: int) -> Line:
    end = text.find("\n", start)
    return Line(*text[start:end].split("\t"))
