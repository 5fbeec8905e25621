from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING

import msgspec
import pytest
from jsonschema import Draft202012Validator
from kindling_plugin_registry import records
from kindling_plugin_registry.advisories import Advisory
from kindling_plugin_registry.formats import (
    SCHEMA_NAMES,
    Schemas,
    convert,
    index_bytes,
    read_document,
    schema_text,
    source_bytes,
    write_file,
)

from kindling.errors import Faults, PluginError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any, TypeAlias

    Samples: TypeAlias = Any  # the class in conftest.py
    Plain: TypeAlias = Any  # JSON that is taken apart
    Path_: TypeAlias = tuple[Any, ...]

NOW = "2026-11-25T00:00:00Z"
SHA = "ab" * 32
ENTRY = {
    "n": "a", "s": "", "v": "1.0", "py": "", "k": "", "c": ["storage:a"], "lv": "listed", "st": False,
    "lf": "stable", "lic": "MIT", "p": [], "adv": [], "kw": [], "upd": "2026-11-25",
}  # fmt: skip
REVOCATION = {"name": "a", "versions": "*", "reason": "bad", "severity": "high", "at": NOW}
ROLE = {"threshold": 1, "expires_days": 7}


def documents(samples: Samples) -> dict[str, tuple[type, dict[str, object]]]:
    return {
        "plugin-record": (records.PluginRecord, samples.record(links={"issues": "https://a.example"})),
        "release": (
            records.Release,
            samples.release(yanked={"reason": "broken", "at": NOW}, conflicts=["a"]),
        ),
        "conformance": (
            records.Conformance,
            samples.conformance(results=[samples.result(failures=[{"test": "t", "message": ""}])]),
        ),
        "advisory": (Advisory, samples.advisory(references=[{"type": "WEB", "url": "https://a.example"}])),
        "revoked": (records.Revoked, {"schema": records.REVOKED, "revoked": [REVOCATION]}),
        "policy": (records.Policy, {"schema": records.POLICY, "revoked": [REVOCATION]}),
        "names": (records.Names, {"schema": records.NAMES, "reserved": ["core"], "alike": [["a", "b"]]}),
        "index": (
            records.Index,
            {
                "schema": records.INDEX,
                "registry": "r",
                "title": "",
                "generated": NOW,
                "package_index": "",
                "plugins": [ENTRY],
            },
        ),
        "capabilities": (
            records.Capabilities,
            {
                "schema": records.CAPABILITIES,
                "capabilities": {
                    "storage:a": [{"n": "a", "v": "1.0", "api": "1.0", "f": [], "lv": "listed"}]
                },
            },
        ),
        "files": (records.Files, {"schema": records.FILES, "files": {"plugins/a.json": [SHA, 3]}}),
        "plugin-page": (
            records.Page,
            {
                "schema": records.PAGE,
                "record": samples.record(),
                "releases": [samples.release()],
                "conformance": {"1.0.0": [samples.result()]},
                "levels": {"1.0.0": {"level": "listed", "stale": False, "why": ""}},
                "advisories": [],
                "dependents": [],
                "readme_sha256": "",
            },
        ),
        "registry": (
            records.RegistrySettings,
            {
                "schema": records.REGISTRY,
                "name": "r",
                "title": "R",
                "url": "",
                "package_index": "",
                "roles": {"root": ROLE, "targets": ROLE, "snapshot": ROLE, "timestamp": ROLE},
            },
        ),
    }


def mutants(plain: Plain) -> Iterator[object]:
    """Yield the document with one thing wrong: a key lost, a key too many, a value of another type."""
    for path in list(paths(plain)):
        for change in (drop, number, broken, extra):
            changed = copy.deepcopy(plain)
            if change(changed, path):
                yield changed


def paths(plain: Plain, at: Path_ = ()) -> Iterator[tuple[object, ...]]:
    if at:
        yield at
    for key, value in (
        plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ()
    ):
        yield from paths(value, (*at, key))


