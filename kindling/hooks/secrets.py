"""Turns a reference into a value that cannot be printed. It never stores one.

`secret://<name>/<path>#<field>` names the capability `secrets:<name>`. A reference is resolved where
its value is used, never at planning; the version of a secret, not its value, enters fingerprints.

A complete plugin:

    from kindling.hooks import hookimpl
    from kindling.hooks.secrets import Secrets, SecretsOffer, SecretsSpec

    def open_secrets(spec: SecretsSpec) -> Secrets:
        from kindling_plugin_mine.secrets import MySecrets
        return MySecrets(spec.settings)

    @hookimpl
    def kindling_secrets_offers() -> tuple[SecretsOffer, ...]:
        return (SecretsOffer("mine", open_secrets),)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

from kindling.hooks import Offer, Plain, hookspec
from kindling.secret import Secret

API = "1.0"

FEATURES = ("fields", "versions", "lists", "renews")
"""The closed list; `x-<vendor>-<name>` is allowed as well."""


@dataclass(frozen=True, slots=True)
class SecretsSpec:
    """What a factory gets."""

    environment: str
    settings: Mapping[str, Plain] = field(default_factory=dict)


@runtime_checkable
class Secrets(Protocol):
    """A vault."""

    def get(self, path: str, field: str) -> Secret:
        """Return a secret.

        Args:
            path: The reference's path, without a leading slash.
            field: The part after `#`, or "".

        Raises:
            ConfigError: KDL-CONF-020, there is no such secret; the text never holds a value.
        """
        ...

    def version(self, path: str, field: str) -> str:
        """Return a token that changes when the value changes, and tells nothing about it."""
        ...


@runtime_checkable
class ListsSecrets(Protocol):
    """Feature `lists`."""

    def paths(self, prefix: str) -> Sequence[str]:
        """Return the paths below a prefix, sorted."""
        ...


SecretsOffer: TypeAlias = Offer[SecretsSpec, Secrets]


class SecretsSpecs:
    """The hookspec of the kind."""

    @hookspec
    def kindling_secrets_offers(self) -> tuple[SecretsOffer, ...]:  # type: ignore[empty-body]  # a specification
        """Return the vaults that this module implements."""


__all__ = [
    "API",
    "FEATURES",
    "ListsSecrets",
    "Secret",
    "Secrets",
    "SecretsOffer",
    "SecretsSpec",
    "SecretsSpecs",
]
