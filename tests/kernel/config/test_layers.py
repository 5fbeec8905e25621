from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindling.config.layers import merge
from kindling.config.leaves import Leaf
from kindling.config.settings import Settings, load_settings
from kindling.errors import ConfigError, Faults

Load = Callable[..., Settings]
Write = Callable[..., None]

# Words that dynaconf treats specially, in several cases and with separators, must be ordinary here.
_parts = st.sampled_from(
    ["a", "A", "Ä", "dynaconf_merge", "a__b", "a.b", "items", "get", "ß", "x-y", "=", "%41;", ""]
)
_values = st.one_of(
    st.integers(),
    st.booleans(),
    st.sampled_from(["", "x", "@del", "@merge"]),
    st.lists(st.integers(), max_size=3),
)
# All paths have two parts: tables and values never stand at one place, as the schema guarantees.
_layer = st.dictionaries(st.tuples(_parts, _parts), _values, max_size=5)


@given(st.lists(_layer, max_size=5))
def test_the_highest_layer_that_sets_a_value_wins_and_lends_its_origin(
    layers: list[dict[tuple[str, str], object]],
) -> None:
    expected: dict[tuple[str, ...], tuple[object, str]] = {}
    given_leaves = []
    for number, layer in enumerate(layers):
        given_leaves.append([Leaf(path, value, f"layer {number}") for path, value in layer.items()])  # type: ignore[arg-type]
        expected.update({path: (value, f"layer {number}") for path, value in layer.items()})
    merged = merge(given_leaves)
    assert {leaf.path: (leaf.value, leaf.origin) for leaf in merged} == expected
    assert [leaf.path for leaf in merged] == sorted(expected)


NAMES = ("plugin", "platform", "root", "environment", "secrets", "variable", "set", "app")
ORIGINS = (
    "default of executor:threads",
    "default of the platform",
    "kindling.toml:2",
    "kindling.dev.toml:2",
    ".secrets.toml:2",
    "environment variable KINDLING_EXECUTOR__THREADS__LABEL",
    "--set",
    "App(settings=...)",
)


@given(st.sets(st.sampled_from(NAMES), min_size=1))
def test_any_combination_of_layers_gives_the_highest_of_them(
    tmp_path_factory: pytest.TempPathFactory, present: set[str]
) -> None:
    project = tmp_path_factory.mktemp("project")
    files = {"root": "kindling.toml", "environment": "kindling.dev.toml", "secrets": ".secrets.toml"}
    for name, file in files.items():
        if name in present:
            (project / file).write_text(f'[executor.threads]\nlabel = "{name}"\n', encoding="utf-8")
    default = {"default": "plugin"} if "plugin" in present else {}
    settings = load_settings(
        str(project),
        environ={"KINDLING_EXECUTOR__THREADS__LABEL": "variable"} if "variable" in present else {},
        overrides={"executor.threads.label": "set"} if "set" in present else {},
        app_settings={"executor": {"threads": {"label": "app"}}} if "app" in present else {},
        platform_defaults={"executor.threads.label": "platform"} if "platform" in present else {},
        plugin_schemas={"executor:threads": {"label": {"type": "string", **default}}},
    )
    highest = max(present, key=NAMES.index)
    assert settings.plugin("executor:threads") == {"label": highest}
    assert settings.origin("executor.threads.label") == ORIGINS[NAMES.index(highest)]


def test_lists_are_replaced_and_tables_are_merged(write: Write, load: Load) -> None:
    write('[plugins]\ndisable = ["a", "b"]\nallow = ["c"]\n')
    write('[plugins]\ndisable = ["d"]\n', "kindling.dev.toml")
    settings = load()
    assert settings.get("plugins.disable") == ["d"]
    assert settings.get("plugins.allow") == ["c"]


def test_a_project_without_files_has_the_defaults(load: Load) -> None:
    settings = load()
    assert settings.environment == "dev"
    assert [settings.get(kind) for kind in ("platform", "executor", "state", "storage")] == [
        "sail",
        "threads",
        "sqlite",
        "delta",
    ]
    assert settings.get("run.workers") == len(os.sched_getaffinity(0))
    assert settings.get("locations.lake.uri") == "lake/{environment}"
    assert settings.origin("run.retries") == "default of kindling-core"


def test_the_default_location_yields_to_a_catalog(write: Write, load: Load) -> None:
    write('[locations.lake]\ncatalog = "main_{environment}"\n')
    assert load().table("locations") == {"lake": {"catalog": "main_{environment}"}}


