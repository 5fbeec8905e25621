from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from terminal import Done, Terminal


def statuses(done: Done) -> dict[str, str]:
    return {item["name"]: item["status"] for item in done.json("doctor")["findings"]}


def test_outside_of_a_project_it_works_too(folder: Terminal) -> None:
    done = folder("doctor", "--no-start", "--json")
    assert done.code == 0
    assert statuses(done)["project"] == "warn"


def test_a_missing_chosen_platform_is_exit_code_4_with_the_command_that_mends_it(shop: Terminal) -> None:
    done = shop("doctor", "--json", KINDLING_PLATFORM__DEFAULT="nowhere")
    assert done.code == 4
    (finding,) = [f for f in done.json("doctor")["findings"] if f["name"] == "platform nowhere"]
    assert finding["status"] == "fail"
    assert finding["fix"] == "pip install kindling-plugin-nowhere"
