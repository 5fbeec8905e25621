"""`audit`, `verify`, `doctor`, `sbom`, `info`: what is wrong with installed plugins, and what they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Bench, Scratch, Shelf

ORE = {"storage:ore": {"features": ["reads"]}}


def _installed(shelf: Shelf, desk: Bench) -> None:
    shelf.add("kindling-plugin-ore", capabilities=ORE)
    shelf.publish()
    desk.configure(shelf.settings())
    done = desk.plugins("install", "ore", "--yes")
    assert done.code == 0, done


def test_audit_tells_advisories_and_refuses_the_revoked(shelf: Shelf, desk: Bench) -> None:
    _installed(shelf, desk)
    assert desk.plugins("audit").out.startswith("nothing is wrong\n")
    shelf.advise("kindling-plugin-ore")
    shelf.publish()
    warned = desk.plugins("audit", "--refresh")
    assert warned.code == 0
    assert "warn  kindling-plugin-ore  1.0.0: Reads too much." in warned.out
    shelf.revoke("kindling-plugin-ore", "<2")
    shelf.publish()
    refused = desk.plugins("audit", "--refresh", "--json")
    assert refused.code == 5
    rows = refused.plain()["findings"]
    assert [(row["status"], row["rule"]) for row in rows] == [
        ("fail", "revoked"),
        ("warn", "KINDSA-2026-0001"),
    ]  # type: ignore[attr-defined, index]
    doctor = desk.plugins("doctor")
    assert doctor.code == 5
    assert "1.0.0 is revoked (critical): stolen key" in doctor.out
    assert "kindling-plugin-ore 1.0.0 is revoked" in desk.run("doctor", "--no-start").out


def test_verify_finds_a_changed_file(shelf: Shelf, desk: Bench, scratch: Scratch) -> None:
    _installed(shelf, desk)
    good = desk.plugins("verify")
    assert good.code == 0, good
    assert "signatures verified, version " in good.out
    assert "files are as installed" in good.out
    site = next((scratch.folder / "lib").iterdir()) / "site-packages"
    plugin = site / "kindling_plugin_ore" / "plugin.py"
    plugin.unlink()  # it may be a link into uv's cache
    plugin.write_text("offers = (1,)\n")
    bad = desk.plugins("verify", "ore")
    assert bad.code == 5
    assert "changed or missing since installed: kindling_plugin_ore/plugin.py" in bad.out
    timestamp = shelf.dist / "metadata" / "timestamp.json"
    timestamp.write_bytes(timestamp.read_bytes().replace(b"2", b"3"))
    assert "fail  test" in desk.plugins("verify", "ore").out


def test_doctor_tells_requests_that_are_missing_and_survives_a_broken_registry(
    shelf: Shelf, desk: Bench
) -> None:
    shelf.add("kindling-plugin-ore", capabilities=ORE)
    shelf.publish()
    desk.configure('[plugins]\nrequests = ["ore"]\n', shelf.settings())
    done = desk.plugins("doctor", "--json")
    assert done.code == 0, done
    rows = {row["rule"]: row for row in done.plain()["findings"]}  # type: ignore[attr-defined]
    assert rows["request"]["fix"] == "kindling plugins sync"
    assert rows["environment"]["text"].startswith("venv ")
    desk.configure(shelf.settings(url=str(Path("/nowhere"))))
    broken = desk.plugins("doctor", "--refresh")
    assert "KDL-REG-031" in broken.out


def test_a_bill_of_materials_lists_the_installed(desk: Bench) -> None:
    bill = json.loads(desk.plugins("sbom").out)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert "kindling-core" in {item["name"] for item in bill["components"]}


def test_info_of_what_is_not_installed_is_the_registrys_answer(shelf: Shelf, bench: Bench) -> None:
    shelf.add("kindling-plugin-ore", "1.0.0", capabilities=ORE)
    shelf.add("kindling-plugin-ore", "1.1.0", capabilities=ORE, permissions=["files", "network"])
    shelf.publish()
    bench.configure()
    unknown = bench.plugins("info", "ore")
    assert unknown.code == 2
    assert unknown.err.startswith("KDL-USE-040: no installed plugin is called 'ore'\n")
    bench.configure(shelf.settings())
    text = bench.plugins("info", "ore").out
    assert text.startswith("kindling-plugin-ore 1.1.0, not installed (registry test)\n")
    assert "may use: files, network\n" in text
    plain = bench.plugins("info", "ore", "--json").plain()
    assert plain["schema"] == "kindling.plugin-info/1"
    assert bench.plugins("info", "orr").err.startswith("KDL-REG-109: no registry lists a plugin 'orr'\n")
