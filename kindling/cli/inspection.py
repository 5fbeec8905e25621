"""Settings with their values and origins, and the settings that exist: for `kindling config`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kindling.cli.tables import table_text
from kindling.config.schema import KERNEL, Schema, Setting
from kindling.errors import UsageError
from kindling.names import close_names, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kindling.config.settings import Settings
    from kindling.values import Plain

_PART = re.compile(r'"[^"]*"|[^.]+')


@dataclass(frozen=True, slots=True)
class Row:
    """One value.

    Attributes:
        key: Dotted, with quotes where a name holds a dot.
        value: The value; `***` if it came from the secrets file.
        origin: Where it was set.
    """

    key: str
    value: Plain
    origin: str

    def to_plain(self) -> dict[str, object]:
        """Return the row as JSON types."""
        return {"key": self.key, "value": self.value, "origin": self.origin}


def setting_rows(settings: Settings, schema: Schema, key: str) -> list[Row]:
    """Return the values below a key, or all of them for "".

    Raises:
        UsageError: KDL-USE-037, there is no such setting; KDL-USE-038, it has no value.
    """
    plain = settings.to_plain()
    listed = [Row(name, _value(plain, name), settings.origin(name)) for name in settings.keys()]  # noqa: SIM118  # a method
    rows = [row for row in listed if row.value is not None]
    if not key:
        return rows
    wanted = _path(key)
    if wanted[1:] == () and f"{key}.default" in {row.key for row in rows}:
        wanted = (*wanted, "default")  # `platform` is short for `platform.default`
    found = [row for row in rows if _path(row.key)[: len(wanted)] == wanted]
    if not found:
        raise _unknown(key, wanted, schema, [row.key for row in rows])
    return found


def _path(key: str) -> tuple[str, ...]:
    return tuple(part.strip('"') for part in _PART.findall(key))


def _value(plain: Mapping[str, Plain], key: str) -> Plain:
    found: Plain = plain  # type: ignore[assignment]  # a table of tables
    for part in _path(key):
        found = found[part] if isinstance(found, dict) else None
    return found


def _unknown(key: str, path: tuple[str, ...], schema: Schema, known: list[str]) -> UsageError:
    found = schema.find(path)
    if isinstance(found, Setting) or found == len(path):
        return UsageError(
            "KDL-USE-038",
            f"the setting {key!r} has no value",
            why=f"{found.doc}; nobody sets it"
            if isinstance(found, Setting) and found.doc
            else "nobody sets it",
            hint=f"set it in kindling.toml, or with --set {key}=...",
        )
    names = {*known, *(setting.name for setting in KERNEL if "*" not in setting.name)}
    near = close_names(key, names)
    return UsageError(
        "KDL-USE-037",
        f"there is no setting {key!r}",
        why=did_you_mean(key, near) if near else "",
        hint="kindling config schema",
    )


def rows_text(rows: list[Row], *, has_origin: bool) -> str:
    """Return values as `key = value`, in TOML's notation, with their origins behind `#` where asked for."""
    lines = [(row.key, f"= {json.dumps(row.value, ensure_ascii=False)}") for row in rows]
    if has_origin:
        return table_text([(*line, f"# {row.origin}") for line, row in zip(lines, rows, strict=True)])
    return "".join(f"{key} {value}\n" for key, value in lines)


def schema_rows(schema: Schema) -> list[tuple[str, Setting]]:
    """Return all settings with their owners: the kernel's first, then those of installed plugins."""
    return [*(("kindling-core", setting) for setting in KERNEL), *schema.plugin_settings]


def schema_text(rows: list[tuple[str, Setting]]) -> str:
    """Return the settings that exist as a table."""
    table = [("setting", "type", "default", "meaning")]
    for _, setting in rows:
        kind = "|".join(setting.choices) or setting.type
        default = "" if setting.default is None else json.dumps(setting.default, ensure_ascii=False)
        table.append((setting.name, kind, default, setting.doc))
    return table_text(table)


def schema_plain(rows: list[tuple[str, Setting]]) -> list[dict[str, object]]:
    """Return the settings that exist as JSON types."""
    return [
        {
            "key": setting.name,
            "owner": owner,
            "type": setting.type,
            "default": setting.default,
            "choices": list(setting.choices),
            "doc": setting.doc,
        }
        for owner, setting in rows
    ]
