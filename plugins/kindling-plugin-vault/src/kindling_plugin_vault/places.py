"""Where a secret is: the path of a reference with the version that it may pin. Not its field."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from kindling.errors import ConfigError

_PINNED = re.compile(r"(.+)\?version=([1-9][0-9]{0,17})")


@dataclass(frozen=True, slots=True)
class Place:
    """A path of the KV engine.

    Attributes:
        path: Without the mount.
        version: The version that the reference pins; 0 for the newest.
    """

    path: str
    version: int = 0

    @classmethod
    def parse(cls, path: str) -> Place:
        """Return the place of a reference's path.

        Raises:
            ConfigError: KDL-CONF-021, it has empty parts, `.` or `..`, which HTTP would resolve.
        """
        match = _PINNED.fullmatch(path)
        found = cls(match[1], int(match[2])) if match else cls(path)
        if any(part in ("", ".", "..") for part in found.path.split("/")):
            raise ConfigError(
                "KDL-CONF-021",
                "a path of the vault is malformed",
                why="it has an empty part, '.' or '..'",
                hint="for example secret://vault/team/db#password",
            )
        return found

    @property
    def quoted(self) -> str:
        """The path as it stands in an address."""
        return quote(self.path)

    def __str__(self) -> str:
        """Return the reference without its field."""
        return f"secret://vault/{self.path}{f'?version={self.version}' if self.version else ''}"
