"""The settings of one project in one environment, each with its origin. Not where they are merged."""

from __future__ import annotations

import os

from kindling.config.request import Request, settings_variables
from kindling.errors import ConfigError, PolicyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from kindling.config.schema import Path
    from kindling.values import Plain

_FILE = "kindling.toml"
_SECRETS = ".secrets.toml"
_STATE = ".kindling"
_CHOSEN = ("platform", "executor", "state", "storage")
_HIDDEN = "***"
_EMPTY: Mapping[str, Plain] = {}


class Settings:
    """Merged settings: plain, read-only.

    Attributes:
        project: Absolute path of the project folder.
        environment: The environment's name.
    """

    __slots__ = ("_hidden", "_origins", "_tree", "_values", "environment", "project")

    def __init__(self, project: str, environment: str, rows: Iterable[tuple[Path, Plain, str, bool]]) -> None:
        """Hold settings.

        Args:
            project: Absolute path of the project folder.
            environment: The environment's name.
            rows: (path, value, origin, whether it is never shown), one for each setting.
        """
        self.project = project
        self.environment = environment
        self._tree: dict[str, Plain] = {}
        self._values: dict[str, Plain] = {}
        self._origins: dict[str, tuple[Path, str]] = {}
        self._hidden: set[str] = set()
        for path, value, origin, hidden in rows:
            key = ".".join(path)
            self._values[key] = value
            self._origins[key] = (path, origin)
            if hidden:
                self._hidden.add(key)
            _put(self._tree, path, value)

    def get(self, key: str, default: Plain = None) -> Plain:
        """Return a value or a table; `default` where nobody set it.

        Args:
            key: Dotted, `run.workers`; names with dots need no quotes. `platform`, `executor`, `state`
                and `storage` are the chosen capability's name.
            default: Returned for a key without a value.
        """
        key = _plain_key(key)
        value = self._values.get(key)
        if value is not None:
            return value
        found = self._subtree(key)
        return default if found is None else found

    def table(self, key: str) -> Mapping[str, Plain]:
        """Return a table, not to be changed; an empty one where nobody set a value in it."""
        value = self._tree.get(key) if "." not in key else self._subtree(key.replace('"', ""))
        return value if isinstance(value, dict) else {}

    @property
    def spark(self) -> dict[str, str]:
        """The `[spark]` table: dotted keys, values as text."""
        return {key: str(value) for key, value in self.table("spark").items()}

    def plugin(self, capability: str) -> Mapping[str, Plain]:
        """Return a plugin's own settings, the table `[<kind>.<name>]`.

        Args:
            capability: `kind:name`, for example `storage:delta`.
        """
        kind, _, name = capability.partition(":")
        value = self.table(kind).get(name)
        return value if isinstance(value, dict) else {}

    def origin(self, key: str) -> str:
        """Return where a value was set: `kindling.toml:12`, `--set`, `default of ...`; "" for nowhere."""
        found = self._origins.get(_plain_key(key))
        return found[1] if found else ""

    def keys(self) -> Sequence[str]:
        """Return the dotted keys of all values, sorted, with quotes where a name holds a dot."""
        return sorted(_quoted(path) for path, _ in self._origins.values())

    def digest(self, keys: Iterable[str]) -> str:
        """Return 32 hexadecimal digits that change when one of the values or tables changes.

        Origins, and the order of the keys, do not matter. It is a hash: whoever can guess a short value
        of the secrets file can confirm the guess with it.
        """
        import json
        from hashlib import blake2b

        plain = {key: self.get(key) for key in keys}
        text = json.dumps(plain, sort_keys=True).encode("utf-8", "surrogatepass")
        return blake2b(text, digest_size=16).hexdigest()

    def hidden_values(self) -> Iterator[str]:
        """Yield the texts that came from the secrets file, for the redactor."""
        for key in sorted(self._hidden):
            yield from _texts(self._values[key])

    def rows(self) -> list[list[Plain]]:
        """Return `[path, value, origin]` of each value, for the cache: nothing is hidden in it."""
        return [[list(path), self._values[key], origin] for key, (path, origin) in self._origins.items()]

    def to_plain(self) -> dict[str, Plain]:
        """Return all tables as JSON types; values from the secrets file are `***`."""
        tree: dict[str, Plain] = {}
        for key, (path, _) in self._origins.items():
            _put(tree, path, _HIDDEN if key in self._hidden else self._values[key])
        return tree

    def _subtree(self, key: str) -> Plain:
        """Return the values below a key as nested tables, or None."""
        if "." not in key:
            return self._tree.get(key)
        tree: dict[str, Plain] = {}
        for name, (path, _) in self._origins.items():
            depth = next((n for n in range(1, len(path)) if ".".join(path[:n]) == key), 0)
            if depth:
                _put(tree, path[depth:], self._values[name])
        return tree or None


