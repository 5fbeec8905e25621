"""Turns a classified column into a masked one, as a Spark SQL expression. It computes nothing itself.

The kernel decides which column of which input is masked for whom (`[policy.masks]`), asks the plugin for
an expression, and hands it to the session with the other columns. The same text runs on each platform and
gives the same values. Key material is never part of the text: a mask with the feature `keyed` names key
columns, whose values the session joins from a one-row view that pipe code cannot reach.

A complete plugin:

    from kindling.hooks import hookimpl
    from kindling.hooks.masking import Masking, MaskingOffer, MaskingSpec, MaskRequest

    class Blank:
        def expression(self, request: MaskRequest) -> str:
            return f"CAST(NULL AS {request.type})"

    @hookimpl
    def kindling_masking_offers() -> tuple[MaskingOffer, ...]:
        return (MaskingOffer("mine", lambda spec: Blank()),)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

from kindling.hooks import Offer, Plain, hookspec
from kindling.secret import Secret

API = "1.0"

FEATURES = (
    "keyed",  # Keyed: needs a secret key, the rule's `key`
    "keeps-type",  # the masked column has the type of the raw one
    "deterministic",  # equal values give equal masks, in each run with the same key
)
"""The closed list; `x-<vendor>-<name>` is allowed as well."""


@dataclass(frozen=True, slots=True)
class MaskingSpec:
    """What a factory gets.

    Attributes:
        environment: The environment's name.
        settings: The plugin's own checked settings, `[masking.<name>]`.
    """

    environment: str
    settings: Mapping[str, Plain] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MaskRequest:
    """One column to mask.

    Attributes:
        column: The raw column as a Spark SQL reference, quoted.
        type: Its engine-neutral type as DDL, for example `string` or `decimal(10,2)`.
        options: The rule's options, `[policy.masks.<rule>.options]`.
        keys: `keyed` only: Spark SQL reference of each key column, by its name. Their type is binary.
        columns: All columns of the input: Spark SQL reference by name, for masks that look at another one.
        types: Their engine-neutral types as DDL, by name.
    """

    column: str
    type: str
    options: Mapping[str, Plain] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class Masking(Protocol):
    """A way to mask."""

    def expression(self, request: MaskRequest) -> str:
        """Return the masked column as a Spark SQL expression of the portable subset, without an alias.

        Raises:
            ConfigError: The rule's options are wrong, or the column's type cannot be masked in this way.
        """
        ...


@runtime_checkable
class Keyed(Protocol):
    """Feature `keyed`."""

    def keys(self, secret: Secret) -> Mapping[str, bytes]:
        """Return the key columns' values by name (plain identifiers), made of the rule's secret.

        Raises:
            ConfigError: The secret is too short to be a key. The text holds nothing of it.
        """
        ...


MaskingOffer: TypeAlias = Offer[MaskingSpec, Masking]


class MaskingSpecs:
    """The hookspec of the kind."""

    @hookspec
    def kindling_masking_offers(self) -> tuple[MaskingOffer, ...]:  # type: ignore[empty-body]  # a specification
        """Return the masks that this module implements."""


__all__ = [
    "API",
    "FEATURES",
    "Keyed",
    "MaskRequest",
    "Masking",
    "MaskingOffer",
    "MaskingSpec",
    "MaskingSpecs",
    "Secret",
]