def test_two_environments_stand_side_by_side(write: Write, load: Load) -> None:
    write('environments = ["dev", "prod"]\n[run]\nretries = 1\ngrace_s = 2\n')
    write("[run]\nretries = 9\n", "kindling.prod.toml")
    dev, prod = load(environment="dev"), load(environment="prod")
    assert (dev.environment, dev.get("run.retries")) == ("dev", 1)
    assert (prod.environment, prod.get("run.retries")) == ("prod", 9)
    assert dev.get("run.grace_s") == prod.get("run.grace_s") == 2.0
    assert load(environ={"KINDLING_ENV": "prod"}).environment == "prod"
    assert load(environ={"KINDLING_ENV": "prod"}, environment="dev").environment == "dev"


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"environment": "prdo"}, "--env"),
        ({"environ": {"KINDLING_ENV": "prdo"}}, "environment variable KINDLING_ENV"),
    ],
)
def test_an_unknown_environment_is_refused(
    write: Write, load: Load, options: dict[str, object], where: str
) -> None:
    write('environments = ["dev", "prod"]\n')
    with pytest.raises(ConfigError) as caught:
        load(**options)
    assert str(caught.value) == (
        "KDL-CONF-006: there is no environment 'prdo'\n"
        "  why: 'environments' lists dev, prod\n"
        f"  where: {where}\n"
        "  do: did you mean 'prod'?"
    )


def test_a_default_environment_that_does_not_exist_is_refused(write: Write, load: Load) -> None:
    write('app = "a:b"\ndefault_environment = "test"\n')
    with pytest.raises(ConfigError) as caught:
        load()
    assert str(caught.value) == (
        "KDL-CONF-006: there is no environment 'test'\n"
        "  why: 'environments' lists dev\n"
        "  where: kindling.toml:2\n"
        "  do: add 'test' to 'environments' in kindling.toml"
    )


def test_a_misspelt_protected_environment_is_refused(write: Write, load: Load) -> None:
    write('environments = ["dev", "prod"]\nprotected = ["prdo"]\n')
    with pytest.raises(ConfigError) as caught:
        load()
    assert (caught.value.code, caught.value.where) == ("KDL-CONF-006", "kindling.toml:2")


def test_text_that_is_not_toml_names_the_line(write: Write, load: Load) -> None:
    write('app = "a:b"\n[run\nworkers = 1\n')
    with pytest.raises(ConfigError) as caught:
        load()
    assert str(caught.value) == (
        "KDL-CONF-002: 'kindling.toml' is not valid TOML\n"
        "  why: expected ']' at the end of a table declaration\n"
        "  where: kindling.toml:2"
    )


def test_an_engine_key_that_is_value_and_table_is_explained(write: Write, load: Load) -> None:
    write("[spark]\nspark.speculation = true\nspark.speculation.interval = 1\n")
    with pytest.raises(ConfigError) as caught:
        load()
    assert caught.value.hint == (
        'a key that is both a value and a table must be quoted: "spark.speculation" = true'
    )


def test_a_chosen_capability_beside_its_table_is_explained(write: Write, load: Load) -> None:
    write('platform = "duckdb"\n[platform.duckdb]\nmemory = "1GB"\n')
    with pytest.raises(ConfigError) as caught:
        load()
    assert str(caught.value) == (
        "KDL-CONF-002: 'kindling.toml' is not valid TOML\n"
        "  why: cannot overwrite a value\n"
        "  where: kindling.toml:2\n"
        '  do: write platform.default = "..." in place of platform = "..."'
    )
    write('platform.default = "duckdb"\n[platform.duckdb]\nmemory = "1GB"\n')
    assert load().get("platform") == "duckdb"


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path, load: Load) -> None:
    (tmp_path / "kindling.toml").write_bytes(b'app = "\xff"\n')
    with pytest.raises(ConfigError) as caught:
        load()
    assert str(caught.value) == (
        "KDL-CONF-011: 'kindling.toml' cannot be read\n  why: it is not UTF-8\n  where: kindling.toml"
    )


KEYS = {"spark.sql.shuffle.partitions": "2", "spark.sql.caseSensitive": "true", "spark.speculation": "true"}


@pytest.mark.parametrize(
    "text",
    [
        "[spark]\nspark.sql = { shuffle.partitions = 2, caseSensitive = true }\nspark.speculation = true\n",
        '[spark]\n"spark.sql.shuffle.partitions"=2\n"spark.sql.caseSensitive"=true\nspark.speculation=true',
        "[spark.spark]\nspeculation=true\n[spark.spark.sql]\nshuffle.partitions=2\ncaseSensitive=true\n",
        "spark.sql.shuffle.partitions = 2\nspark.sql.caseSensitive = true\nspark.spark.speculation = true\n",
    ],
)
def test_engine_keys_arrive_from_a_file_in_each_spelling(write: Write, load: Load, text: str) -> None:
    write(text)
    assert load().spark == KEYS


