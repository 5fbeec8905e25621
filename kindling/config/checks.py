"""Are these leaves settings that exist, with values that make sense? Finds all faults, raises none."""

from __future__ import annotations

import re

from kindling.config.leaves import Leaf, text_of
from kindling.config.schema import ROOT_FILE, ROOT_ONLY, Schema, Setting
from kindling.config.secrets import Reference
from kindling.errors import ConfigError
from kindling.names import close_names, did_you_mean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kindling.config.schema import Path
    from kindling.values import Plain

TOKENS = re.compile(
    r"@(?:str|int|float|bool|json|format|jinja|reset|del|merge|merge_unique|insert|get|read_file|upper|lower"
    r"|title|capitalize|strip|lstrip|rstrip|split|casefold|swapcase|note|comment|null|none|empty)(?![^ ])"
)
"""Source: dynaconf 3.3.5, `dynaconf.utils.parse_conf.converters`, read 2026-11."""
_WORDS = {
    "string": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "strings": "a list of strings",
    "table": "a table",
    "secret": "a secret:// reference",
    "text": "a string, a number, true or false",
}
_FOUND = {"str": "a string", "int": "an integer", "float": "a number", "list": "a list", "dict": "a table"}


def key_text(path: Path) -> str:
    """Return a path as a dotted key, with quotes where a part holds a dot."""
    return ".".join(f'"{part}"' if "." in part else part for part in path)


def check_leaves(leaves: Sequence[Leaf], schema: Schema) -> Iterator[ConfigError]:
    """Yield the faults of one layer; values from outside TOML are converted in place."""
    reported: set[Path] = set()
    for leaf in leaves:
        found = schema.find(leaf.path)
        if isinstance(found, Setting):
            yield from _check_value(leaf, found)
        elif found < len(leaf.path):
            prefix = leaf.path[: found + 1]
            if prefix not in reported:
                reported.add(prefix)
                yield _misplaced(leaf, found, schema)
        elif leaf.value != {}:
            yield _wrong_type(leaf, "a table")


def _misplaced(leaf: Leaf, depth: int, schema: Schema) -> ConfigError:
    """Return the fault of a path of which only `depth` parts are known."""
    origins = (*leaf.table_origins, *[leaf.origin] * (len(leaf.path) - len(leaf.table_origins)))
    parent = schema.find(leaf.path[:depth]) if depth else 0
    if isinstance(parent, Setting):
        table = Leaf(leaf.path[:depth], {}, origins[depth - 1])
        return _wrong_type(table, _WORDS.get(parent.type, "a value"))
    key = key_text(leaf.path[: depth + 1])
    known = schema.names_at(leaf.path[:depth])
    close = close_names(leaf.path[depth], known)
    owner = f"[{key_text(leaf.path[:depth])}]" if depth else ROOT_FILE
    return ConfigError(
        "KDL-CONF-003",
        f"{key!r} is not a setting",
        why="" if close else f"{owner} knows {', '.join(sorted(known)) or 'no names'}",
        where=origins[depth],
        hint=did_you_mean(leaf.path[depth], close) if close else "",
        key=key,
    )


def _check_value(leaf: Leaf, setting: Setting) -> Iterator[ConfigError]:
    if token := _token(leaf.value):
        yield _refused_token(leaf, token)
        return
    if leaf.path[0] in ROOT_ONLY and not leaf.origin.startswith(f"{ROOT_FILE}:"):
        yield _only_in_root(leaf)
        return
    if leaf.literal:
        leaf.value = _converted(str(leaf.value), setting) if isinstance(leaf.value, str) else leaf.value
    if setting.type == "text" and isinstance(leaf.value, (str, int, float)):
        leaf.value = text_of(leaf.value)
    if setting.type == "float" and type(leaf.value) is int:
        leaf.value = float(leaf.value)
    if not _is_of(leaf.value, setting.type):
        yield _wrong_type(leaf, _WORDS.get(setting.type, "a value"))
    elif not _is_allowed(leaf.value, setting):
        yield _not_allowed(leaf, setting)
    else:
        yield from _malformed_references(leaf)


