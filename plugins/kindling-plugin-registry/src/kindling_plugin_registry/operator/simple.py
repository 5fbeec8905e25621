"""Pages of PEP 503 for wheels that the registry keeps itself, so that pip and uv install from it.

Source: PEP 503; PEP 592, `data-yanked`; PEP 345 by way of PEP 503, `data-requires-python`; read 2026-11.
"""

from __future__ import annotations

import shutil
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from kindling.errors import PolicyError
from kindling_plugin_registry.formats import sha256_of, write_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from kindling_plugin_registry.operator.source import Source

    Wheel = tuple[str, str, str, str | None]

_HEAD = '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{}</title></head><body>\n'
_TAIL = "</body></html>\n"


def write_simple(source: Source, kept: Mapping[str, Sequence[Wheel]]) -> None:
    """Write `simple/` and copy `wheels/`, for the plugins with wheels that the registry keeps.

    Args:
        source: The registry.
        kept: By plugin: file name, SHA-256, Python range, reason of a yank or None.

    Raises:
        PolicyError: KDL-REG-024, a wheel is missing or has another SHA-256 than its release says.
    """
    folder = source.dist / "simple"
    for name, wheels in kept.items():
        for filename, digest, _, _ in wheels:
            _copy(source.wheels / filename, source.dist / "wheels" / filename, digest)
        _write(folder / name / "index.html", _plugin_page(name, wheels))
    _write(folder / "index.html", _list_page(sorted(kept)))
    for path in folder.iterdir():
        if path.is_dir() and path.name not in kept:
            shutil.rmtree(path)


def check_wheel(path: Path, digest: str) -> PolicyError | None:
    """Return the fault of a kept wheel, KDL-REG-024, or None."""
    found = sha256_of(path.read_bytes()) if path.is_file() else "no such file"
    if found == digest:
        return None
    return PolicyError(
        "KDL-REG-024",
        f"the wheel {path.name!r} is not the one of its release",
        why=f"found {found}, expected {digest}",
        where=str(path),
        hint="put the released file back, or release a new version",
    )


def _copy(path: Path, target: Path, digest: str) -> None:
    if target.exists() and target.stat().st_size == path.stat().st_size and not check_wheel(target, digest):
        return
    fault = check_wheel(path, digest)
    if fault is not None:
        raise fault
    write_file(target, path.read_bytes())


def _write(path: Path, text: str) -> None:
    content = text.encode()
    if not path.exists() or path.read_bytes() != content:
        write_file(path, content)


def _plugin_page(name: str, wheels: Sequence[Wheel]) -> str:
    lines = []
    for filename, digest, pythons, reason in wheels:
        extra = f' data-requires-python="{escape(pythons)}"' if pythons else ""
        extra += f' data-yanked="{escape(reason)}"' if reason is not None else ""
        lines.append(f'<a href="../../wheels/{quote(filename)}#sha256={digest}"{extra}>{filename}</a><br>\n')
    return _HEAD.format(name) + "".join(lines) + _TAIL


def _list_page(names: Sequence[str]) -> str:
    return _HEAD.format("Plugins") + "".join(f'<a href="{n}/">{n}</a><br>\n' for n in names) + _TAIL