def test_engine_keys_arrive_from_every_other_side(write: Write, load: Load) -> None:
    dotted = {f"spark.{key}": value for key, value in KEYS.items()}
    assert load(overrides=dotted).spark == KEYS
    assert load(app_settings={"spark": dict(KEYS)}).spark == KEYS
    assert load(platform_defaults={"spark": {**KEYS, "spark.speculation": True}}).spark == KEYS
    assert load(overrides={"spark.sql.shuffle.partitions": 2}).spark == {"spark.sql.shuffle.partitions": "2"}
    variables = {
        "KINDLING_SPARK__SPARK__SQL__SHUFFLE__PARTITIONS": "2",
        "KINDLING_SPARK__spark__sql__caseSensitive": "true",
        "KINDLING_SPARK__SPARK__SPECULATION": "true",
    }
    assert load(environ=variables).spark == KEYS
    assert load(environ={"KINDLING_SPARK": '{ "spark.sql.caseSensitive" = true }'}).spark == {
        "spark.sql.caseSensitive": "true"
    }
    write("[spark]\nspark.sql.caseSensitive = false\n")
    assert load(environ={"KINDLING_SPARK__SPARK__SQL__CASESENSITIVE": "true"}).spark == {
        "spark.sql.caseSensitive": "true"
    }


def test_a_key_and_its_extension_live_together_and_layers_override_by_key(write: Write, load: Load) -> None:
    write('[spark]\n"spark.speculation" = false\n"spark.speculation.interval" = "1s"\nspark.Case = 1\n')
    write('[spark]\n"spark.speculation" = true\nspark.case = 2\n', "kindling.dev.toml")
    assert load().spark == {
        "spark.speculation": "true",
        "spark.speculation.interval": "1s",
        "spark.Case": "1",
        "spark.case": "2",
    }


def test_variables_take_the_type_of_their_setting(load: Load) -> None:
    settings = load(
        environ={
            "KINDLING_RUN": "{ retries = 5 }",
            "KINDLING_RUN__WORKERS": "4",
            "KINDLING_RUN__TIMEOUT_S": "90",
            "KINDLING_APP": "1",
            "KINDLING_PLATFORM": "duckdb",
            "KINDLING_LOCATIONS__LAKE__SHARED": "True",
            "KINDLING_LOCATIONS__LAKE__URI": "lake",
            "KINDLING_PLUGINS__DISABLE": "a, b",
            "KINDLING_PLUGINS__ALLOW": '["c"]',
            "KINDLING_ENTITIES__BRONZE__FLIGHTS__RETRIES": "0",
            "KINDLING_SETTINGS__LIMIT": "7",
            "KINDLING_SETTINGS__WORD": "seven",
        }
    )
    found = {
        key: settings.get(key) for key in ("run.workers", "run.timeout_s", "run.retries", "app", "platform")
    }
    assert found == {
        "run.workers": 4,
        "run.timeout_s": 90.0,
        "run.retries": 5,
        "app": "1",
        "platform": "duckdb",
    }
    assert settings.get("locations.lake.shared") is True
    assert settings.get("plugins.disable") == ["a", "b"]
    assert settings.get("plugins.allow") == ["c"]
    assert settings.get("entities.bronze.flights.retries") == 0
    assert settings.table("settings") == {"limit": 7, "word": "seven"}


def test_dynaconf_itself_listens_to_nobody_else(write: Write, load: Load, tmp_path: Path) -> None:
    write("[run]\nretries = 1\n")
    (tmp_path / ".env").write_text("KINDLING_RUN__RETRIES=8\n", encoding="utf-8")
    (tmp_path / "settings.toml").write_text("[run]\nretries = 9\n", encoding="utf-8")
    foreign = tmp_path / "foreign.toml"
    foreign.write_text("[KINDLING.'=run']\nx = 1\n", encoding="utf-8")
    before = dict(os.environ)
    os.environ["SETTINGS_FILE_FOR_DYNACONF"] = str(foreign)
    os.environ["DYNACONF_KINDLING__X"] = "1"
    try:
        settings = load()
    finally:
        os.environ.clear()
        os.environ.update(before)
    assert settings.get("run.retries") == 1
    assert "x" not in settings.to_plain()["run"]  # type: ignore[operator]


def test_faults_of_the_root_file_come_first_and_alone(write: Write, load: Load) -> None:
    write("environments = 1\nprotected = 2\n")
    with pytest.raises(Faults) as caught:
        load(overrides={"nonsense": "1"})
    assert [fault.where for fault in caught.value.faults] == ["kindling.toml:1", "kindling.toml:2"]
