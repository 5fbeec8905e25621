"""Credentials from files and environment variables, read anew each time. Not from settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kindling.errors import ConfigError
from kindling.hooks.secrets import Secret


def read_credential(what: str, file: str, variable: str, environ: Mapping[str, str]) -> Secret:
    """Return a credential; white space around it is left out.

    Args:
        what: Its name: `token`, `role id`, `secret id`, `jwt`.
        file: Where it is; goes before the variable.
        variable: The environment variable that holds it, or "".
        environ: The variables.

    Raises:
        ConfigError: KDL-CONF-301, it is not there, or holds letters that no credential has.
    """
    source = f"the file '{file}'" if file else f"the environment variable {variable}"
    why = ""
    try:
        raw = (
            Path(file).read_bytes() if file else environ.get(variable, "").encode("utf-8", "surrogateescape")
        )
    except OSError as error:
        raw, why = b"", (error.strerror or type(error).__name__).lower()
    text = raw.decode("latin-1").strip()
    if text and text.isascii() and text.isprintable() and " " not in text:
        return Secret(text)
    if not why:
        why = (
            "it holds letters that no credential has"
            if text
            else "it is empty"
            if raw or file
            else "it is not set"
        )
    raise ConfigError(
        "KDL-CONF-301",
        f"there is no {what} to log in to the vault with",
        why=f"{source}: {why}",
        hint=_hint(what, file, variable),
        source=file or variable,
    )


def _hint(what: str, file: str, variable: str) -> str:
    name = what.replace(" ", "_")
    if file:
        return f"write it there, or set {name}_file in [secrets.vault] to where it is"
    return f"export {variable}=..., or set {name}_file in [secrets.vault]"
