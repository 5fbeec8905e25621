"""A registry that a newer Kindling built and signed: clients leave out what they do not know.

What people write is closed all the same: `registry validate` finds a misspelt key.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from kindling_plugin_registry.operator.building import build
from kindling_plugin_registry.operator.keys import load_keys
from kindling_plugin_registry.operator.signing import sign

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Bench, Scratch, Shelf

ORE = {"storage:ore": {"features": ["reads"]}}


MAPS = {"capabilities", "config", "conformance", "extras", "levels", "needs"}
"""Objects whose keys are names and no fields."""


def _with_more(plain: Any, key: str = "") -> Any:
    """Return a document with a key that nobody knows yet in each of its objects."""
    if isinstance(plain, list):
        return [_with_more(item) for item in plain]
    if not isinstance(plain, dict):
        return plain
    more = {} if key in MAPS else {"from_2030": {"deep": [1]}}
    return {**{name: _with_more(value, name) for name, value in plain.items()}, **more}


def _publish(shelf: Shelf, change: Callable[[str, Any], Any]) -> None:
    """Build, change what was built, and sign that."""
    at = datetime.now(timezone.utc)
    build(shelf.source, at)
    targets = shelf.dist / "targets"
    files = json.loads((targets / "files.json").read_bytes())
    for path, (digest, _) in list(files["files"].items()):
        if path.startswith("plugins/"):
            text = json.dumps(change("page", json.loads((shelf.dist / path).read_bytes()))).encode()
            old = shelf.dist / path
            old.with_name(f"{digest}.{old.name}").unlink()
            files["files"][path] = [sha256(text).hexdigest(), len(text)]
            old.with_name(f"{files['files'][path][0]}.{old.name}").write_bytes(text)
    for name in ("index.json", "capabilities.json", "advisories.json", "policy.json"):
        plain = json.loads((targets / name).read_bytes())
        (targets / name).write_text(json.dumps(change(name, plain)))
    (targets / "files.json").write_text(json.dumps({**files, "from_2030": 1}))
    sign(shelf.source, load_keys([shelf.keys]), at)


def test_keys_of_a_newer_registry_are_left_out(shelf: Shelf, desk: Bench, scratch: Scratch) -> None:
    shelf.add("kindling-plugin-ore", capabilities=ORE)
    shelf.add("kindling-plugin-bad", capabilities={"storage:bad": {}})
    shelf.revoke("kindling-plugin-bad")
    shelf.advise("kindling-plugin-bad")
    _publish(shelf, lambda _, plain: _with_more(plain))
    desk.configure(shelf.settings())
    assert "kindling-plugin-ore" in desk.plugins("search", "ore").out
    assert desk.plugins("info", "ore").code == 0
    assert "revoked" in desk.plugins("why-not", "bad").out
    done = desk.plugins("install", "ore", "--yes")
    assert done.code == 0, done
    assert scratch.plugins() == {"kindling-plugin-ore": "1.0.0"}
    assert desk.plugins("doctor").code == 0


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ("index.json", "Expected `array`, got `int` - at `$.plugins`"),
        ("page", "Expected `array`, got `int` - at `$.releases`"),
        ("policy.json", "Object missing required field `revoked`"),
    ],
)
def test_what_is_signed_and_not_understood_says_to_update_the_client(
    document: str, why: str, shelf: Shelf, bench: Bench
) -> None:
    shelf.add("kindling-plugin-ore", capabilities=ORE)

    def change(name: str, plain: Any) -> Any:
        if name != document:
            return plain
        changed = {**plain, **{key: 7 for key in ("plugins", "releases") if key in plain}}
        return {key: value for key, value in changed.items() if key != "revoked"}

    _publish(shelf, change)
    bench.configure(shelf.settings())
    done = bench.plugins("resolve", "storage:ore")
    assert done.code == 5, done
    lines = done.err.splitlines()
    assert lines[0].startswith("KDL-REG-113: the registry's ")
    assert lines[1] == f"  why: {why}"
    assert lines[-1] == "  do: pip install --upgrade kindling-plugin-registry"


def test_an_unknown_key_in_the_source_is_found_where_it_is_written(shelf: Shelf, bench: Bench) -> None:
    shelf.add("kindling-plugin-ore", capabilities=ORE, record={"lifecycle": "stable", "licence": "MIT"})
    done = bench.run("registry", "validate", "-r", str(shelf.folder))
    assert done.code != 0
    assert "found the unknown key 'licence'" in done.err + done.out
