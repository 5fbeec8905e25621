"""The contracts between the kernel and its plugins: one module per kind. No implementation.

Pluggy collects, Protocols work: a plugin module implements `kindling_<kind>_offers()` and returns a
tuple of `Offer`s; the kernel picks the one that it needs, calls its factory once, and from then on
calls the typed object directly. What a capability can do stands in `kindling.json` only.

Each module of a kind has the same five parts: what it is and when it is called, its Offer, its
Protocols (one small one per feature), its hookspec, and `API`, the version of the contract; its
docstring ends with a complete plugin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

import pluggy

from kindling.values import Plain, Scalar

PROJECT = "kindling"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

Frame: TypeAlias = object
"""A frame of whichever engine: only the session that made it knows its class."""

S = TypeVar("S")
P = TypeVar("P")


@dataclass(frozen=True)  # no slots: on 3.11 `StorageOffer(...)`, a parametrised alias, could not be called
class Offer(Generic[S, P]):
    """What a hook implementation returns: a capability's name and the factory behind it.

    Attributes:
        name: The capability's name without its kind, for example `delta`; equal to the entry point's.
        factory: Called once per kernel with the kind's spec; heavy imports belong inside of it.
    """

    name: str
    factory: Callable[[S], P]


__all__ = ["Frame", "Offer", "Plain", "Scalar", "hookimpl", "hookspec"]
