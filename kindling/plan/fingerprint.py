"""Digests of the code that a pipe reaches. Not of its SQL, settings, inputs or rights.

A digest covers a function's bytecode and, through the names that it uses, each function, class, module
and value of the app that it reaches; formatting, comments, docstrings and annotations of functions do
not enter. Code from elsewhere enters by its qualified name only. What cannot be seen through is listed
as `opaque`. Not seen at all: `getattr(module, "name")`, monkeypatching, values mutated during the run,
methods of objects that are passed in, bodies of installed distributions.

Bytecode belongs to one Python minor version, hence `PYTHON`, a part of its own.
"""

from __future__ import annotations

import hashlib
import sys

from kindling.plan.homes import Homes
from kindling.plan.reach import Sketch
from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kindling.plan.reach import Node

PYTHON = f"{sys.implementation.name}-{sys.version_info.major}.{sys.version_info.minor}"
"""The interpreter whose bytecode the digests belong to."""


class CodeDigest(Value):
    """What a function's code amounts to.

    Attributes:
        digest: Hexadecimal SHA-256.
        opaque: What the digest does not see through, sorted: "NAME in FUNCTION: why".
    """

    digest: str
    opaque: tuple[str, ...] = ()


def code_digest(function: object, *, roots: Sequence[str]) -> CodeDigest:
    """Return the digest of one function; see `Fingerprinter` for many.

    Args:
        function: A function, or any callable made of functions.
        roots: Absolute folders that hold the app's code; the rest is foreign.
    """
    return Fingerprinter(roots).code(function)


class Fingerprinter:
    """Digests code, and shares what several pipes reach; make a new one for each plan.

    It assumes that nothing is redefined while it lives.
    """

    def __init__(self, roots: Sequence[str]) -> None:
        self._homes = Homes(roots)
        # the object is kept beside its node, so that its id stays its own
        self._nodes: dict[int, tuple[object, Node]] = {}

    def code(self, function: object) -> CodeDigest:
        """Return the digest of a function and of all that it reaches; linear in its size."""
        # Numbering by first visit makes one digest of a graph with cycles, wherever they are entered.
        numbers = {id(function): 0}
        queue = [function]
        whole = hashlib.sha256()
        opaque: set[str] = set()
        for item in queue:
            node = self._node(item)
            whole.update(node.digest)
            opaque.update(node.opaque)
            for child in node.children:
                number = numbers.setdefault(id(child), len(queue))
                if number == len(queue):
                    queue.append(child)
                whole.update(b"%d," % number)
        return CodeDigest(whole.hexdigest(), tuple(sorted(opaque)))

    def _node(self, item: object) -> Node:
        found = self._nodes.get(id(item))
        if found is None:
            found = self._nodes[id(item)] = (item, Sketch(self._homes).of(item))
        return found[1]