def _is_of(value: Plain, kind: str) -> bool:
    if kind == "strings":
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if kind == "secret":
        return isinstance(value, str) and (not value or value.startswith("secret://"))
    classes: dict[str, tuple[type, ...]] = {
        "string": (str,),
        "text": (str,),
        "int": (int,),
        "float": (float,),
        "bool": (bool,),
        "table": (dict,),
    }
    return kind not in classes or type(value) in classes[kind]


def _is_allowed(value: Plain, setting: Setting) -> bool:
    if setting.choices and value not in setting.choices:
        return False
    return setting.least is None or not isinstance(value, (int, float)) or value >= setting.least


def _converted(text: str, setting: Setting) -> Plain:
    """Return text from a variable or a command line as its setting's type; itself where that fails."""
    if setting.type in ("string", "secret", "text"):
        return text
    if setting.type == "strings" and not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    return literal(text.lower() if setting.type == "bool" else text)


def literal(text: str) -> Plain:
    """Return a TOML value's text as the value, or the text itself where it is none."""
    import tomllib

    try:
        value: Plain = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    return value if isinstance(value, (str, int, float, list, dict)) else text


def _token(value: Plain) -> str:
    """Return the first dynaconf token that a value holds anywhere, or ""."""
    if isinstance(value, str):
        match = TOKENS.match(value)
        return match[0] if match else ""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((token for item in inner if (token := _token(item))), "")


def _refused_token(leaf: Leaf, token: str) -> ConfigError:
    return ConfigError(
        "KDL-CONF-005",
        f"{key_text(leaf.path)!r} begins with the token {token!r}",
        why="settings are plain values: nothing in them is evaluated",
        where=leaf.origin,
        hint="write the value itself, or secret://vault/path for a secret",
        key=key_text(leaf.path),
    )


def _only_in_root(leaf: Leaf) -> ConfigError:
    return ConfigError(
        "KDL-CONF-012",
        f"{key_text(leaf.path)!r} cannot be set here",
        why="which environments exist and which are protected is decided once, for all of them",
        where=leaf.origin,
        hint=f"set it in {ROOT_FILE}",
        key=key_text(leaf.path),
    )


def _wrong_type(leaf: Leaf, expected: str) -> ConfigError:
    """Return the fault; it tells the type that was found, never the value, which may be a secret."""
    found = (
        "true or false" if isinstance(leaf.value, bool) else _FOUND.get(type(leaf.value).__name__, "nothing")
    )
    if expected == _WORDS["secret"] and found == "a string":
        found = "other text"
    return ConfigError(
        "KDL-CONF-004",
        f"{key_text(leaf.path)!r} is {found}",
        why=f"expected {expected}",
        where=leaf.origin,
        hint="write secret://vault/path and keep the value in the vault" if "secret" in expected else "",
        key=key_text(leaf.path),
    )


def _not_allowed(leaf: Leaf, setting: Setting) -> ConfigError:
    shown = "a value" if leaf.hidden else repr(leaf.value)
    expected = f"one of {', '.join(setting.choices)}" if setting.choices else f"{setting.least:g} or more"
    close = close_names(str(leaf.value), setting.choices) if setting.choices and not leaf.hidden else ()
    return ConfigError(
        "KDL-CONF-007",
        f"{key_text(leaf.path)!r} is {shown}",
        why=f"expected {expected}",
        where=leaf.origin,
        hint=did_you_mean(str(leaf.value), close) if close else "",
        key=key_text(leaf.path),
    )


def _malformed_references(leaf: Leaf) -> Iterator[ConfigError]:
    for text in _texts(leaf.value):
        if "secret://" in text:
            try:
                Reference.parse(text, where=leaf.origin)
            except ConfigError as error:
                yield error


def _texts(value: Plain) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        yield from _texts(item)
