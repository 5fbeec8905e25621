"""Whole runs with all six masks. Keys are canaries: nothing that is printed, stored or kept holds them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable
from kindling_plugin_masking.date_shift import PURPOSE as SHIFTING
from kindling_plugin_masking.keyed import pads
from kindling_plugin_masking.tokens import PURPOSE as NAMING

from kindling.hooks.masking import Secret

pytestmark = pytest.mark.timeout(300)
HASHED, NAMED, SHIFTED = (f"cnry-{word}-9d41~+/é-0123456789-abcdef" for word in ("hash", "name", "shift"))
ROTATED = "cnry-rotated-9d41~+/é-0123456789-abcdef"
RAW = ("ann.miller@example.org", "Ann Miller", "patient 4711", "hears voices")
APP = """
from __future__ import annotations

import kindling as k

app = k.App("clinic")
people = app.source(
    "raw.people",
    k.csv("people.csv"),
    schema="id string, mail string, name string, salary decimal(9,2), born date, note string, city string",
    classify={
        "id": "pii.id", "mail": "pii.mail", "name": "pii.name", "salary": "pii.pay", "born": "pii.born",
        "note": "health",
    },
)
visits = app.source(
    "raw.visits", k.csv("visits.csv"), schema="id string, day date", classify={"day": "pii.born"}
)


@app.pipe(people, name="silver.people")
def silver(df: k.DataFrame) -> k.DataFrame:
    return df.where("city IS NOT NULL")


moved = app.sql("silver.visits", "SELECT id, day FROM {v}", inputs={"v": visits})
app.sql("silver.cities", "SELECT DISTINCT city FROM {p}", inputs={"p": people})
app.sql("gold.mails", "SELECT mail, count(*) AS n FROM {s} GROUP BY mail", inputs={"s": silver})
app.sql("gold.visits", "SELECT count(*) AS n FROM {s}", inputs={"s": moved})
"""
COMMANDS = (
    ("plan", "--verbose"),
    ("why", "silver.people"),
    ("lineage", "gold.mails.mail"),
    ("runs", "show", "last", "--json"),
    ("config", "show", "--origin"),
    ("show", "gold.mails"),
)
RULES = """
app = "clinic:app"
run.trace = true
platform.default = "{platform}"

[policy.masks.mails]
class = "pii.mail"
mask = "keyed_hash"
key = "secret://env/CLINIC_HASHED"

[policy.masks.ids]
class = "pii.id"
mask = "token"
key = "secret://env/CLINIC_NAMED"

[policy.masks.days]
class = "pii.born"
mask = "date_shift"
key = "secret://env/CLINIC_SHIFTED"
options = {{ by = "id", days = 90 }}

[policy.masks.names]
class = "pii.name"
mask = "partial"
options = {{ first = 1, last = 1 }}

[policy.masks.pay]
class = "pii.pay"
mask = "generalize"
options = {{ width = 500 }}

