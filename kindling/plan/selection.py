"""Which entities a command is about: the selection grammar. Not what is done with them.

name, silver.*      by name or glob (`*`, `?`, `[ab]`)
tag:gold            by tag, globs allowed
state:modified      whose declarations changed since their last success
+x, x+, +x+         with all before, behind, or both; 2+x, x+1 so many steps
x,y                 both must hold; several expressions (or spaces): one of them must
!x                  none of these; the same as to exclude x
"""

from __future__ import annotations

import re

from kindling.errors import PlanError, raise_together
from kindling.names import close_names, did_you_mean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from kindling.plan.graph import Graph

_TERM = re.compile(r"(?:(?P<before>\d*)(?P<plus>\+))?(?P<body>[^+!,\s]+)(?:(?P<more>\+)(?P<behind>\d*))?")
_GLOB = frozenset("*?[")
_MOST_SHOWN = 20


def select(
    expressions: Sequence[str],
    exclude: Sequence[str] = (),
    *,
    graph: Graph,
    tags: Mapping[str, Collection[str]],
    modified: Collection[str] = (),
) -> frozenset[str]:
    """Return the names that the expressions select.

    Args:
        expressions: Any of them selects; none at all, or exclusions only, stand for everything.
        exclude: Taken away afterwards, in the same grammar.
        graph: All entities and their needs.
        tags: Tags by entity name.
        modified: What `state:modified` stands for.

    Raises:
        PlanError: KDL-PLAN-050, a name, glob or tag matches nothing; KDL-PLAN-051, an expression is
            malformed; KDL-PLAN-052, nothing is left. The first two are collected into `Faults`.
    """
    wanted = [word for text in expressions for word in text.split()]
    refused = [word for text in exclude for word in text.split()]
    refused += [word[1:] for word in wanted if word.startswith("!")]
    wanted = [word for word in wanted if not word.startswith("!")] or ["*"]
    finder = _Finder(graph, tags, frozenset(modified))
    found = finder.any_of(wanted) - finder.any_of(refused)
    raise_together(finder.faults)
    if not found and len(graph):
        without = f" without {' '.join(refused)!r}" if refused else ""
        raise PlanError(
            "KDL-PLAN-052",
            f"{' '.join(wanted)!r}{without} selects nothing",
            why="each part of it exists, but no entity is left",
            hint="see what there is: kindling graph",
            wanted=wanted,
            refused=refused,
        )
    return found


class _Finder:
    """Evaluates expressions and collects their faults."""

    def __init__(self, graph: Graph, tags: Mapping[str, Collection[str]], modified: frozenset[str]) -> None:
        self._graph = graph
        self._modified = modified.intersection(graph)
        self._tagged: dict[str, set[str]] = {}
        for name, given in tags.items():
            for tag in given:
                self._tagged.setdefault(tag, set()).add(name)
        self.faults: list[PlanError] = []

    def any_of(self, words: Iterable[str]) -> frozenset[str]:
        """Return the union of several expressions."""
        return frozenset(name for word in words for name in self._all_of(word))

    def _all_of(self, word: str) -> frozenset[str]:
        return frozenset.intersection(*(self._term(term, word) for term in word.split(",")))

    def _term(self, term: str, word: str) -> frozenset[str]:
        match = _TERM.fullmatch(term)
        if match is None:
            shown = f"{term!r} in {word!r}" if term != word else repr(term)
            return self._refuse(
                shown, "expected a name, a glob, tag:NAME or state:modified, and '+' around it"
            )
        core = self._body(match["body"])
        found = core
        if match["plus"]:
            found |= self._graph.ancestors(*core, depth=_steps(match["before"]))
        if match["more"]:
            found |= self._graph.descendants(*core, depth=_steps(match["behind"]))
        return found

    def _refuse(self, shown: str, why: str) -> frozenset[str]:
        hint = "for example 'silver.*', '+gold.report', 'tag:nightly,2+gold.*'"
        self.faults.append(PlanError("KDL-PLAN-051", f"{shown} is not a selection", why=why, hint=hint))
        return frozenset()

    def _body(self, body: str) -> frozenset[str]:
        method, colon, value = body.partition(":")
        if not colon:
            return self._matching(body, {name: {name} for name in self._graph}, "entity")
        if method == "tag" and value:
            return self._matching(value, self._tagged, "tag")
        if body == "state:modified":
            return self._modified
        return self._refuse(
            repr(body), "what stands before the colon may be tag or state, as in state:modified"
        )

    def _matching(self, pattern: str, known: Mapping[str, Collection[str]], noun: str) -> frozenset[str]:
        if pattern in known:
            return frozenset(known[pattern])
        if pattern == "*":
            return frozenset(name for names in known.values() for name in names)
        if not _GLOB.intersection(pattern):
            return self._unknown(f"no {noun} is called {pattern!r}", pattern, known)
        from fnmatch import fnmatchcase

        found = [name for key, names in known.items() if fnmatchcase(key, pattern) for name in names]
        return frozenset(found) or self._unknown(f"no {noun} matches {pattern!r}", pattern, known)

    def _unknown(self, what: str, pattern: str, known: Collection[str]) -> frozenset[str]:
        near = close_names(pattern, known) if len(known) > _MOST_SHOWN else known
        why = did_you_mean(pattern, near)
        hint = "see what there is: kindling graph"
        self.faults.append(PlanError("KDL-PLAN-050", what, why=why, hint=hint, name=pattern))
        return frozenset()


def _steps(text: str | None) -> int | None:
    return int(text) if text else None
