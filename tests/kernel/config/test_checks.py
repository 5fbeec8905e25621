"""The texts of all faults that are found in values."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kindling.config.settings import Settings
from kindling.errors import ConfigError, Faults

Load = Callable[..., Settings]
Write = Callable[..., None]


def fault(load: Load, **options: object) -> str:
    with pytest.raises(ConfigError) as caught:
        load(**options)
    return str(caught.value)


def test_a_misspelt_setting_names_its_line_and_what_it_may_have_been(write: Write, load: Load) -> None:
    write('app = "a:b"\n\n[run]\n# how many\nwrokers = 4\n')
    assert fault(load) == (
        "KDL-CONF-003: 'run.wrokers' is not a setting\n"
        "  where: kindling.toml:5\n"
        "  do: did you mean 'workers'?"
    )


def test_a_misspelt_table_is_reported_once_at_its_header(write: Write, load: Load) -> None:
    write("[rnu]\nworkers = 4\nretries = 1\n")
    assert fault(load) == (
        "KDL-CONF-003: 'rnu' is not a setting\n  where: kindling.toml:1\n  do: did you mean 'run'?"
    )


def test_a_name_like_no_other_lists_the_known_ones(write: Write, load: Load) -> None:
    write("[naming]\nzzz = 1\n")
    assert fault(load) == (
        "KDL-CONF-003: 'naming.zzz' is not a setting\n"
        "  why: [naming] knows template\n"
        "  where: kindling.toml:2"
    )


def test_a_misspelt_setting_of_a_plugin_is_found(write: Write, load: Load) -> None:
    write("[storage.delta]\nchekpoint = 4\n")
    schemas = {"storage:delta": {"checkpoint": {"type": "int", "default": 10}}}
    assert fault(load, plugin_schemas=schemas) == (
        "KDL-CONF-003: 'storage.delta.chekpoint' is not a setting\n"
        "  where: kindling.toml:2\n"
        "  do: did you mean 'checkpoint'?"
    )


def test_a_misspelt_field_of_an_entity_is_found(write: Write, load: Load) -> None:
    write('[entities."bronze.flights"]\npaht = "x"\n')
    assert fault(load) == (
        "KDL-CONF-003: 'entities.\"bronze.flights\".paht' is not a setting\n"
        "  where: kindling.toml:2\n"
        "  do: did you mean 'path'?"
    )


def test_a_wrong_type_names_both_types_and_never_the_value(write: Write, load: Load) -> None:
    write('[run]\nworkers = "four"\n')
    assert fault(load) == (
        "KDL-CONF-004: 'run.workers' is a string\n  why: expected an integer\n  where: kindling.toml:2"
    )


def test_a_truth_value_is_no_integer(write: Write, load: Load) -> None:
    write("[run]\nworkers = true\n")
    assert fault(load) == (
        "KDL-CONF-004: 'run.workers' is true or false\n  why: expected an integer\n  where: kindling.toml:2"
    )


def test_a_value_in_place_of_a_table_is_refused(write: Write, load: Load) -> None:
    write("run = 4\n")
    assert fault(load) == (
        "KDL-CONF-004: 'run' is an integer\n  why: expected a table\n  where: kindling.toml:1"
    )


def test_a_table_in_place_of_a_value_is_refused(write: Write, load: Load) -> None:
    write("[app]\nx = 4\n")
    assert fault(load) == (
        "KDL-CONF-004: 'app' is a table\n  why: expected a string\n  where: kindling.toml:1"
    )


def test_a_credential_in_plain_text_is_refused_and_not_shown(write: Write, load: Load) -> None:
    write('[locations.lake]\nuri = "lake"\ncredential = "hunter2"\n')
    text = fault(load)
    assert text == (
        "KDL-CONF-004: 'locations.lake.credential' is other text\n"
        "  why: expected a secret:// reference\n"
        "  where: kindling.toml:3\n"
        "  do: write secret://vault/path and keep the value in the vault"
    )


def test_a_value_that_is_not_allowed_names_the_allowed_ones(write: Write, load: Load) -> None:
    write('[run]\non_error = "stopp"\n')
    assert fault(load) == (
        "KDL-CONF-007: 'run.on_error' is 'stopp'\n"
        "  why: expected one of skip-dependents, stop\n"
        "  where: kindling.toml:2\n"
        "  do: did you mean 'stop'?"
    )


def test_a_number_that_is_too_small_is_refused(load: Load) -> None:
    assert fault(load, overrides={"run.workers": "0"}) == (
        "KDL-CONF-007: 'run.workers' is 0\n  why: expected 1 or more\n  where: --set"
    )


def test_a_value_of_the_secrets_file_is_never_shown(write: Write, load: Load) -> None:
    write('[run]\non_error = "hunter2"\n', ".secrets.toml")
    assert fault(load) == (
        "KDL-CONF-007: 'run.on_error' is a value\n"
        "  why: expected one of skip-dependents, stop\n"
        "  where: .secrets.toml:2"
    )


@pytest.mark.parametrize(
    ("value", "token"),
    [
        ('"@int 3"', "@int"),
        ('"@format {this.app}"', "@format"),
        ('"@jinja {{ this.app }}"', "@jinja"),
        ('"@none"', "@none"),
        ('["a", "@merge b"]', "@merge"),
        ('{ deep = "@read_file x" }', "@read_file"),
    ],
)
def test_tokens_are_refused_with_file_and_line(write: Write, load: Load, value: str, token: str) -> None:
    write(f'app = "a:b"\n[settings]\nlist = [\n  1,\n]\nname = {value}\n')
    where = "'settings.name'" if not value.startswith("{") else "'settings.name.deep'"
    assert fault(load) == (
        f"KDL-CONF-005: {where} begins with the token '{token}'\n"
        "  why: settings are plain values: nothing in them is evaluated\n"
        "  where: kindling.toml:6\n"
        "  do: write the value itself, or secret://vault/path for a secret"
    )


def test_tokens_are_refused_from_every_side(load: Load) -> None:
    assert "KDL-CONF-005" in fault(load, overrides={"app": "@jinja x"})
    assert "KDL-CONF-005" in fault(load, app_settings={"spark.sql.x": "@format x"})
    assert "environment variable KINDLING_APP" in fault(load, environ={"KINDLING_APP": "@get x"})


def test_text_that_only_looks_like_a_token_is_kept(write: Write, load: Load) -> None:
    write('[settings]\nmail = "@team"\nword = "@integer"\n')
    assert load().table("settings") == {"mail": "@team", "word": "@integer"}


@pytest.mark.parametrize("layer", ["overrides", "app_settings"])
def test_protection_is_decided_in_one_file(load: Load, layer: str) -> None:
    assert fault(load, **{layer: {"protected": []}}) == (
        "KDL-CONF-012: 'protected' cannot be set here\n"
        "  why: which environments exist and which are protected is decided once, for all of them\n"
        f"  where: {'--set' if layer == 'overrides' else 'App(settings=...)'}\n"
        "  do: set it in kindling.toml"
    )


def test_a_malformed_reference_is_found_at_any_depth(write: Write, load: Load) -> None:
    write('[settings]\nlist = ["secret://env/A", "x secret://env/B"]\n')
    assert fault(load) == (
        "KDL-CONF-021: a secret reference is malformed\n"
        "  why: expected secret://vault/path or secret://vault/path#field, as the whole value\n"
        "  where: kindling.toml:2\n"
        "  do: for example secret://env/DB_PASSWORD"
    )


def test_all_faults_are_raised_together_in_the_order_of_the_layers(write: Write, load: Load) -> None:
    write("[run]\nretries = 2\n")
    write('[run]\nwrokers = 4\nretries = "2"\n', "kindling.dev.toml")
    with pytest.raises(Faults) as caught:
        load(environ={"KINDLING_RUN__GRACE_S": "soon"}, overrides={"plaform": "x"})
    assert [(fault.code, fault.where) for fault in caught.value.faults] == [
        ("KDL-CONF-003", "kindling.dev.toml:2"),
        ("KDL-CONF-004", "kindling.dev.toml:3"),
        ("KDL-CONF-004", "environment variable KINDLING_RUN__GRACE_S"),
        ("KDL-CONF-003", "--set"),
    ]
