from __future__ import annotations

from collections.abc import Callable
from types import ModuleType, SimpleNamespace

import pytest
from workbench import Bench

import kindling as k
from kindling.errors import PlanError
from kindling.hooks.storage import COMMIT_KEY as HOOKS_KEY
from kindling.plan.binding import Bound, bind
from kindling.plan.facts import COMMIT_KEY, Facts


class Probes:
    """A loader of one probe whose answers are given; it counts the questions."""

    def __init__(self, **answers: object) -> None:
        self.asked: list[str] = []
        self.answers = answers

    def probe(self, _storage: str) -> ModuleType | None:
        if not self.answers:
            return None
        return SimpleNamespace(**{name: self._answer(name) for name in self.answers})  # type: ignore[return-value]  # looked at by attribute

    def _answer(self, name: str) -> Callable[..., object]:
        def ask(*_: object) -> object:
            self.asked.append(name)
            answer = self.answers[name]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return ask


@pytest.fixture
def raw(bench: Bench) -> Bound:
    app = k.App("shop")
    app.source("raw.a", k.storage("scratch"))
    bench.use(app)
    return bind(app, bench.project.settings, bench.project.catalog).entities["raw.a"]


def facts(**answers: object) -> tuple[Facts, Probes]:
    probes = Probes(**answers)
    return Facts(probes), probes  # type: ignore[arg-type]  # it has what Facts asks for


def test_the_key_of_commits_is_the_one_of_the_hooks() -> None:
    assert COMMIT_KEY == HOOKS_KEY


def test_each_question_is_asked_once(raw: Bound) -> None:
    known, probes = facts(version=None, committed=None, bounds=None)
    for _ in range(3):
        assert known.version(raw) is None
        assert known.commit(raw) is None
        assert known.bounds(raw, "at") is None
    assert probes.asked == ["version", "committed", "bounds"]


def test_nothing_is_known_without_a_probe(raw: Bound) -> None:
    known, _ = facts()
    assert known.is_known(raw) is False
    assert known.version(raw) is None
    assert known.commit(raw) is None


def test_a_memory_entity_has_neither_version_nor_commit(raw: Bound) -> None:
    known, probes = facts(version="1", committed=("1", "{}"))
    memory = raw.replace(address=None)
    assert known.is_known(memory) is False
    assert (known.version(memory), known.commit(memory)) == (None, None)
    assert probes.asked == []


def test_a_commit_is_its_version_and_what_it_carries(raw: Bound) -> None:
    known, _ = facts(committed=("7", '{"app": "shop", "cursors": {"raw": "3"}}'))
    assert known.commit(raw) == ("7", {"app": "shop", "cursors": {"raw": "3"}})


@pytest.mark.parametrize("text", ["not json", "[1]", '"text"'])
def test_what_somebody_else_keeps_under_the_key_is_no_commit(raw: Bound, text: str) -> None:
    known, _ = facts(committed=("7", text))
    assert known.commit(raw) is None


def test_a_probe_that_knows_no_commits_has_none(raw: Bound) -> None:
    known, _ = facts(version="1")
    assert known.commit(raw) is None


def test_a_storage_that_cannot_be_reached_is_told_by_the_entity(raw: Bound) -> None:
    broken = OSError("the network is down")
    known, _ = facts(version=broken, committed=broken, bounds=TimeoutError())
    with pytest.raises(PlanError) as caught:
        known.version(raw)
    assert str(caught.value) == (
        "KDL-PLAN-022: the storage of 'raw.a' cannot be asked for its version\n"
        "  why: the network is down\n"
        f"  where: {raw.entity.place}"
    )
    with pytest.raises(PlanError) as caught:
        known.commit(raw)
    assert caught.value.what == "the storage of 'raw.a' cannot be asked for its newest commit"
    with pytest.raises(PlanError) as caught:
        known.bounds(raw, "at")
    assert (caught.value.what, caught.value.why) == (
        "the storage of 'raw.a' cannot be asked for its bounds of 'at'",
        "TimeoutError",
    )


def test_a_storage_that_tells_no_bounds_is_told(raw: Bound) -> None:
    known, _ = facts(version="1")
    with pytest.raises(PlanError) as caught:
        known.bounds(raw, "at")
    assert str(caught.value) == (
        "KDL-PLAN-032: the storage 'scratch' of 'raw.a' cannot tell the bounds of 'at'\n"
        "  do: say --from and --to, or read it through a table first"
    )


def test_a_probe_that_needs_credentials_is_opened_once_with_the_vaults(raw: Bound) -> None:
    opened: list[Callable[[str], str]] = []

    def open_probe(secret: Callable[[str], str]) -> object:
        opened.append(secret)
        return SimpleNamespace(version=lambda _address: secret("secret://v/x"))

    module = SimpleNamespace(version=lambda _address: "the module", open_probe=open_probe)
    loader = SimpleNamespace(probe=lambda _storage: module)
    known = Facts(loader, str.upper)  # type: ignore[arg-type]  # it has what Facts asks for
    assert (known.version(raw), known.commit(raw)) == ("SECRET://V/X", None)
    assert len(opened) == 1
    assert Facts(loader).version(raw) == "the module"  # type: ignore[arg-type]  # the same
