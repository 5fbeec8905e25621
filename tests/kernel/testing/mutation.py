"""How a broken fake is named: which contract it runs, and which tests must notice its one fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Protocol

from kindling.testing.offers import Contract

Contracts = list[type[Contract]]


class Killed(Protocol):
    """A contract class of a mutant."""

    kills: ClassVar[tuple[str, ...]]


def mutant(contract: type[Contract], attribute: str, *kills: str) -> Callable[[type], type[Contract]]:
    """Turn a broken fake into the contract class that runs it; `kills` are tests without `test_`."""

    def build(broken: type) -> type[Contract]:
        names = tuple(f"test_{name}" for name in kills)
        space = {attribute: broken, "kills": names, "__doc__": broken.__doc__}
        return type(contract)(f"Test{broken.__name__}", (contract,), space)

    return build


def suite(space: dict[str, object]) -> dict[str, type[Contract]]:
    """Return the mutants' contract classes of a module's globals, by the name pytest shows."""
    return {
        found.__name__: found
        for found in space.values()
        if isinstance(found, type) and issubclass(found, Contract) and "kills" in vars(found)
    }
