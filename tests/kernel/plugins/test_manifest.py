from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindling.errors import Faults, KindlingError, PluginError
from kindling.plugins.manifest import Capability, Distribution, parse_manifest

OWNER = Distribution("kindling-plugin-ore", "1.0", "kindling_plugin_ore", "/site/kindling.json")
HINT = "  do: pip install --upgrade kindling-plugin-ore, or tell its authors"
AT = "KDL-PLUG-011: the manifest of 'kindling-plugin-ore' 1.0 is wrong at"
WHERE = "  where: /site/kindling.json"


def manifest(told: dict[str, Any] | None = None, **top: object) -> dict[str, Any]:
    facts = {"api": "1.0", "features": ["reads"], "probe": "none", **(told or {})}
    return {
        "schema": "kindling.manifest/1",
        "distribution": "kindling-plugin-ore",
        "capabilities": {"storage:ore": facts},
        **top,
    }


def parse(
    plain: object, modules: dict[str, str] | None = None
) -> tuple[Distribution, tuple[Capability, ...]]:
    return parse_manifest(json.dumps(plain), OWNER, modules or {"storage:ore": "kindling_plugin_ore.plugin"})


def faults(plain: object, modules: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(KindlingError) as caught:
        parse(plain, modules)
    several = caught.value.faults if isinstance(caught.value, Faults) else (caught.value,)
    return [str(fault) for fault in several]


def test_a_sound_manifest_gives_distribution_and_capabilities() -> None:
    needs = {"read": [{"session": ["arrow-in"], "mode": "emulated"}, {"mode": "native"}]}
    plain = manifest(
        {
            "features": ["x-acme-fast", "reads"],
            "probe": "local",
            "probe_module": "kindling_plugin_ore.probe",
            "needs": needs,
            "config": {"depth": {"type": "int", "default": 3, "doc": "how deep"}},
            "help": "Ore.",
        },
        summary="Digs.",
        permissions=["network", "files"],
        conflicts=["Old_Thing"],
    )
    distribution, (ore,) = parse(plain)
    assert distribution == OWNER.replace(
        summary="Digs.", permissions=("files", "network"), conflicts=("old-thing",)
    )
    assert ore.id == "storage:ore"
    assert ore.features == ("reads", "x-acme-fast")
    assert ore.probe_module == "kindling_plugin_ore.probe"
    assert ore.needs == (("read", ((("arrow-in",), "emulated"), ((), "native"))),)
    assert ore.need("read") == ((("arrow-in",), "emulated"), ((), "native"))
    assert ore.need("merge") == ()
    assert ore.config == {"depth": {"type": "int", "default": 3, "doc": "how deep"}}
    assert ore.help == "Ore."


def test_all_faults_are_told_together() -> None:
    told = {
        "api": "one",
        "features": [],
        "probe": "nearby",
        "probes": 1,
        "needs": {},
        "config": {"depth": {"typo": "int"}},
        "help": 3,
    }
    assert faults(manifest(told, schema="other/1", distribution="someone-else", permissions=["fires"])) == [
        f"{AT} 'schema'\n  why: it is 'other/1', this kernel reads 'kindling.manifest/1'\n{WHERE}\n{HINT}",
        (
            f"{AT} 'distribution'\n  why: it is 'someone-else', installed is 'kindling-plugin-ore'\n"
            f"{WHERE}\n{HINT}"
        ),
        (
            f"{AT} 'capabilities.storage:ore'\n  why: 'probes' is unknown, did you mean 'probe'?\n"
            f"{WHERE}\n{HINT}"
        ),
        f"{AT} 'capabilities.storage:ore.api'\n  why: 'one' is not a version like '1.0'\n{WHERE}\n{HINT}",
        (
            f"{AT} 'capabilities.storage:ore.probe'\n  why: 'nearby' is unknown, known: local, none, remote\n"
            f"{WHERE}\n{HINT}"
        ),
        (
            f"{AT} 'capabilities.storage:ore.config.depth'\n  why: 'typo' is unknown, did you mean 'type'?\n"
            f"{WHERE}\n{HINT}"
        ),
        f"{AT} 'capabilities.storage:ore.config.depth.type'\n  why: it is missing\n{WHERE}\n{HINT}",
        f"{AT} 'capabilities.storage:ore.help'\n  why: it is 3, expected a text\n{WHERE}\n{HINT}",
        f"{AT} 'permissions'\n  why: 'fires' is unknown, did you mean 'files'?\n{WHERE}\n{HINT}",
    ]


def whys(told: dict[str, Any], capability: str = "storage:ore") -> list[tuple[str, str]]:
    plain = manifest()
    plain["capabilities"] = {capability: told}
    with pytest.raises(KindlingError) as caught:
        parse(plain, {capability: "kindling_plugin_ore.plugin"})
    several = caught.value.faults if isinstance(caught.value, Faults) else (caught.value,)
    return [(str(fault.what).partition(f"{capability}")[2].rstrip("'"), fault.why) for fault in several]


def test_unknown_features_are_told_with_what_was_meant() -> None:
    told = {"api": "1.0", "probe": "none", "features": ["read", "x-fast"]}
    (at, first), (_, second) = whys(told)
    assert (at, first) == (".features", "'read' is unknown, did you mean 'reads'?")
    assert second.startswith("'x-fast' is unknown, known: changes, cursors,")


def test_a_newer_api_may_bring_features_that_this_kernel_does_not_know() -> None:
    _, (ore,) = parse(manifest({"api": "1.9", "features": ["teleports"], "needs": {"teleport": []}}))
    assert ore.features == ("teleports",)
    assert ore.needs == ()


def test_needs_are_checked_use_by_use() -> None:
    told = {
        "api": "1.0",
        "probe": "none",
        "features": ["reads"],
        "needs": {
            "read": [],
            "merge": [{"session": ["spark-sqll"], "mode": "nativ", "when": 1}],
            "marge": [{"session": [], "mode": "native"}],
            "overwrite": {},
        },
    }
    assert whys(told) == [
        (".needs", "'marge' is unknown, did you mean 'merge'?"),
        (".needs.overwrite", "the feature 'writes' is not listed"),
        (".needs.merge", "the feature 'merges' is not listed"),
        (".needs.merge[0]", "'when' is unknown, known: mode, session"),
        (".needs.merge[0].session", "'spark-sqll' is unknown, did you mean 'spark-sql'?"),
        (".needs.merge[0].mode", "'nativ' is unknown, did you mean 'native'?"),
        (".needs.overwrite", 'it is no list of alternatives; write [{"session": [], "mode": "native"}]'),
        (".needs.read", 'it is no list of alternatives; write [{"session": [], "mode": "native"}]'),
    ]


def test_a_probe_and_its_module_go_together() -> None:
    base = {"api": "1.0", "features": []}
    assert whys({**base, "probe": "local"}) == [(".probe_module", "it is missing, and the probe is 'local'")]
    assert whys({**base, "probe": "none", "probe_module": "a.b"}) == [
        (".probe_module", "it is given, and the probe is 'none'")
    ]
    assert whys(base) == [(".probe", "it is missing")]


def test_only_storages_have_probes_and_needs() -> None:
    told = {"api": "1.0", "probe": "none", "probe_module": "a", "needs": {}}
    assert whys(told, "platform:ore") == [
        (".probe", "only storages have it"),
        (".probe_module", "only storages have it"),
        (".needs", "only storages have it"),
    ]


def test_only_commands_add_to_groups_and_only_to_known_ones() -> None:
    told = {"api": "1.0", "probe": "none", "subcommands": {"plugins": {"dig": "Dig."}}}
    assert whys(told) == [(".subcommands", "only commands have it")]
    told = {"api": "1.1", "subcommands": {"plugin": {"dig": "Dig."}, "plugins": {"dug": 1}}}
    assert whys(told, "command:ore") == [
        (".subcommands", "'plugin' is unknown, did you mean 'plugins'?"),
        (".subcommands.plugins.dug", "it is 1, expected a text"),
    ]


def test_wrong_types_are_told_where_they_stand() -> None:
    assert faults(manifest(capabilities=[])) == [
        f"{AT} 'capabilities'\n  why: it is [], expected an object\n{WHERE}\n{HINT}",
        (
            "KDL-PLUG-012: manifest and entry points of 'kindling-plugin-ore' 1.0 disagree on 'storage:ore'\n"
            "  why: an entry point without a capability in the manifest\n"
            f"{WHERE}\n  do: add 'storage:ore' to its capabilities"
        ),
    ]
    assert whys({"api": "1.0", "probe": "none", "features": "reads"}) == [
        (".features", "it is 'reads', expected a list of texts")
    ]


def test_an_unknown_key_at_the_top_is_told() -> None:
    assert faults(manifest(permission=["files"])) == [
        f"{AT} 'its top'\n  why: 'permission' is unknown, did you mean 'permissions'?\n{WHERE}\n{HINT}"
    ]


def test_a_capability_without_an_entry_point_is_told_with_the_lines_to_add() -> None:
    plain = manifest()
    plain["capabilities"]["storage:gem"] = {"api": "1.0"}
    plain["capabilities"]["Storage:Ore"] = {"api": "1.0"}
    assert faults(plain) == [
        (
            "KDL-PLUG-012: manifest and entry points of 'kindling-plugin-ore' 1.0 disagree on 'storage:gem'\n"
            f"  why: no entry point 'gem' in the group 'kindling.storage'\n{WHERE}\n"
            '  do: add gem = "module" under [project.entry-points."kindling.storage"]'
        ),
        (
            f"{AT} 'capabilities.Storage:Ore'\n"
            "  why: expected kind:name, kind one of platform, storage, secrets, masking, lineage, executor, "
            "state, "
            f"command, sink\n{WHERE}\n{HINT}"
        ),
    ]


def test_what_is_not_json_is_told_with_its_place() -> None:
    with pytest.raises(KindlingError) as caught:
        parse_manifest("{", OWNER, {"storage:ore": "m"})
    assert str(caught.value) == (
        "KDL-PLUG-010: the manifest of 'kindling-plugin-ore' 1.0 cannot be read\n"
        "  why: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)\n"
        f"{WHERE}\n  do: pip install --force-reinstall kindling-plugin-ore, or tell its authors"
    )
    assert caught.value.facts["capabilities"] == ["storage:ore"]


def test_capabilities_are_values() -> None:
    _, (one,) = parse(manifest({"config": {"a": {"type": "int"}}}))
    _, (other,) = parse(manifest({"config": {"a": {"type": "float"}}}))
    assert one != other
    assert hash(one) == hash(other)
    assert one == one.replace()


texts = st.text(max_size=8)
alternatives = st.lists(st.tuples(st.lists(texts, max_size=2).map(tuple), texts), min_size=1, max_size=2).map(
    tuple
)


@given(
    features=st.lists(texts, max_size=3).map(tuple),
    needs=st.lists(st.tuples(texts, alternatives), max_size=3).map(tuple),
    config=st.dictionaries(texts, st.dictionaries(texts, texts, max_size=2), max_size=2),
)
def test_a_capability_survives_json(
    features: tuple[str, ...], needs: tuple[Any, ...], config: dict[str, dict[str, object]]
) -> None:
    made = Capability("storage", "a", "d", "1", "1.0", "m", features, "none", "", needs, config, "h")
    assert Capability.from_plain(json.loads(json.dumps(made.to_plain()))) == made


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=12,
    )
)
def test_any_json_is_read_or_refused_and_never_breaks_the_reader(plain: object) -> None:
    for shape in (
        plain,
        {"capabilities": {"storage:ore": plain}},
        manifest({"needs": plain, "config": plain}),
    ):
        with suppress(PluginError, Faults):
            parse(shape)
