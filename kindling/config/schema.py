"""The settings that exist: names, types, defaults, meaning. As data; not where values come from.

A name is a dotted path; `*` stands for a name that the user chose, `**` for free-form values.
"""

from __future__ import annotations

from kindling.names import KINDS
from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import TypeAlias

    from kindling.values import Plain

    Path: TypeAlias = tuple[str, ...]
    Node: TypeAlias = "dict[str, Node | Setting]"

ROOT_FILE = "kindling.toml"
SECRETS_FILE = ".secrets.toml"
CHOSEN_KINDS = ("platform", "executor", "state", "storage")
"""Kinds of which one capability is chosen: `platform = "sail"` is short for `platform.default`."""
ROOT_ONLY = ("environments", "default_environment", "protected")
"""Settings that decide about environments: they stand in `kindling.toml` alone."""


class Setting(Value):
    """One setting.

    Attributes:
        name: Dotted path, `*` for a chosen name.
        type: `string`, `int`, `float`, `bool`, `strings`, `table`, `secret` (a `secret://` reference),
            `text` (any scalar, kept as text) or `any`.
        default: Its value where nobody sets it; None for none.
        doc: What it does, one sentence.
        choices: The only values allowed, or ().
        least: The least number allowed, or None.
    """

    name: str
    type: str
    default: Plain = None
    doc: str = ""
    choices: tuple[str, ...] = ()
    least: float | None = None


KERNEL = (
    Setting("app", "string", "", "where the app is declared, 'module:object'"),
    Setting("environments", "strings", ["dev"], "names of the environments that exist"),
    Setting("default_environment", "string", "dev", "the environment where none is named"),
    Setting("protected", "strings", [], "environments that need --env said aloud"),
    Setting("platform.default", "string", "sail", "the platform that computes frames"),
    Setting("executor.default", "string", "threads", "the executor that runs tasks"),
    Setting("state.default", "string", "sqlite", "where history and leases are kept"),
    Setting("storage.default", "string", "delta", "the storage of entities that name none"),
    Setting("run.workers", "int", None, "tasks that run at once; by default one per core", (), 1),
    Setting("run.timeout_s", "float", None, "seconds after which a task is stopped", (), 0.001),
    Setting("run.grace_s", "float", 5.0, "seconds that stopping a task may take", (), 0),
    Setting("run.retries", "int", 2, "retries after a transient error", (), 0),
    Setting(
        "run.on_error",
        "string",
        "skip-dependents",
        "what a failed task does to the others",
        ("skip-dependents", "stop"),
    ),
    Setting("run.sinks", "strings", [], "further event sinks, names of `sink:` capabilities"),
    Setting("run.lineage", "strings", [], "where lineage is told, names of `lineage:` capabilities"),
    Setting("run.trace", "bool", False, "remember where columns come from, as with run.lineage"),
    Setting("run.heartbeat_s", "float", 30.0, "seconds between two signs of life", (), 0.001),
    Setting("locations.*.uri", "string", None, "folder or URL; relative to the project"),
    Setting("locations.*.catalog", "string", None, "catalog of the tables"),
    Setting("locations.*.dataset", "string", None, "dataset or schema of the tables"),
    Setting("locations.*.credential", "secret", None, "reference to what opens the location"),
    Setting("locations.*.shared", "bool", None, "several environments may use one place"),
    Setting("naming.template", "string", "{entity_path}", "an entity's place inside its location"),
    Setting("plugins.prefer.*", "string", None, "distribution that wins for a capability"),
    Setting("plugins.disable", "strings", [], "distributions that are never loaded"),
    Setting("plugins.allow", "strings", [], "the only distributions that may be loaded"),
    Setting("plugins.block", "strings", [], "distributions that policy forbids"),
    Setting("plugins.requests", "strings", [], "plugins that were asked for; `plugins sync` restores them"),
    Setting("plugins.registry.*.url", "string", None, "address or folder of a registry's index"),
    Setting("plugins.registry.*.root", "string", None, "its trusted root.json, relative to the project"),
    Setting("plugins.registry.*.priority", "int", None, "the higher, the earlier it is asked; default 0"),
    Setting("plugins.registry.*.package_index", "string", None, "where its plugins' dependencies are found"),
    Setting("plugins.registry.*.names", "strings", None, "patterns of names that are looked up in it alone"),
    Setting(
        "plugins.policy.require_level",
        "string",
        "loadable",
        "the lowest level that a plugin may have to be chosen",
        ("listed", "loadable", "conformant", "verified"),
    ),
    Setting("plugins.policy.cooldown_days", "int", 3, "days before a new release is chosen", (), 0),
    Setting("plugins.policy.revoked", "string", "refuse", "what a revoked plugin meets", ("refuse", "warn")),
    Setting(
        "plugins.policy.vulnerable", "string", "warn", "what a vulnerable plugin meets", ("refuse", "warn")
    ),
    Setting("plugins.policy.licenses", "strings", [], "the only licenses that are chosen; empty: all"),
    Setting("plugins.policy.permissions", "strings", [], "those accepted without being asked; empty: all"),
    Setting("entities.*.path", "string", None, "where the entity is in this environment"),
    Setting("entities.*.adopt", "bool", None, "let this app own a table that Kindling did not make"),
    Setting("entities.*.location", "string", None, "location of the entity in this environment"),
    Setting("entities.*.timeout_s", "float", None, "seconds after which its task is stopped", (), 0.001),
    Setting("entities.*.retries", "int", None, "retries of its task", (), 0),
    Setting("refs.*.environment", "string", None, "environment of the other app; default: the same"),
    Setting("refs.*.defer", "string", None, "environment to read from where this one has no data"),
    Setting("refs.*.location", "string", None, "location of the other app's entities"),
    Setting("plan.principal", "string", "", "workload principal that the data is read as"),
    Setting("policy.masks.*.class", "string", None, "glob of the classes that the rule is about"),
    Setting("policy.masks.*.mask", "string", None, "how they are masked, name of a `masking:` capability"),
    Setting("policy.masks.*.key", "secret", None, "reference to the key of a keyed mask"),
    Setting(
        "policy.masks.*.on",
        "string",
        None,
        "where it acts: on the inputs of pipes, or on what people are shown",
        ("pipes", "show"),
    ),
    Setting("policy.masks.*.entities", "strings", None, "globs of the reading pipes or the shown entities"),
    Setting("policy.masks.*.unless", "strings", None, "principals and roles that see the raw values"),
    Setting("policy.masks.*.options.**", "any", None, "options of the mask"),
    Setting("policy.roles.*", "strings", None, "principals that have the role"),
    Setting("spark.*", "text", None, "setting of the engine's session, by its dotted name"),
    Setting("settings.**", "any", None, "the app's own values, read by Context.setting(name)"),
)
"""The kernel's settings, in the order of the documentation."""

