from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from terminal import Done, Terminal


def statuses(done: Done) -> dict[str, str]:
    return {item["name"]: item["status"] for item in done.json("doctor")["findings"]}


def test_a_sound_project_has_nothing_wrong(shop: Terminal) -> None:
    done = shop("doctor", "--json")
    found = statuses(done)
    assert done.code == 0
    assert {found[name] for name in ("python", "project", "plugins", "platform duckdb", "state", "app")} == {
        "ok"
    }


def test_the_text_ends_with_counts_and_shows_fixes(shop: Terminal) -> None:
    done = shop("doctor", "--no-start", PYTHONDONTWRITEBYTECODE="1")
    assert done.code == 0
    assert "\nok    platform duckdb  it can be loaded\n" in done.out
    assert (
        "PYTHONDONTWRITEBYTECODE is set: each start compiles all code anew, 4 to 5 times slower\n" in done.out
    )
    assert "do: unset PYTHONDONTWRITEBYTECODE\n" in done.out
    assert done.out.rstrip().endswith("warn")


def test_an_engine_that_does_not_start_is_exit_code_4(shop: Terminal) -> None:
    done = shop("doctor", "--json", "--start", KINDLING_PLATFORM__DUCKDB__MEMORY_LIMIT="much")
    assert done.code == 4
    (finding,) = [f for f in done.json("doctor")["findings"] if f["name"] == "platform duckdb"]
    assert finding["status"] == "fail"


def test_a_broken_plugin_is_told_and_hides_nothing_else(shop: Terminal, broken_site: str) -> None:
    done = shop("doctor", "--no-start", "--json", PYTHONPATH=broken_site)
    assert done.code == 0
    found = done.json("doctor")["findings"]
    assert any(f["status"] == "warn" and "'kindling-plugin-bad' 1.0" in f["text"] for f in found)
    assert statuses(done)["platform duckdb"] == "ok"


def test_broken_settings_and_apps_are_told_together_with_the_rest(shop: Terminal) -> None:
    shop.write("shop/app.py", "1 / 0\n")
    done = shop("doctor", "--no-start", "--json")
    assert done.code == 2
    assert statuses(done)["app"] == "fail"
    shop.write("kindling.toml", "app = \n")
    done = shop("doctor", "--no-start", "--json")
    assert done.code == 2
    assert statuses(done)["project"] == "fail"
    assert "python" in json.loads(done.out)["findings"][0]["name"]


def test_a_state_that_cannot_be_read_is_told(shop: Terminal) -> None:
    assert shop("runs", "list").code == 0
    (file,) = [f for f in (shop.path / ".kindling").iterdir() if f.suffix in (".db", ".sqlite", ".sqlite3")]
    file.write_bytes(b"this is no database" * 100)
    done = shop("doctor", "--no-start", "--json")
    assert statuses(done)["state"] == "fail"
    assert done.code == 4
