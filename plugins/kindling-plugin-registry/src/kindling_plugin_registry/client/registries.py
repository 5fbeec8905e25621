"""Which registries there are, and the rules of choice: `[plugins]` as values. It reads no registry."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase

from kindling.errors import ConfigError, UsageError
from kindling.names import canonical
from kindling.values import Value
from kindling_plugin_registry.client.kernel import (
    Policy,
    load_settings,
    permitted,
    project_state_dir,
    user_cache_dir,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

LEVELS = ("listed", "loadable", "conformant", "verified")


class Registry(Value):
    """One registry.

    Attributes:
        name: As in `[plugins.registry.<name>]`.
        url: `https://`, `http://` or `file://` address, or an absolute folder; ends with `/`.
        priority: The higher, the earlier it is asked.
        root: Absolute path of the trusted `root.json`.
        package_index: Where the dependencies of its plugins are found; "" for the tool's own default.
        names: Patterns of names that are bound to it, canonical.
        folder: Where its verified copy is kept.
    """

    name: str
    url: str
    priority: int
    root: str
    package_index: str
    names: tuple[str, ...]
    folder: str

    def binds(self, name: str) -> bool:
        """Tell whether a canonical name is bound to this registry."""
        return any(fnmatchcase(name, pattern) for pattern in self.names)


class Rules(Value):
    """`[plugins.policy]`; see `docs/registry/format.md`."""

    require_level: str = "loadable"
    cooldown_days: int = 3
    revoked: str = "refuse"
    vulnerable: str = "warn"
    licenses: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()


class Client(Value):
    """What every command knows before it asks a registry.

    Attributes:
        project: Folder of the project, "" outside of one.
        settings_file: Where requests are recorded: `kindling.toml`, or the user's own file.
        cache: Folder of the catalog's cache.
        state: Folder of the verified copies, accepted permissions and downloads.
        registries: Highest priority first.
        rules: The rules of choice.
        policy: Allow, block and prefer lists.
        requests: Requirements that were asked for by name, as written.
    """

    project: str
    settings_file: str
    cache: str
    state: str
    registries: tuple[Registry, ...]
    rules: Rules
    policy: Policy
    requests: tuple[str, ...]

    def registry(self, name: str) -> Registry:
        """Return a registry by its name.

        Raises:
            UsageError: KDL-REG-101, there is none.
        """
        for registry in self.registries:
            if registry.name == name:
                return registry
        known = ", ".join(repr(item.name) for item in self.registries) or "none"
        raise UsageError(
            "KDL-REG-101",
            f"there is no registry {name!r}",
            why=f"known: {known}",
            hint=f'add [plugins.registry.{name}] with url = "..." and root = "root.json" to kindling.toml',
        )

    def require_registries(self) -> tuple[Registry, ...]:
        """Return the registries.

        Raises:
            UsageError: KDL-REG-101, none is configured.
        """
        if self.registries:
            return self.registries
        raise UsageError(
            "KDL-REG-101",
            "no registry is configured",
            why="[plugins.registry] names none",
            where=self.settings_file,
            hint='add [plugins.registry.NAME] with url = "https://..." and root = "root.json"',
        )


def open_client(cwd: str) -> Client:
    """Read the settings around a folder; outside of a project those of the user's own file.

    Effects: those of `permitted`; makes the folder of the verified copies.

    Raises:
        KindlingError: A setting is wrong.
    """
    found = permitted(cwd)
    if found.fault is not None:
        raise found.fault
    table: object
    if found.project:
        plain = load_settings(found.project).to_plain()
        table, base, file = plain.get("plugins"), found.project, f"{found.project}/kindling.toml"
    else:
        file = user_file(os.environ)
        table, base = _user_table(file), os.path.dirname(file)
    plugins = table if isinstance(table, dict) else {}
    cache = user_cache_dir(os.environ)
    own = f"{project_state_dir(found.project)}/registry" if found.project else ""
    state = f"{cache}/registry" if cache else own or os.path.join(base, "registry")
    os.makedirs(state, exist_ok=True)
    requests = plugins.get("requests")
    return Client(
        project=found.project,
        settings_file=file,
        cache=found.cache,
        state=state,
        registries=_registries(plugins.get("registry"), base, state, file),
        rules=_rules(plugins.get("policy")),
        policy=found.policy if found.project else Policy.of({"plugins": plugins}, os.environ),
        requests=tuple(str(item) for item in requests) if isinstance(requests, list) else (),
    )


def user_file(variables: Mapping[str, str]) -> str:
    """Return the path of the user's own settings of plugins: `$XDG_CONFIG_HOME/kindling/plugins.toml`."""
    home = variables.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(home):
        home = os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(home, "kindling", "plugins.toml")


def _user_table(file: str) -> object:
    import tomllib

    try:
        with open(file, "rb") as opened:
            return tomllib.load(opened).get("plugins", {})
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as cause:
        raise ConfigError(
            "KDL-REG-102", "the user's settings of plugins cannot be read", why=str(cause), where=file
        ) from cause


def _registries(table: object, base: str, state: str, file: str) -> tuple[Registry, ...]:
    found = []
    for name, value in table.items() if isinstance(table, dict) else ():
        facts = value if isinstance(value, dict) else {}
        for key in ("url", "root"):
            if not facts.get(key):
                raise ConfigError(
                    "KDL-REG-102",
                    f"the registry {name!r} has no {key}",
                    why="an index is read from its url, and trusted because of its root.json",
                    where=file,
                    hint=f'add {key} = "..." to [plugins.registry.{name}]',
                )
        url = _address(str(facts["url"]), base)
        found.append(
            Registry(
                name=str(name),
                url=url,
                priority=int(str(facts.get("priority") or 0)),
                root=os.path.join(base, os.path.expanduser(str(facts["root"]))),
                package_index=_index(str(facts.get("package_index") or ""), base),
                names=tuple(_pattern(str(item)) for item in facts.get("names") or ()),
                folder=f"{state}/{name}-{_short(url)}",
            )
        )
    return tuple(sorted(found, key=lambda item: (-item.priority, item.name)))


def _rules(table: object) -> Rules:
    plain = table if isinstance(table, dict) else {}
    rules = Rules()
    given = {key: value for key, value in plain.items() if value is not None}
    for key in ("licenses", "permissions"):
        if key in given:
            given[key] = tuple(given[key])
    return rules.replace(**given)


def _address(url: str, base: str) -> str:
    """Return an address that ends with `/`; a folder is absolute, relative ones start at the settings."""
    if "://" not in url:
        url = os.path.normpath(os.path.join(base, os.path.expanduser(url)))
    return url if url.endswith("/") else f"{url}/"


def _index(url: str, base: str) -> str:
    if not url or "://" in url:
        return url
    return os.path.normpath(os.path.join(base, os.path.expanduser(url)))


def _pattern(text: str) -> str:
    """Return a pattern of names in canonical form: `Kindling_Plugin.Corp*` is `kindling-plugin-corp*`."""
    return canonical(text)


def _short(text: str) -> str:
    from hashlib import sha256

    return sha256(text.encode()).hexdigest()[:12]
