from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from terminal import Terminal


def test_values_are_shown_as_they_are_written(shop: Terminal) -> None:
    done = shop("config", "show", "--set", "run.workers=3")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert 'app = "shop.app:app"' in lines
    assert "run.workers = 3" in lines
    assert 'environments = ["dev"]' in lines


def test_origins_are_shown_where_asked_for(shop: Terminal) -> None:
    shop.write("kindling.dev.toml", "run.retries = 7\n")
    done = shop("config", "show", "run", "--origin", KINDLING_RUN__GRACE_S="2.5")
    found = {line.split(" = ")[0].strip(): line.split("# ")[1] for line in done.out.splitlines()}
    assert found["run.retries"] == "kindling.dev.toml:1"
    assert found["run.grace_s"] == "environment variable KINDLING_RUN__GRACE_S"
    assert found["run.on_error"].startswith("default")


def test_a_key_shows_a_value_or_a_table(shop: Terminal) -> None:
    assert shop("config", "show", "platform").out.splitlines()[0] == 'platform.default = "duckdb"'
    assert shop("config", "show", "run.retries").out == "run.retries = 2\n"


def test_values_of_the_secrets_file_are_hidden(shop: Terminal) -> None:
    shop.write(".secrets.toml", '[settings]\ntoken = "s3cr3t-value"\n')
    for arguments in (("show",), ("show", "settings.token"), ("show", "--json"), ("show", "--origin")):
        done = shop("config", *arguments)
        assert done.code == 0
        assert "***" in done.out
        assert "s3cr3t" not in done.out + done.err


def test_unknown_and_unset_settings_are_told_apart(shop: Terminal) -> None:
    done = shop("config", "show", "run.worker")
    assert done.code == 2
    assert done.err.startswith(
        "KDL-USE-037: there is no setting 'run.worker'\n  why: did you mean 'run.workers'"
    )
    done = shop("config", "show", "run.timeout_s")
    assert done.code == 2
    assert done.err == (
        "KDL-USE-038: the setting 'run.timeout_s' has no value\n"
        "  why: seconds after which a task is stopped; nobody sets it\n"
        "  do: set it in kindling.toml, or with --set run.timeout_s=...\n"
    )


def test_json_has_values_and_origins(shop: Terminal) -> None:
    document = shop("config", "show", "platform.default", "--json").json("config")
    assert document["values"] == [{"key": "platform.default", "value": "duckdb", "origin": "kindling.toml:2"}]


def test_a_broken_app_is_left_out_with_a_note(shop: Terminal) -> None:
    shop.write("shop/app.py", "1 / 0\n")
    done = shop("config", "show", "app")
    assert (done.code, done.out) == (0, 'app = "shop.app:app"\n')
    assert done.err.startswith("KDL-DECL-051: ")
    assert done.err.endswith("note: the app could not be loaded; what App(settings=) says is missing\n")


def test_the_settings_that_exist_are_listed(folder: Terminal) -> None:
    done = folder("config", "schema")
    assert done.code == 0
    assert "run.retries" in done.out
    rows = folder("config", "schema", "--json").json("config-schema")["settings"]
    assert {"key": "run.retries", "owner": "kindling-core", "type": "int", "default": 2}.items() <= next(
        row for row in rows if row["key"] == "run.retries"
    ).items()
