from __future__ import annotations

import pytest
from workbench import Bench

import kindling as k
from kindling.plan.binding import Binding, bind
from kindling.plan.parts import Seen
from kindling.plan.plan import Reason
from kindling.plan.reasons import WORDS, Differences, moving_inputs


@pytest.fixture
def binding(bench: Bench) -> Binding:
    app = k.App("shop")
    raw = app.source("raw", k.storage("scratch"))
    memory = app.pipe(raw, name="memory", storage=k.memory())(lambda df: df)
    app.pipe(raw, memory, raw, name="out")(lambda *dfs: dfs[0])
    app.pipe(raw, name="grown", write=k.append(), incremental=k.changes())(lambda df: df)
    bench.use(app)
    return bind(app, bench.project.settings, bench.project.catalog)


def reasons(binding: Binding, old: dict[str, str], new: dict[str, str], name: str = "out") -> list[Reason]:
    seen = {"raw": Seen("2"), "memory": Seen("m")}
    return Differences(binding, seen).reasons(binding.entities[name], old, new)


def test_equal_parts_give_no_reason(binding: Binding) -> None:
    assert reasons(binding, {"code": "a", "input:raw": "1"}, {"code": "a", "input:raw": "1"}) == []


@pytest.mark.parametrize("part", WORDS)
def test_each_part_has_its_words(binding: Binding, part: str) -> None:
    assert reasons(binding, {part: "a"}, {part: "b"}) == [Reason(part, WORDS[part])]
    (told,) = reasons(binding, {part: "a"}, {part: "b"}, "grown")
    assert told.text == f"{WORDS[part]}; new rows only, --full-refresh for all"


def test_settings_and_secrets_are_named(binding: Binding) -> None:
    old = {"settings:a.b": "1", "secret:secret://env/X": "1"}
    assert reasons(binding, old, {}) == [
        Reason("settings", "the secret 'secret://env/X', which the pipe reads, changed"),
        Reason("settings", "the setting 'a.b', which the pipe reads, changed"),
    ]
    assert reasons(binding, old, {**old, "secret:secret://env/X": ""}) == [
        Reason("settings", "the secret 'secret://env/X', which the pipe reads, cannot be looked up")
    ]


def test_the_order_is_told_only_if_the_inputs_are_the_same(binding: Binding) -> None:
    same = {"input:raw": "2", "order": "1"}
    assert reasons(binding, same, {**same, "order": "2"}) == [
        Reason("options", "the order of the inputs changed")
    ]
    assert reasons(binding, same, {"input:raw": "2", "input:memory": "m", "order": "2"}) == [
        Reason("input", "'memory' is a new input")
    ]


def test_a_memory_entity_is_told_once_whether_its_code_or_its_data_changed(binding: Binding) -> None:
    old = {"input:memory": "m1", "memory:memory": "c1"}
    assert reasons(binding, old, {"input:memory": "m2", "memory:memory": "c2"}) == [
        Reason("code", "the memory entity 'memory' changed: its code or its options")
    ]
    assert reasons(binding, old, {"input:memory": "m2", "memory:memory": "c1"}) == [
        Reason("input", "what the memory entity 'memory' reads changed")
    ]


def test_moving_and_unknown_inputs_are_told_once_each(binding: Binding) -> None:
    seen = {"raw": Seen("1", will_change=True), "memory": Seen("m", is_unknown=True)}
    assert moving_inputs(binding.entities["out"], seen) == [
        Reason("upstream", "'raw' will change"),
        Reason("unknown", "nothing can be known about 'memory' without reading it"),
    ]
