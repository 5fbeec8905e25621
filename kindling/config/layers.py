"""Reads every layer of settings and lets dynaconf merge them. Only a load without a cache comes here.

Lowest first: kernel defaults, plugin defaults, platform defaults, `kindling.toml`,
`kindling.<env>.toml`, `.secrets.toml`, `KINDLING_*`, `--set`, `App(settings=...)`.

Dynaconf alone would concatenate lists, fold the letter case of keys, and evaluate `@` tokens
(dynaconf 3.3.5, `utils.object_merge`, `utils.parse_conf`). So values reach it as opaque leaves and
keys in an encoding of lower-case letters; what it decides is which layer wins.
"""

from __future__ import annotations

import os
import re
import tomllib

from kindling.config.checks import check_leaves
from kindling.config.leaves import Leaf, leaves_of, nested, split_key
from kindling.config.positions import Path as TomlPath
from kindling.config.positions import key_lines
from kindling.config.schema import CHOSEN_KINDS, DEFAULT_LOCATION, KERNEL, ROOT_FILE, SECRETS_FILE, Schema
from kindling.errors import ConfigError, KindlingError, raise_together
from kindling.names import close_names, did_you_mean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kindling.config.request import Request
    from kindling.config.schema import Path
    from kindling.values import Plain

_SAFE = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-.:")
_TOP = "KINDLING"


def load_layers(request: Request) -> tuple[str, list[Leaf]]:
    """Return the environment's name and the winning leaf of each setting.

    Raises:
        ConfigError: One fault was found.
        Faults: Several were found; all of them are raised together.
    """
    schema = Schema(request.plugin_schemas)
    root = read_file(request.project, ROOT_FILE, schema)
    faults: list[KindlingError] = list(check_leaves(root, schema))
    raise_together(faults)  # which environment is meant stands in this file: go no further
    environment = choose_environment(request, root)
    layers: list[list[Leaf]] = [
        kernel_defaults(request.cores),
        plugin_defaults(schema),
        flat_layer(request.platform_defaults, schema, "default of the platform"),
        root,
        read_file(request.project, f"kindling.{environment}.toml", schema),
        read_file(request.project, SECRETS_FILE, schema),
    ]
    layers.append(variables_layer(request.variables, schema, layers))
    layers.append(flat_layer(request.overrides, schema, "--set", literal=True))
    layers.append(flat_layer(request.app_settings, schema, "App(settings=...)"))
    for layer in (layers[2], *layers[4:]):
        faults += check_leaves(layer, schema)
    raise_together(faults)
    return environment, merge(_with_default_location(layers))


def kernel_defaults(cores: int) -> list[Leaf]:
    """Return the kernel's own defaults."""
    leaves = [
        Leaf(tuple(setting.name.split(".")), setting.default, "default of kindling-core")
        for setting in KERNEL
        if "*" not in setting.name
    ]
    for leaf in leaves:
        if leaf.path == ("run", "workers"):
            leaf.value = cores
    return leaves


def plugin_defaults(schema: Schema) -> list[Leaf]:
    """Return the defaults of the plugins in use."""
    return [
        Leaf(tuple(setting.name.split(".")), setting.default, f"default of {capability}")
        for capability, setting in schema.plugin_settings
        if setting.default is not None
    ]


def read_file(project: str, name: str, schema: Schema) -> list[Leaf]:
    """Return a file's leaves; none where the file does not exist.

    Raises:
        ConfigError: KDL-CONF-002 or KDL-CONF-011, it is not TOML or cannot be read.
    """
    try:
        with open(os.path.join(project, name), encoding="utf-8", newline="") as file:
            text = file.read().replace("\r\n", "\n")
        tree = tomllib.loads(text)
    except FileNotFoundError:
        return []
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(name, text, str(error)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            "KDL-CONF-011", f"{name!r} cannot be read", why=_reason(error), where=name
        ) from error
    lines = key_lines(text)

    def origin(path: Path) -> str:
        toml_path: TomlPath = path
        while toml_path and toml_path not in lines:
            toml_path = toml_path[:-1]
        return f"{name}:{lines.get(toml_path, 1)}"

    return leaves_of(tree, schema, origin, hidden=name == SECRETS_FILE)


