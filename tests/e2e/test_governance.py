"""Classes, masks and lineage on real engines, with a masking plugin that a stranger wrote.

A canary stands in a classified column and another is the key of a mask: neither may be found in anything
that a run prints or leaves behind, besides the source and the vault.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from pathlib import Path

import pytest
from shell import Shell, make_project, rows, running
from strangers import install

pytestmark = pytest.mark.timeout(300)
CANARY = "canary-0f6e@x.org"
KEY = "key-canary-73b1d0-with-letters-enough"
MODULE = '''
import hashlib

from kindling.hooks import hookimpl
from kindling.hooks.masking import MaskingOffer


class Blank:
    def expression(self, request):
        return f"CAST(NULL AS {request.type})"


class Digest:
    """HMAC-SHA256 as Spark SQL: its pads come as columns, never as text."""

    def keys(self, secret):
        block = secret.reveal().encode().ljust(64, bytes(1))
        return {"ip": bytes(b ^ 0x36 for b in block), "op": bytes(b ^ 0x5C for b in block)}

    def expression(self, request):
        inner = f"sha2(concat({request.keys['ip']}, encode(CAST({request.column} AS string), 'utf-8')), 256)"
        return f"sha2(concat({request.keys['op']}, unhex({inner})), 256)"


@hookimpl
def kindling_masking_offers():
    return (MaskingOffer("hush", lambda spec: Blank()), MaskingOffer("hush_keyed", lambda spec: Digest()))
'''
APP = """
people = app.source(
    "raw.people",
    k.csv("people.csv"),
    schema="id bigint, mail string, city string",
    classify={"mail": "pii.email"},
)


@app.pipe(people, name="silver.people")
def silver(df):
    return df.where("id > 0").select("id", "mail", "city", k.F.length("mail").alias("letters"))


app.sql("gold.mails", "SELECT mail, count(*) AS n FROM {s} GROUP BY mail", inputs={"s": silver})
app.sql("gold.cities", "SELECT city, count(*) AS n FROM {s} GROUP BY city", inputs={"s": silver})
"""
SHOWN = """
run.trace = true
[policy.masks.looks]
class = "pii.*"
mask = "hush"
on = "show"
"""
MASKED = """
[policy.masks.mails]
class = "pii.email"
mask = "hush_keyed"
key = "secret://env/MASK_KEY"
entities = ["silver.*"]
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder for PYTHONPATH in which the masking plugin is installed."""
    masks = {"hush": ["keeps-type"], "hush_keyed": ["keyed", "deterministic"]}
    capabilities = {f"masking:{name}": {"api": "1.0", "features": told} for name, told in masks.items()}
    return install(tmp_path, "hush", capabilities, MODULE)


class Clinic:
    """A project with people in it, in a process that has the masking plugin.

    Attributes:
        said: Everything that its commands printed.
    """

    def __init__(self, folder: Path, site: Path, platform: str) -> None:
        self.folder = make_project(folder, APP, SHOWN)
        (folder / "people.csv").write_text(f"id,mail,city\n1,{CANARY},ulm\n2,{CANARY},bonn\n-1,,ulm\n")
        self.shell = Shell(folder, platform)
        self.path = os.pathsep.join((str(site), os.environ.get("PYTHONPATH", "")))
        self.said = ""

    def __call__(self, *arguments: str, key: str = KEY) -> str:
        done = self.shell(*arguments, PYTHONPATH=self.path, MASK_KEY=key)
        self.said += done.stdout + done.stderr
        return done.stdout

    def add(self, settings: str) -> None:
        with (self.folder / "kindling.toml").open("a") as file:
            file.write(settings)

    def left(self) -> bytes:
        """Return all files but the source: tables are compared by their rows."""
        files = [file for file in self.folder.rglob("*") if file.is_file() and file.name != "people.csv"]
        return b"".join(file.read_bytes() for file in files if "lake" not in file.parts)


def digest(text: str, key: str = KEY) -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize("platform", ["duckdb", "sail"])
def test_classes_follow_lineage_and_masks_act_where_the_rules_say(
    tmp_path: Path, site: Path, platform: str
) -> None:
    clinic = Clinic(tmp_path / "clinic", site, platform)
    clinic("run")
    assert {row["mail"] for row in rows(clinic.folder, "gold.mails")} == {CANARY}
    shown = json.loads(clinic("show", "silver.people", "--json"))
    assert shown["masked"] == [{"column": "mail", "mask": "hush"}, {"column": "letters", "mask": "hush"}]
    assert "silver.people.mail  (identity)  [pii.email]" in clinic("lineage", "gold.mails.mail")
    assert CANARY not in clinic.said

    clinic.add(MASKED)
    assert running(json.loads(clinic("plan", "--json"))) == {"silver.people", "gold.mails", "gold.cities"}
    why = clinic("why", "silver.people")
    assert "rights: the effective rights or masks, or the classes of what it reads, changed" in why
    clinic("run")
    assert {row["mail"] for row in rows(clinic.folder, "silver.people")} == {digest(CANARY)}
    assert rows(clinic.folder, "gold.mails") == [{"mail": digest(CANARY), "n": 2}]
    assert json.loads(clinic("show", "gold.mails", "--json"))["masked"] == []
    assert "raw.people.mail  (identity, masked by hush_keyed)" in clinic("lineage", "gold.mails.mail")
    clinic("plan", "--verbose")
    for text in (CANARY, KEY, KEY.encode().hex()):
        assert text not in clinic.said
        assert text.encode() not in clinic.left()

    clinic("run", "--set", "executor=process", key="another-key-of-some-length")
    assert {row["mail"] for row in rows(clinic.folder, "silver.people")} == {
        digest(CANARY, "another-key-of-some-length")
    }