[policy.masks.notes]
class = "health"
mask = "redact"
options = {{ with = "(withheld)" }}
"""


class Clinic:
    """A project with one person in it.

    Attributes:
        said: Everything that its commands printed.
        keys: The keys by variable.
    """

    def __init__(self, folder: Path, platform: str) -> None:
        self.folder = folder
        (folder / "clinic.py").write_text(APP)
        (folder / "kindling.toml").write_text(RULES.format(platform=platform))
        mail, name, person, note = RAW
        (folder / "people.csv").write_text(
            f"id,mail,name,salary,born,note,city\n{person},{mail},{name},4929.17,1963-02-17,{note},ulm\n"
            f"{person},,,,,,bonn\n"
        )
        (folder / "visits.csv").write_text(f"id,day\n{person},2024-02-29\n")
        self.keys = {"CLINIC_HASHED": HASHED, "CLINIC_NAMED": NAMED, "CLINIC_SHIFTED": SHIFTED}
        self.said = ""

    def __call__(self, *words: str, code: int = 0) -> str:
        kept = {
            name: text for name, text in os.environ.items() if not name.startswith(("KINDLING_", "PYTHOND"))
        }
        done = subprocess.run(
            [sys.executable, "-m", "kindling", *words],
            cwd=self.folder,
            env={**kept, "CI": "true", **self.keys},
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )
        self.said += done.stdout + done.stderr
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def rows(self, name: str) -> list[dict[str, object]]:
        table = DeltaTable(str(self.folder / "lake" / "dev" / Path(*name.split("."))))
        found: list[dict[str, object]] = table.to_pyarrow_table().to_pylist()
        return found

    def pending(self) -> dict[str, set[str]]:
        plan = json.loads(self("plan", "--json"))
        return {
            task["entity"]: {reason["code"] for reason in task["reasons"]}
            for task in plan["tasks"]
            if task["action"] == "run"
        }

    def files(self) -> Iterator[Path]:
        sources = ("people.csv", "visits.csv", "clinic.py")
        return (path for path in self.folder.rglob("*") if path.is_file() and path.name not in sources)


def forms() -> set[bytes]:
    """Return the texts that betray a key, a pad or a raw value."""
    keys = [key.encode() for key in (HASHED, NAMED, SHIFTED, ROTATED)]
    keys += [hmac.new(key, use.encode(), "sha256").digest() for key in keys for use in (SHIFTING, NAMING)]
    secrets = [Secret(key) for key in (HASHED, NAMED, SHIFTED, ROTATED)]
    for secret in secrets:
        for purpose in ("", SHIFTING, NAMING):
            keys += pads("m", secret, purpose).values()
    found = {form for key in keys for form in (key, key.hex().encode(), base64.b64encode(key))}
    return found | {repr(key)[2:-1].encode() for key in keys} | {text.encode() for text in RAW}


@pytest.mark.parametrize("platform", ["duckdb", "sail"])
def test_masked_rows_are_stored_and_no_key_and_no_raw_value_is_found_anywhere(
    tmp_path: Path, platform: str
) -> None:
    clinic = Clinic(tmp_path, platform)
    clinic("run")
    (person,) = [row for row in clinic.rows("silver.people") if row["city"] == "ulm"]
    (empty,) = [row for row in clinic.rows("silver.people") if row["city"] == "bonn"]
    named = hmac.new(NAMED.encode(), NAMING.encode(), hashlib.sha256).digest()
    born = person.pop("born")
    assert person == {
        "id": "tok_" + hmac.new(named, RAW[2].encode(), hashlib.sha256).hexdigest()[:16],
        "mail": hmac.new(HASHED.encode(), RAW[0].encode(), hashlib.sha256).hexdigest(),
        "name": "A***r",
        "salary": 4500,
        "note": "(withheld)",
        "city": "ulm",
    }
    assert {name for name, value in empty.items() if value is not None} == {"id", "city"}
    (visit,) = clinic.rows("silver.visits")
    assert isinstance(born, date)
    assert visit == {"id": RAW[2], "day": date(2024, 2, 29) + (born - date(1963, 2, 17))}
    assert timedelta(0) < abs(born - date(1963, 2, 17)) <= timedelta(days=90)

    clinic.keys["CLINIC_HASHED"] = ROTATED
    # Those that read through the rule and what is made of them, and no others.
    assert clinic.pending() == {
        "silver.people": {"settings"},
        "silver.cities": {"settings"},
        "gold.mails": {"upstream"},
    }
    clinic("run", "--jsonl", "--set", "executor=process")
    assert clinic.pending() == {}
    mails = {row["mail"] for row in clinic.rows("gold.mails")}
    assert mails == {None, hmac.new(ROTATED.encode(), RAW[0].encode(), hashlib.sha256).hexdigest()}
    assert clinic.rows("silver.visits") == [visit]
    for words in COMMANDS:
        clinic(*words)

    told = forms() - {RAW[2].encode()}  # ids of visits are not classified
    assert [form for form in told if form in clinic.said.encode()] == []
    leaks = [(path.name, form) for path in clinic.files() for form in told if form in path.read_bytes()]
    assert leaks == []


def test_wrong_options_and_a_short_key_are_told_with_their_rule(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path, "duckdb")
    settings = tmp_path / "kindling.toml"
    settings.write_text(settings.read_text().replace('by = "id"', 'bye = "id"'))
    clinic("run", "--select", "silver.visits", code=2)
    assert "there is no option 'bye': did you mean 'by'?" in clinic.said
    assert "where: policy.masks.days, column 'day'" in clinic.said
    settings.write_text(RULES.format(platform="duckdb"))
    clinic.keys["CLINIC_SHIFTED"] = "cnry-short-9d41"
    clinic("run", "--select", "silver.visits", code=2)
    assert "KDL-GOV-102: the key of the mask 'date_shift' is too short" in clinic.said
    assert clinic.said.count("where: policy.masks.days, column 'day'") == 2
    assert "cnry-short" not in clinic.said