def parent(plain: Plain, path: Path_) -> Plain:
    for key in path[:-1]:
        plain = plain[key]
    return plain


def drop(plain: Plain, path: Path_) -> bool:
    del parent(plain, path)[path[-1]]
    return True


def number(plain: Plain, path: Path_) -> bool:
    parent(plain, path)[path[-1]] = -7
    return True


def broken(plain: Plain, path: Path_) -> bool:
    holder = parent(plain, path)
    is_text = isinstance(holder[path[-1]], str)
    if is_text:
        holder[path[-1]] += "\n"
    return is_text


def extra(plain: Plain, path: Path_) -> bool:
    value = parent(plain, path)[path[-1]]
    if isinstance(value, dict):
        value["surplus"] = "x"
    return isinstance(value, dict)


@pytest.mark.parametrize("name", SCHEMA_NAMES)
def test_each_schema_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(json.loads(schema_text(name)))


@pytest.mark.parametrize("name", [name for name in SCHEMA_NAMES if name not in {"parts", "advisories"}])
def test_values_and_schemas_accept_and_refuse_the_same(name: str, samples: Samples) -> None:
    made, plain = documents(samples)[name]
    schemas = Schemas()
    assert schemas.check(plain, name, "here") == []
    msgspec.convert(plain, type=made)
    for mutant in mutants(plain):
        try:
            msgspec.convert(mutant, type=made)
        except msgspec.ValidationError:
            is_accepted = False
        else:
            is_accepted = True
        assert is_accepted == (schemas.check(mutant, name, "") == []), mutant


def test_all_faults_of_a_document_are_told_with_their_paths(tmp_path: Path, samples: Samples) -> None:
    path = tmp_path / "release.json"
    plain = samples.release(version=3, permision=[], permissions=["sockets"])
    del plain["summary"]
    path.write_text(json.dumps(plain), encoding="utf-8")
    with pytest.raises(Faults) as caught:
        read_document(path, "release", records.Release)
    assert str(caught.value) == (
        f"KDL-REG-002: the document is wrong at '$.permision'\n"
        f"  why: found the unknown key 'permision'\n  where: {path}\n"
        f"  do: did you mean 'permissions' or 'version'?\n"
        f"KDL-REG-002: the document is wrong at '$.permissions[0]'\n"
        f'  why: found "sockets", expected one of files, network, process\n  where: {path}\n'
        f"KDL-REG-002: the document is wrong at '$.summary'\n"
        f"  why: found nothing, expected this key\n  where: {path}\n"
        f"KDL-REG-002: the document is wrong at '$.version'\n"
        f"  why: found 3, expected type string\n  where: {path}"
    )


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(PluginError) as caught:
        read_document(tmp_path / "x.json", "release", records.Release)
    assert str(caught.value) == (
        f"KDL-REG-001: the file 'x.json' cannot be read\n"
        f"  why: there is no such file\n  where: {tmp_path / 'x.json'}"
    )


def test_a_file_that_is_not_json_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[1", encoding="utf-8")
    with pytest.raises(PluginError, match="KDL-REG-001"):
        read_document(tmp_path / "x.json", "release", records.Release)
    (tmp_path / "y.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(PluginError, match="KDL-REG-001") as caught:
        read_document(tmp_path / "y.json", "release", records.Release)
    assert caught.value.why == "it holds a list, not an object"


def test_written_documents_are_read_back_and_do_not_depend_on_order(tmp_path: Path, samples: Samples) -> None:
    made = convert(samples.release(), "release", records.Release, "")
    turned = convert(dict(reversed(samples.release().items())), "release", records.Release, "")
    content = source_bytes(made)
    assert content == source_bytes(turned)
    assert content.endswith(b"}\n")
    assert b"\r" not in content
    path = tmp_path / "deep" / "release.json"
    write_file(path, content)
    assert read_document(path, "release", records.Release) == made
    assert [item.name for item in path.parent.iterdir()] == ["release.json"]
    assert json.loads(index_bytes(made)) == json.loads(content)
