"""A built index as the site reads it. Only what the index lists is read, and only if its hash fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from kindling.errors import PluginError
from kindling_plugin_registry import records
from kindling_plugin_registry.advisories import Advisories, Advisory
from kindling_plugin_registry.formats import sha256_of

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")


class Catalogue:
    """One index.

    Attributes:
        dist: Its folder.
        index: What it says of all plugins.
        capabilities: Who offers what.
        advisories: By id.
        policy: Revocations.
    """

    def __init__(self, dist: Path) -> None:
        """Read the index's own files.

        Raises:
            PluginError: KDL-REG-301, one is missing or wrong.
        """
        self.dist = dist
        self.index = self._document("targets/index.json", records.Index)
        self.capabilities = self._document("targets/capabilities.json", records.Capabilities).capabilities
        found = self._document("targets/advisories.json", Advisories).advisories
        self.advisories: dict[str, Advisory] = {item.id: item for item in found}
        self.policy = self._document("targets/policy.json", records.Policy)
        self._files = self._document("targets/files.json", records.Files).files

    def page(self, name: str) -> records.Page:
        """Return all about one plugin; errors as above, also where the hash is not the listed one."""
        return self._document(f"plugins/{name}.json", records.Page, is_listed=True)

    def readme(self, name: str) -> str:
        """Return a plugin's README, "" if it has none."""
        path = f"readme/{name}.md"
        return self._content(path, is_listed=True).decode("utf-8", "replace") if path in self._files else ""

    def _document(self, path: str, made: type[T], *, is_listed: bool = False) -> T:
        content = self._content(path, is_listed=is_listed)
        try:
            return msgspec.json.decode(content, type=made)
        except (msgspec.MsgspecError, UnicodeDecodeError) as cause:
            raise self._unreadable(path, str(cause)) from cause

    def _content(self, path: str, *, is_listed: bool) -> bytes:
        try:
            content = (self.dist / path).read_bytes()
        except OSError as cause:
            raise self._unreadable(path, cause.strerror or "it cannot be read") from cause
        if is_listed and self._files.get(path, ("", 0))[0] != sha256_of(content):
            raise self._unreadable(path, "its SHA-256 is not the one that files.json lists")
        return content

    def _unreadable(self, path: str, why: str) -> PluginError:
        return PluginError(
            "KDL-REG-301",
            f"no site can be made: {path!r} of the index is missing or wrong",
            why=why,
            where=str(self.dist),
            hint="kindling registry build",
        )
