"""Credentials from files and environment variables, read anew each time. Not from settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kindling.errors import ConfigError
from kindling.hooks.secrets import Secret


class Credentials:
    """Reads credentials. It shows itself to nobody: no variable of the environment is seen through it.

    Args:
        environ: The environment variables.
    """

    __slots__ = ("_environ",)

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def read(self, what: str, file: str, variable: str) -> Secret:
        """Return a credential; white space around it is left out.

        Args:
            what: Its name: `token`, `role id`, `secret id`, `jwt`.
            file: Where it is; goes before the variable.
            variable: The environment variable that holds it, or "".

        Raises:
            ConfigError: KDL-CONF-301, it is not there, or holds letters that no credential has.
        """
        found = _of_file(file) if file else self._of_environment(variable)
        if isinstance(found, Secret):
            return found
        source = f"the file '{file}'" if file else f"the environment variable {variable}"
        name = what.replace(" ", "_")
        raise ConfigError(
            "KDL-CONF-301",
            f"there is no {what} to log in to the vault with",
            why=f"{source} {found}",
            hint=(
                f"write it there, or set {name}_file in [secrets.vault] to where it is"
                if file
                else f"export {variable}=..., or set {name}_file in [secrets.vault]"
            ),
            source=file or variable,
        )

    def _of_environment(self, variable: str) -> Secret | str:
        if variable not in self._environ:
            return "is not set"
        return _checked(self._environ[variable])


def _of_file(file: str) -> Secret | str:
    try:
        return _checked(Path(file).read_bytes().decode("latin-1"))
    except OSError as error:
        return f"cannot be read: {(error.strerror or type(error).__name__).lower()}"


def _checked(text: str) -> Secret | str:
    """Return the credential, or why it is none: HTTP would show a garbled one in its own error."""
    text = text.strip()
    if not text:
        return "is empty"
    if not text.isascii() or not text.isprintable() or " " in text:
        return "holds letters that no credential has"
    return Secret(text)