def load_settings(
    project: str,
    *,
    environment: str = "",
    overrides: Mapping[str, Plain] = _EMPTY,
    app_settings: Mapping[str, Plain] = _EMPTY,
    plugin_schemas: Mapping[str, Mapping[str, object]] = {},
    platform_defaults: Mapping[str, Plain] = _EMPTY,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Load a project's settings.

    Effects: reads files; writes `.kindling/cache` unless a secrets file exists or `KINDLING_CACHE=off`.

    Args:
        project: Folder with `kindling.toml`; without one all settings have their defaults.
        environment: Environment's name; "" for `KINDLING_ENV`, else `default_environment`.
        overrides: `--set` values by dotted key; text takes its setting's type.
        app_settings: `App(settings=...)`, by dotted key or as tables.
        plugin_schemas: By capability in use: the `config` of its manifest.
        platform_defaults: The same form as `app_settings`.
        environ: Environment variables; by default the process's.

    Raises:
        ConfigError: One fault, KDL-CONF-002 to KDL-CONF-021; several are raised as `Faults`.
    """
    variables = os.environ if environ is None else environ
    request = Request(
        os.path.abspath(project),
        environment,
        variables.get("KINDLING_ENV", ""),
        settings_variables(variables),
        overrides,
        app_settings,
        plugin_schemas,
        platform_defaults,
        _cores(),
    )
    has_cache = variables.get("KINDLING_CACHE", "").lower() not in ("0", "off", "false", "no")
    return _cached(request) if has_cache else _loaded(request)


def _cached(request: Request) -> Settings:
    """Load through the cache; with a secrets file neither read nor write it."""
    from kindling.config.cache import read_entry, stamp, write_entry

    project, key = request.project, request.digest()
    secrets = f"{project}/{_SECRETS}"
    if stamp(secrets):
        return _loaded(request)
    folder = f"{project}/{_STATE}/cache"
    entry = read_entry(folder, key)
    if entry is not None:
        rows = ((tuple(path), value, origin, False) for path, value, origin in entry[1])  # type: ignore[arg-type]  # as written below
        return Settings(project, entry[0], rows)  # type: ignore[arg-type]  # the same
    # Stamps are taken before the files are read: a change in between makes the entry stale, not wrong.
    before = {path: stamp(path) for path in _files(project)}
    settings = _loaded(request)
    if any(settings.hidden_values()) or not before:
        return settings
    looked_at = (f"{project}/{_FILE}", f"{project}/kindling.{settings.environment}.toml", secrets)
    files = [(path, before.get(path, [])) for path in looked_at]
    try:
        project_state_dir(project)
    except OSError:
        return settings  # a read-only project: the next load is as slow as this one
    write_entry(folder, key, files, settings.environment, settings.rows())
    return settings


def _files(project: str) -> Iterator[str]:
    """Yield the configuration files that exist; none where there is no such folder."""
    if os.path.isdir(project):
        for name in os.listdir(project):
            if name.startswith("kindling.") and name.endswith(".toml"):
                yield f"{project}/{name}"


def _loaded(request: Request) -> Settings:
    from kindling.config.layers import load_layers

    environment, leaves = load_layers(request)
    rows = ((leaf.path, leaf.value, leaf.origin, leaf.hidden) for leaf in leaves)
    return Settings(request.project, environment, rows)


def _cores() -> int:
    """Return how many cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def find_project(start: str) -> str:
    """Return the nearest folder with `kindling.toml`, from a folder upwards, as an absolute path.

    Raises:
        ConfigError: KDL-CONF-001, there is none.
    """
    folder = os.path.abspath(start)
    while not os.path.isfile(f"{folder}/{_FILE}"):
        parent = os.path.dirname(folder)
        if parent == folder:
            raise ConfigError(
                "KDL-CONF-001",
                f"there is no {_FILE} here",
                why=f"neither {start!r} nor a folder above it has one",
                hint="run kindling init, or change to the project's folder",
                start=start,
            )
        folder = parent
    return folder


def project_state_dir(project: str) -> str:
    """Return the absolute path of the project's `.kindling` folder.

    Effects: creates it, with a `.gitignore` that keeps all of it out of git.
    """
    folder = f"{os.path.abspath(project)}/{_STATE}"
    ignore = f"{folder}/.gitignore"
    if not os.path.exists(ignore):
        os.makedirs(folder, exist_ok=True)
        with open(ignore, "w", encoding="utf-8") as file:
            file.write("*\n")
    return folder


def environment_of(settings: Settings, said: str | None) -> str:
    """Return the environment to work in.

    Args:
        settings: Loaded settings.
        said: What `--env` said, or None; `KINDLING_ENV` and defaults do not count as said.

    Raises:
        PolicyError: KDL-POL-010, it is protected and nobody said its name.
    """
    name = settings.environment
    protected = settings.get("protected")
    if isinstance(protected, list) and name in protected and said != name:
        raise PolicyError(
            "KDL-POL-010",
            f"environment {name!r} is protected",
            why="it must be named on the command line; a default or a variable is not enough",
            where=settings.origin("protected"),
            hint=f"add --env {name}",
            environment=name,
        )
    return name


def _plain_key(key: str) -> str:
    return f"{key}.default" if key in _CHOSEN else key.replace('"', "")


def _quoted(path: Path) -> str:
    return ".".join(f'"{part}"' if "." in part else part for part in path)


def _put(tree: dict[str, Plain], path: Path, value: Plain) -> None:
    for part in path[:-1]:
        inner = tree.setdefault(part, {})
        if not isinstance(inner, dict):
            inner = tree[part] = {}
        tree = inner
    tree[path[-1]] = value


def _texts(value: Plain) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        yield from _texts(item)
