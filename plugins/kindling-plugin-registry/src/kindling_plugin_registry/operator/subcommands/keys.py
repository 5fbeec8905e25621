"""`kindling registry keys`: which keys count, and how they are replaced."""

from __future__ import annotations

from pathlib import Path

import click

from kindling_plugin_registry.operator.keys import load_keys
from kindling_plugin_registry.operator.options import (
    json_option,
    keys_option,
    print_result,
    registry_option,
    source_at,
)
from kindling_plugin_registry.operator.roots import (
    ROLES,
    check_rootless,
    latest_root,
    make_root,
    pending_root,
    renew,
    rotate,
    sign_pending,
)
from kindling_plugin_registry.operator.source import now

SCHEMA = "kindling.registry-keys/1"


@click.group("keys")
def command() -> None:
    """Show, rotate and renew keys. A new root counts when enough old and new root keys have signed it."""


@command.command("list")
@registry_option
@json_option
def list_keys(folder: Path | None, *, is_json: bool) -> None:
    """Show the ids of the keys of each role."""
    root = latest_root(source_at(folder)).signed
    roles = {
        name: {"threshold": root.roles[name].threshold, "keys": root.roles[name].keyids} for name in ROLES
    }
    lines = [f"root {root.version}, until {root.expires:%Y-%m-%d}"]
    lines += [
        f"{name}: {root.roles[name].threshold} of {len(root.roles[name].keyids)} must sign: "
        + ", ".join(keyid[:12] for keyid in root.roles[name].keyids)
        for name in ROLES
    ]
    print_result(
        SCHEMA,
        "\n".join(lines),
        is_json=is_json,
        version=root.version,
        expires=f"{root.expires:%Y-%m-%dT%H:%M:%SZ}",
        roles=roles,
    )


@command.command("init")
@click.option("--keys", type=click.Path(path_type=Path), required=True, help="Folder for the private keys.")
@click.option(
    "--root-keys", default=3, show_default=True, type=click.IntRange(1, 10), help="Root keys to make."
)
@registry_option
@json_option
def first_keys(keys: Path, root_keys: int, folder: Path | None, *, is_json: bool) -> None:
    """Make the first keys and root of a registry that has none."""
    source = source_at(folder)
    settings = source.settings()
    if root_keys < settings.roles.root.threshold:
        msg = f"registry.toml wants {settings.roles.root.threshold} root keys to sign: --root-keys"
        raise click.UsageError(msg)
    check_rootless(source)
    root = make_root(source, keys, settings, root_keys, now())
    text = f"root 1, until {root.signed.expires:%Y-%m-%d}; private keys in {str(keys)!r}"
    print_result(
        SCHEMA, text, is_json=is_json, role="root", new_keys=sorted(root.signed.keys), is_pending=False
    )


@command.command("rotate")
@click.argument("role", type=click.Choice(ROLES))
@click.option("--new-keys", type=click.Path(path_type=Path), required=True, help="Folder for the new keys.")
@keys_option
@registry_option
@json_option
def rotate_keys(
    role: str, new_keys: Path, key_folders: tuple[Path, ...], folder: Path | None, *, is_json: bool
) -> None:
    """Replace all keys of ROLE, also when they are lost: the root keys decide."""
    is_done, made = rotate(source_at(folder), role, new_keys, load_keys(key_folders), now())
    _print(is_done=is_done, is_json=is_json, role=role, keys=made)


@command.command("renew")
@keys_option
@registry_option
@json_option
def renew_root(key_folders: tuple[Path, ...], folder: Path | None, *, is_json: bool) -> None:
    """Make a new root with the same keys, which ends later."""
    _print(
        is_done=renew(source_at(folder), load_keys(key_folders), now()), is_json=is_json, role="root", keys=[]
    )


@command.command("sign")
@keys_option
@registry_option
@json_option
def sign_root(key_folders: tuple[Path, ...], folder: Path | None, *, is_json: bool) -> None:
    """Add a signature to the new root that waits for it."""
    source = source_at(folder)
    is_done = sign_pending(source, pending_root(source), load_keys(key_folders))
    _print(is_done=is_done, is_json=is_json, role="root", keys=[])


def _print(*, is_done: bool, is_json: bool, role: str, keys: list[str]) -> None:
    text = "the new root counts; next: kindling registry sign"
    if not is_done:
        text = "the new root waits for more signatures: kindling registry keys sign --keys FOLDER"
    print_result(SCHEMA, text, is_json=is_json, role=role, new_keys=keys, is_pending=not is_done)