DEFAULT_LOCATION = Setting("locations.lake.uri", "string", "lake/{environment}", "the default location")
_SYNONYMS = {
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "list": "strings",
    "array": "strings",
    "object": "table",
}


class Schema:
    """All settings of one load: the kernel's and those of the plugins in use."""

    def __init__(self, plugin_schemas: Mapping[str, Mapping[str, object]]) -> None:
        """Build the schema.

        Args:
            plugin_schemas: By capability: the `config` of its manifest.
        """
        self.plugin_settings = tuple(_plugin_settings(plugin_schemas))
        self._tree: Node = {}
        for kind in KINDS:
            self._put((kind, "*", "**"), Setting(f"{kind}.*.**", "any"))
        for capability in plugin_schemas:
            kind, _, name = capability.partition(":")
            self._tree.setdefault(kind, {})[name] = {}  # type: ignore[index]  # tables, put above
        for _, setting in self.plugin_settings:
            self._put(tuple(setting.name.split(".")), setting)
        for setting in KERNEL:
            self._put(tuple(setting.name.split(".")), setting)

    def _put(self, path: Path, setting: Setting) -> None:
        node = self._tree
        for part in path[:-1]:
            node = node.setdefault(part, {})  # type: ignore[assignment]  # no setting is above another
        node[path[-1]] = setting

    def find(self, path: Path) -> Setting | int:
        """Return a path's setting, or how many of its parts are known.

        The number equals the path's length where a whole table stands at the path.
        """
        node = self._tree
        for depth, part in enumerate(path):
            child = _child(node, part)
            if child is None:
                return depth
            if isinstance(child, Setting):
                free = child.name.endswith("**")
                return child if free or depth == len(path) - 1 else depth + 1
            node = child
        return len(path)

    def is_setting(self, path: Path) -> bool:
        """Tell whether one value, and no table, belongs at a path."""
        return isinstance(self.find(path), Setting)

    def names_at(self, path: Path) -> tuple[str, ...]:
        """Return the names that may stand right below a path, the chosen ones left out."""
        node = self._tree
        for part in path:
            child = _child(node, part)
            if not isinstance(child, dict):
                return ()
            node = child
        return tuple(name for name in node if not name.startswith("*"))


def _child(node: Node, part: str) -> Node | Setting | None:
    return next((node[name] for name in (part, "*", "**") if name in node), None)


def _plugin_settings(
    plugin_schemas: Mapping[str, Mapping[str, object]],
) -> Iterator[tuple[str, Setting]]:
    for capability, config in plugin_schemas.items():
        for key, facts in config.items():
            known = facts if isinstance(facts, dict) else {}
            kind = str(known.get("type", "any"))
            yield (
                capability,
                Setting(
                    f"{capability.replace(':', '.')}.{key}",
                    _SYNONYMS.get(kind, kind),
                    known.get("default"),
                    str(known.get("doc", "")),
                    tuple(known.get("choices", ())),
                    known.get("least"),
                ),
            )
