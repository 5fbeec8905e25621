from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kindling.config.settings import (
    Settings,
    environment_of,
    find_project,
    load_settings,
    project_state_dir,
)
from kindling.errors import ConfigError, PolicyError

Load = Callable[..., Settings]
Write = Callable[..., None]

TEXT = """\
app = "flights.app:app"
platform.default = "duckdb"

[run]
workers = 3

[platform.duckdb]
memory = "1GB"

[entities."bronze.flights"]
path = "data/x.csv"
retries = 1

[entities.silver.flights]
location = "lake"

[plugins.prefer]
"storage:delta" = "kindling-plugin-delta"
"""


def test_values_and_tables_are_reached_by_dotted_keys(write: Write, load: Load) -> None:
    write(TEXT)
    settings = load()
    assert settings.get("run.workers") == 3
    assert settings.get("run.timeout_s") is None
    assert settings.get("run.timeout_s", 5) == 5
    assert settings.get("absent.key", "x") == "x"
    assert settings.get("platform") == "duckdb"
    assert settings.get("entities.bronze.flights") == {"path": "data/x.csv", "retries": 1}
    assert settings.get('entities."silver.flights".location') == "lake"
    assert settings.get("plugins.prefer") == {"storage:delta": "kindling-plugin-delta"}
    assert settings.get("entities.bronze") is None
    assert settings.table("run")["workers"] == 3
    assert settings.table("plugins.prefer") == {"storage:delta": "kindling-plugin-delta"}
    assert settings.table("refs") == {}
    assert settings.plugin("platform:duckdb") == {"memory": "1GB"}
    assert settings.plugin("platform:sail") == {}


def test_each_value_knows_its_origin(write: Write, load: Load) -> None:
    write(TEXT)
    settings = load(overrides={"run.retries": "1"}, environ={"KINDLING_RUN__GRACE_S": "1"})
    assert settings.origin("run.workers") == "kindling.toml:5"
    assert settings.origin("platform") == "kindling.toml:2"
    assert settings.origin("entities.bronze.flights.path") == "kindling.toml:11"
    assert settings.origin("run.retries") == "--set"
    assert settings.origin("run.grace_s") == "environment variable KINDLING_RUN__GRACE_S"
    assert settings.origin("executor") == "default of kindling-core"
    assert settings.origin("absent") == ""


def test_every_listed_key_leads_back_to_its_value_and_origin(write: Write, load: Load) -> None:
    write(TEXT)
    settings = load()
    plain = settings.to_plain()
    assert 'entities."bronze.flights".path' in settings.keys()  # noqa: SIM118  # a method, no dict
    for key in settings.keys():  # noqa: SIM118  # a method, no dict
        assert settings.origin(key)
    assert plain["entities"] == settings.get("entities")


def test_a_digest_follows_values_and_not_origins(write: Write, load: Load) -> None:
    write(TEXT)
    first = load()
    same = load(overrides={"run.workers": "3"})
    other = load(overrides={"run.workers": "4"})
    keys = ["run.workers", "entities"]
    assert first.digest(keys) == same.digest(reversed(keys)) != other.digest(keys)
    assert first.digest(["app"]) == other.digest(["app"])


def test_values_of_the_secrets_file_are_hidden_but_usable(write: Write, load: Load) -> None:
    write(TEXT)
    write('[settings]\npassword = "hunter2"\nmore = ["hunter3"]\n', ".secrets.toml")
    settings = load()
    assert settings.get("settings.password") == "hunter2"
    assert settings.to_plain()["settings"] == {"password": "***", "more": "***"}
    assert list(settings.hidden_values()) == ["hunter3", "hunter2"]


def test_references_are_shown_because_they_are_no_secrets(write: Write, load: Load) -> None:
    write('[locations.lake]\nuri = "lake"\ncredential = "secret://env/KEY#x"\n')
    assert load().to_plain()["locations"] == {"lake": {"uri": "lake", "credential": "secret://env/KEY#x"}}


def test_the_process_environment_is_the_default(write: Write, tmp_path: Path) -> None:
    write(TEXT)
    assert load_settings(str(tmp_path)).project == str(tmp_path)


def test_the_project_is_found_from_below(write: Write, tmp_path: Path) -> None:
    write("")
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert find_project(str(inner)) == find_project(str(tmp_path)) == str(tmp_path)


def test_no_project_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        find_project(str(tmp_path))
    assert str(caught.value) == (
        "KDL-CONF-001: there is no kindling.toml here\n"
        f"  why: neither {str(tmp_path)!r} nor a folder above it has one\n"
        "  do: run kindling init, or change to the project's folder"
    )


def test_the_state_folder_hides_itself_from_git(tmp_path: Path) -> None:
    folder = project_state_dir(str(tmp_path))
    assert folder == project_state_dir(str(tmp_path)) == str(tmp_path / ".kindling")
    assert (tmp_path / ".kindling" / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_a_protected_environment_must_be_said_aloud(write: Write, load: Load) -> None:
    write('environments = ["dev", "prod"]\nprotected = ["prod"]\n')
    prod = load(environ={"KINDLING_ENV": "prod"})
    assert environment_of(prod, "prod") == "prod"
    assert environment_of(load(), None) == "dev"
    for said in (None, "", "dev"):
        with pytest.raises(PolicyError) as caught:
            environment_of(prod, said)
        assert caught.value.exit_code == 5
        assert str(caught.value) == (
            "KDL-POL-010: environment 'prod' is protected\n"
            "  why: it must be named on the command line; a default or a variable is not enough\n"
            "  where: kindling.toml:2\n"
            "  do: add --env prod"
        )
