from __future__ import annotations

import json
from dataclasses import fields
from importlib.resources import files
from pathlib import Path

import pytest
from kindling_plugin_openlineage.settings import OpenLineageSettings

from kindling.errors import ConfigError

HOME = "http://127.0.0.1:5000"
KEY = "secret://vault/lineage#key"


def fault(name: str, why: str, hint: str) -> str:
    return (
        f"KDL-LINE-100: the setting 'lineage.openlineage.{name}' cannot be used\n"
        f"  why: {why}\n"
        f"  do: set {hint}"
    )


REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "no target": (
        {},
        fault(
            "url",
            "neither url nor file says where events go",
            'url = "https://lineage.example.com" in [lineage.openlineage]',
        ),
    ),
    "no http": (
        {"url": "lineage.example.com"},
        fault(
            "url",
            "it is no http or https address",
            'url = "https://lineage.example.com" in [lineage.openlineage]',
        ),
    ),
    "a bad port": (
        {"url": "https://lineage:x"},
        fault(
            "url",
            "it is no http or https address",
            'url = "https://lineage.example.com" in [lineage.openlineage]',
        ),
    ),
    "a login": (
        {"url": "https://me:pass@lineage"},
        fault(
            "url",
            "it holds a login or a query",
            'url = "https://lineage.example.com" in [lineage.openlineage], and api_key for a key',
        ),
    ),
    "a key in the open": (
        {"url": "http://lineage.example.com", "api_key": KEY},
        fault(
            "url",
            "with plain http everybody between here and the collector can read the key",
            'url = "https://..." in [lineage.openlineage] (or allow_http = true)',
        ),
    ),
    "a key for nobody": (
        {"file": "x", "api_key": KEY},
        fault(
            "api_key",
            "there is no url that it belongs to",
            'api_key = "" in [lineage.openlineage]',
        ),
    ),
    "no such authorities": (
        {"url": HOME, "ca_file": "/nowhere.pem"},
        fault(
            "ca_file",
            "there is no file '/nowhere.pem'",
            'ca_file = "/etc/ssl/certs/own.pem" in [lineage.openlineage]',
        ),
    ),
    "no namespace": (
        {"url": HOME, "namespace": ""},
        fault(
            "namespace",
            "it is empty",
            'namespace = "kindling-{environment}" in [lineage.openlineage]',
        ),
    ),
    "an unknown placeholder": (
        {"url": HOME, "namespace": "{app}-{enviroment}"},
        fault(
            "namespace",
            "it has the placeholder {enviroment}: did you mean 'environment'?",
            'namespace = "kindling-{environment}" in [lineage.openlineage]',
        ),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_setting_without_meaning_is_refused(case: str) -> None:
    settings, text = REFUSED[case]
    with pytest.raises(ConfigError) as caught:
        OpenLineageSettings.of(settings)  # type: ignore[arg-type]  # JSON types
    assert str(caught.value) == text


def test_the_defaults_are_the_documented_ones() -> None:
    manifest = json.loads(files("kindling_plugin_openlineage").joinpath("kindling.json").read_text())
    config = manifest["capabilities"]["lineage:openlineage"]["config"]
    assert {name: known["default"] for name, known in config.items()} == {
        item.name: item.default for item in fields(OpenLineageSettings)
    }


@pytest.mark.parametrize(
    "settings",
    [
        {"file": "out.jsonl"},
        {"url": HOME, "api_key": KEY},
        {"url": "http://lineage.example.com"},
        {"url": "http://lineage.example.com", "api_key": KEY, "allow_http": True},
        {"url": "https://lineage.example.com", "api_key": KEY, "file": "out.jsonl"},
        {"url": HOME, "ca_file": str(Path(__file__))},
    ],
)
def test_settings_with_a_meaning_are_taken(settings: dict[str, object]) -> None:
    made = OpenLineageSettings.of(settings)  # type: ignore[arg-type]  # JSON types
    assert made.file == settings.get("file", "")


def test_the_address_joins_url_and_endpoint() -> None:
    made = OpenLineageSettings.of({"url": "https://lineage.example.com/base/", "endpoint": "/api/x"})
    assert made.address == "https://lineage.example.com/base/api/x"
