"""The capability `secrets:env`: secrets in environment variables. It neither stores nor renews.

`secret://env/NAME` is the variable NAME. A field is refused: a variable is one value.

The version of a secret is a keyed hash of its value. Versions stand in state and plans; nobody can
compute a long random secret from one, but a short or guessable secret can be found by trying. Set
`[secrets.env] salt = "..."` (any text of the project's own) to prevent that: whoever has not got the
salt cannot try. Changing the salt counts as a change of every secret.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from kindling.errors import ConfigError
from kindling.hooks import hookimpl
from kindling.hooks.secrets import Secret, Secrets, SecretsOffer, SecretsSpec
from kindling.names import close_names, did_you_mean


class EnvironmentSecrets:
    """Environment variables as a vault; read anew at each call."""

    def __init__(self, environ: Mapping[str, str], *, salt: str = "") -> None:
        """Make the vault.

        Args:
            environ: The variables, normally `os.environ`.
            salt: Makes version tokens useless to those who do not know it.
        """
        self._environ = environ
        self._salt = salt

    def get(self, path: str, field: str) -> Secret:
        """Return the variable of that name.

        Raises:
            ConfigError: KDL-CONF-020, it is not set; KDL-CONF-022, a field was asked.
        """
        return Secret(self._value(path, field), self.version(path, field))

    def version(self, path: str, field: str) -> str:
        """Return 16 hexadecimal digits that change when the value changes."""
        from hashlib import blake2b

        value = self._value(path, field).encode("utf-8", "surrogateescape")
        key = blake2b(f"{self._salt}\0{path}".encode(), digest_size=32).digest()
        return blake2b(value, key=key, digest_size=8).hexdigest()

    def paths(self, prefix: str) -> Sequence[str]:
        """Return the names of the variables that begin with a prefix, sorted."""
        return sorted(name for name in self._environ if name.startswith(prefix))

    def _value(self, path: str, field: str) -> str:
        if field:
            raise ConfigError(
                "KDL-CONF-022",
                f"'secret://env/{path}' has no field {field!r}",
                why="an environment variable is one value",
                hint=f"write secret://env/{path}",
                path=path,
            )
        value = self._environ.get(path)
        if value is None:
            close = close_names(path, self._environ)
            raise ConfigError(
                "KDL-CONF-020",
                f"there is no secret 'secret://env/{path}'",
                why=f"the environment variable {path} is not set",
                hint=did_you_mean(path, close) if close else f"export {path}=...",
                path=path,
            )
        return value


def open_environment(spec: SecretsSpec) -> Secrets:
    """Open this process's environment variables as a vault."""
    return EnvironmentSecrets(os.environ, salt=str(spec.settings.get("salt") or ""))


@hookimpl
def kindling_secrets_offers() -> tuple[SecretsOffer, ...]:
    """Offer `secrets:env`."""
    return (SecretsOffer("env", open_environment),)
