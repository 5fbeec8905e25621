"""`kindling plugins need`: what an app needs, told without a plugin and without an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from kindling_plugin_registry.client.needs import Need, parse_need

from kindling.errors import PluginError, UsageError

if TYPE_CHECKING:
    from conftest import Bench

APP = """import kindling as k

app = k.App("shop")
TOKEN = "secret://env/TOKEN"
orders = app.source("bronze.orders", k.delta())
people = app.source("bronze.people", k.csv("people.csv"), classify={"mail": "pii.mail"})


@app.pipe(orders, name="silver.orders", write=k.merge(on=["id"]), incremental=k.changes())
def silver(df: k.DataFrame) -> k.DataFrame:
    return df


@app.pipe(people, name="silver.people", context=True, storage=k.memory())
def masked(context, df):
    def inner():
        return context.secret("secret://keyvault/people")

    return context.secret(TOKEN), inner


@app.pipe(silver, name="days", incremental=k.by_time("day", every="1d"), drift="evolve", platform="duckdb")
def days(df):
    return df


iceberg = k.storage("iceberg")
app.sql("gold.history", "SELECT * FROM {o}", inputs={"o": silver}, write=k.scd2(on=["id"]), storage=iceberg)
"""
SETTINGS = """platform = "spark"
executor = "process"
[run]
sinks = ["prometheus"]
lineage = ["openlineage"]
[locations.lake]
uri = "s3://lake"
credential = "secret://vault/lake#key"
[policy.masks.mail]
class = "pii.*"
mask = "keyed_hash"
key = "secret://vault/masks#key"
on = "pipes"
"""
EXPECTED = {
    "executor:process": [],
    "lineage:openlineage": [],
    "masking:keyed_hash": [],
    "platform:duckdb": [],
    "platform:spark": [],
    "secrets:env": [],
    "secrets:keyvault": [],
    "secrets:vault": [],
    "sink:prometheus": [],
    "state:sqlite": [],
    "storage:csv": ["reads"],
    "storage:delta": ["changes", "evolves", "merges", "reads", "replaces", "times", "writes"],
    "storage:iceberg": ["historises"],
}


def test_need_infers_typed_capabilities_with_no_plugin_installed(bench: Bench) -> None:
    bench.configure(SETTINGS, app=APP)
    done = bench.plugins("need", "--json", KINDLING_PLUGINS_ONLY="kindling-plugin-registry")
    plain = done.plain()
    found = {row["capability"]: row for row in plain["needs"]}  # type: ignore[attr-defined, index]
    assert {key: row["features"] for key, row in found.items()} == EXPECTED
    assert found["secrets:vault"]["why"] == [
        "locations.lake.credential (kindling.toml:9)",
        "policy.masks.mail.key (kindling.toml:13)",
    ]
    assert found["state:sqlite"]["installed"] == "kindling-core"
    text = bench.plugins("need").out
    assert "storage:delta with merge, replace, changes, by_time and evolve" in text


def test_loading_an_app_imports_no_engine(bench: Bench) -> None:
    bench.configure(SETTINGS, app=f"{APP}\nimport sys\nimport atexit\n\n\n@atexit.register\ndef tell():\n"
    "    engines = {'pyspark', 'pysail', 'duckdb', 'deltalake', 'pyarrow', 'pandas'}\n"
    "    print('engines:', sorted(engines.intersection(sys.modules)), file=sys.stderr)\n")  # fmt: skip
    assert "engines: []" in bench.plugins("need").err


def test_a_need_is_parsed_in_the_words_of_declarations_and_of_features() -> None:
    assert parse_need("storage:delta[merge, changes]") == Need(
        "storage:delta", ("changes", "merges"), ("asked for",)
    )
    assert str(parse_need("storage:delta[merges,changes]")) == "storage:delta with merge and changes"
    with pytest.raises(UsageError) as caught:
        parse_need("delta")
    assert str(caught.value) == (
        "KDL-REG-103: 'delta' is no capability\n"
        "  why: expected kind:name, or kind:name[feature,feature]\n"
        "  do: for example storage:delta or 'storage:delta[merges,changes]'"
    )
    with pytest.raises(PluginError, match="KDL-PLUG-001"):
        parse_need("stores:delta")
