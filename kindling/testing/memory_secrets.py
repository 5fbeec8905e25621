"""A vault over a dict that is handed in. For tests: it keeps values in clear."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from kindling.errors import ConfigError
from kindling.hooks.secrets import Secret


class MemorySecrets:
    """A vault.

    Args:
        values: Value by (path, field); may change while the vault is open.
        salt: Makes versions say nothing about values.
    """

    def __init__(self, values: Mapping[tuple[str, str], str], *, salt: str) -> None:
        self._values = values
        self._salt = salt

    def get(self, path: str, field: str) -> Secret:
        """Return a secret.

        Raises:
            ConfigError: KDL-CONF-020, there is no such secret.
        """
        return Secret(self._value(path, field), self.version(path, field))

    def version(self, path: str, field: str) -> str:
        """Return a keyed digest."""
        text = f"{self._salt}\0{path}\0{field}\0{self._value(path, field)}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def paths(self, prefix: str) -> Sequence[str]:
        """Return the paths below a prefix, sorted."""
        return sorted({path for path, _ in self._values if path.startswith(prefix)})

    def _value(self, path: str, field: str) -> str:
        if (path, field) not in self._values:
            whole = f"{path}#{field}" if field else path
            raise ConfigError(
                "KDL-CONF-020",
                f"there is no secret {whole!r}",
                why=f"the vault has {len(self._values)} secrets, none of that name",
                hint="correct the reference, or put the secret into the vault",
                path=whole,
            )
        return self._values[path, field]
