from __future__ import annotations

from kindling.config.schema import KERNEL, Schema, Setting

PLUGIN = {
    "storage:delta": {
        "checkpoint_every": {
            "type": "integer",
            "default": 10,
            "doc": "commits between checkpoints",
            "least": 1,
        },
        "mode": {"type": "string", "choices": ["fast", "safe"]},
        "extra": {"type": "table"},
    },
    "platform:sail": {},
}


def test_each_setting_of_the_kernel_is_found_and_documented() -> None:
    schema = Schema({})
    for setting in KERNEL:
        path = tuple("x" if part == "*" else part for part in setting.name.split("."))
        assert schema.find(path) == setting
        assert setting.doc


def test_an_unknown_path_says_how_far_it_is_known() -> None:
    schema = Schema({})
    assert schema.find(("rnu",)) == 0
    assert schema.find(("run", "wrokers")) == 1
    assert schema.find(("run", "workers", "x")) == 2
    assert schema.find(("run",)) == 1


def test_settings_of_plugins_in_use_are_checked_and_others_are_not() -> None:
    schema = Schema(PLUGIN)
    found = schema.find(("storage", "delta", "checkpoint_every"))
    assert isinstance(found, Setting)
    assert (found.type, found.default, found.least) == ("int", 10, 1)
    assert schema.find(("storage", "delta", "checkpoint_evry")) == 2
    assert schema.find(("platform", "sail", "anything")) == 2
    free = schema.find(("storage", "iceberg", "anything", "deep"))
    assert isinstance(free, Setting)
    assert free.type == "any"


def test_names_at_a_path_leave_out_the_chosen_ones() -> None:
    schema = Schema(PLUGIN)
    assert schema.names_at(("storage",)) == ("delta", "default")
    assert "uri" in schema.names_at(("locations", "lake"))
    assert schema.names_at(("run", "workers", "x")) == ()
    assert schema.is_setting(("run", "workers"))
    assert not schema.is_setting(("run",))