def _not_toml(name: str, text: str, message: str) -> ConfigError:
    match = re.search(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", message)
    reason, line = (match[1], match[2]) if match else (message, None)
    clashes = "overwrite" in reason or "mutate" in reason
    return ConfigError(
        "KDL-CONF-002",
        f"{name!r} is not valid TOML",
        why=reason[:1].lower() + reason[1:],
        where=f"{name}:{line}" if line else name,
        hint=_clash_hint(text.splitlines()[int(line) - 1]) if clashes and line else "",
    )


def _clash_hint(line: str) -> str:
    """Return what to write where a key is both a value and a table."""
    kind = re.match(rf"\s*\[\s*({'|'.join(CHOSEN_KINDS)})\s*\.", line)
    if kind is not None:
        return f'write {kind[1]}.default = "..." in place of {kind[1]} = "..."'
    return 'a key that is both a value and a table must be quoted: "spark.speculation" = true'


def _reason(error: Exception) -> str:
    return (
        "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else getattr(error, "strerror", None) or ""
    )


def choose_environment(request: Request, root: Sequence[Leaf]) -> str:
    """Return the environment that was asked for, or the default one.

    Raises:
        ConfigError: KDL-CONF-006, `environments` does not list it, or it is not a name.
    """
    values: dict[str, Plain] = {setting.name: setting.default for setting in KERNEL}
    origins: dict[str, str] = {}
    for leaf in root:
        values[leaf.path[0]], origins[leaf.path[0]] = leaf.value, leaf.origin
    known = values["environments"]
    names = [str(name) for name in known] if isinstance(known, list) else []
    chosen, where = (
        (request.environment, "--env")
        if request.environment
        else (request.switch, "environment variable KINDLING_ENV")
        if request.switch
        else (
            str(values["default_environment"]),
            origins.get("default_environment", "default of kindling-core"),
        )
    )
    protected = values["protected"]
    strangers = [str(name) for name in protected if name not in names] if isinstance(protected, list) else []
    raise_together(
        [
            _unknown_environment(name, names, place)
            for name, place in ((chosen, where), *((name, origins["protected"]) for name in strangers))
            if name not in names
        ]
    )
    return chosen


def _unknown_environment(name: str, names: Sequence[str], where: str) -> ConfigError:
    close = close_names(name, names)
    return ConfigError(
        "KDL-CONF-006",
        f"there is no environment {name!r}",
        why=f"'environments' lists {', '.join(names) or 'none'}",
        where=where,
        hint=did_you_mean(name, close) if close else f"add {name!r} to 'environments' in {ROOT_FILE}",
        environment=name,
    )


def flat_layer(
    values: Mapping[str, Plain], schema: Schema, origin: str, *, literal: bool = False
) -> list[Leaf]:
    """Return the leaves of dotted keys, whose values may be tables."""
    return [
        leaf
        for key, value in values.items()
        for leaf in leaves_of(nested(split_key(key), value), schema, lambda _: origin, literal=literal)
    ]


def variables_layer(
    variables: Mapping[str, str], schema: Schema, below: Sequence[Sequence[Leaf]]
) -> list[Leaf]:
    """Return the leaves of `KINDLING_*` variables.

    `__` separates the parts of a key. A part in capitals stands for lower case, or for the same name in
    whichever case a lower layer has it, so that `KINDLING_SPARK__SPARK__SQL__CASESENSITIVE` reaches
    `spark.sql.caseSensitive`.

    Args:
        variables: Full names and their text; reserved names left out.
        schema: The schema.
        below: The layers below.
    """
    known = {tuple(part.lower() for part in leaf.path): leaf.path for layer in below for leaf in layer}
    leaves = []
    for name, text in sorted(variables.items()):
        parts = name.removeprefix("KINDLING_").split("__")
        path = tuple(part.lower() if part.isupper() else part for part in parts)
        value: object = text
        if text.lstrip().startswith("{") and not schema.is_setting(path):
            value = _inline_table(text)
        where = f"environment variable {name}"
        for leaf in leaves_of(nested(path, value), schema, lambda _, where=where: where, literal=True):  # type: ignore[misc]  # a default binds the loop's value
            leaf.path = known.get(tuple(part.lower() for part in leaf.path), leaf.path)
            leaves.append(leaf)
    return leaves


def _inline_table(text: str) -> object:
    from kindling.config.checks import literal

    return literal(text)


def _with_default_location(layers: list[list[Leaf]]) -> list[list[Leaf]]:
    """Add the place of the location `lake` to the defaults, unless somebody says where it is."""
    places = {("locations", "lake", name) for name in ("uri", "catalog", "dataset")}
    if not any(leaf.path in places for layer in layers for leaf in layer):
        path = tuple(DEFAULT_LOCATION.name.split("."))
        layers[0].append(Leaf(path, DEFAULT_LOCATION.default, "default of kindling-core"))
    return layers


def merge(layers: Sequence[Sequence[Leaf]]) -> list[Leaf]:
    """Return the winning leaf of each path, sorted by path."""
    from dynaconf import Dynaconf

    merged = Dynaconf(
        dynaconf_skip_loaders=True,
        dynaconf_skip_validators=True,
        load_dotenv=False,
        merge_enabled=True,
        validate_on_update=False,
    )
    for number, layer in enumerate(layers):
        tree: dict[str, object] = {}
        for leaf in layer:
            _plant(tree, leaf)
        if tree:
            merged.update({_TOP: tree}, loader_identifier=f"layer {number}", dotted_lookup=False)
    found = _harvest(merged.get(_TOP, {}))
    return sorted(found, key=lambda leaf: leaf.path)


def _plant(tree: dict[str, object], leaf: Leaf) -> None:
    if leaf.value == {}:
        return
    for part in leaf.path[:-1]:
        inner = tree.get(_encoded(part))
        if not isinstance(inner, dict):
            inner = tree[_encoded(part)] = {}
        tree = inner
    tree[_encoded(leaf.path[-1])] = leaf


def _harvest(tree: Mapping[str, object]) -> Iterator[Leaf]:
    for value in tree.values():
        if isinstance(value, Leaf):
            yield value
        elif isinstance(value, dict):
            yield from _harvest(value)


def _encoded(part: str) -> str:
    """Return a key that dynaconf neither folds, splits nor takes for a word of its own."""
    return "=" + "".join(letter if letter in _SAFE else f"%{ord(letter):x};" for letter in part)
