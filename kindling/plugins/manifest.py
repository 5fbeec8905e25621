"""What one plugin says about itself: `kindling.json`, parsed and checked. It imports no plugin.

All faults of one manifest are collected and raised together. The schema is closed: an unknown key is
a fault with "did you mean", because a misspelt key would otherwise be a feature silently missing.
"""

from __future__ import annotations

from kindling.errors import KindlingError, PluginError, raise_together
from kindling.names import canonical, did_you_mean, parse_capability
from kindling.plugins import contracts
from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any, TypeAlias

    Alternatives: TypeAlias = tuple[tuple[tuple[str, ...], str], ...]

SCHEMA = "kindling.manifest/1"
MANIFEST_NAME = "kindling.json"
MANIFEST_KEYS = ("$schema", "schema", "distribution", "summary", "capabilities", "permissions", "conflicts")
CAPABILITY_KEYS = ("api", "features", "probe", "probe_module", "needs", "config", "help", "subcommands")
CONFIG_KEYS = ("type", "default", "doc", "choices", "least", "required")


class Capability(Value):
    """What one plugin can do, as its manifest says.

    Attributes:
        kind: For example `storage`.
        name: For example `delta`.
        distribution: Canonical name of the distribution that offers it.
        version: Installed version of that distribution.
        api: Version of the kind's contract that it was made for.
        module: Module with the hook implementation.
        features: Sorted.
        probe: Storages: `local`, `remote` or `none`; "" for other kinds.
        probe_module: Storages: module with `version` and `cursor`, or "".
        needs: Storages: `(use, ((session features, mode), ...))`, alternatives in order of preference.
        config: Its settings by key: `type`, `default`, `doc`, `choices`; read only.
        help: One sentence for lists.
        subcommands: Commands: `(group, name, help)` of what it adds to the kernel's own groups, sorted.
    """

    kind: str
    name: str
    distribution: str
    version: str
    api: str
    module: str
    features: tuple[str, ...] = ()
    probe: str = ""
    probe_module: str = ""
    needs: tuple[tuple[str, Alternatives], ...] = ()
    config: Mapping[str, Mapping[str, object]] = {}  # never written to
    help: str = ""
    subcommands: tuple[tuple[str, str, str], ...] = ()

    @property
    def id(self) -> str:
        """The capability as text, `kind:name`."""
        return f"{self.kind}:{self.name}"

    def need(self, use: str) -> Alternatives:
        """Return what a use needs of a session, alternatives in order; () if it is not offered."""
        return next((alternatives for name, alternatives in self.needs if name == use), ())

    def __hash__(self) -> int:
        """Leave `config` out: a mapping has no hash."""
        return hash((self.kind, self.name, self.distribution, self.version))

    def __eq__(self, other: object) -> bool:
        """Compare all fields, `config` too."""
        return super().__eq__(other)

    def to_plain(self) -> dict[str, object]:
        """Return the capability as JSON types."""
        return {key: getattr(self, key) for key in self._fields}  # type: ignore[attr-defined]  # set by Value's metaclass

    @classmethod
    def from_plain(cls, plain: Mapping[str, object]) -> Capability:
        """Return the capability that `to_plain` wrote, through JSON or not."""
        read: dict[str, Any] = dict(plain)
        read["features"] = tuple(read["features"])
        read["needs"] = tuple(
            (use, tuple((tuple(session), mode) for session, mode in alternatives))
            for use, alternatives in read["needs"]
        )
        read["subcommands"] = tuple(tuple(item) for item in read["subcommands"])
        return cls(**read)


class Distribution(Value):
    """One installed distribution with capabilities.

    Attributes:
        name: Canonical name.
        version: Installed version.
        package: The top-level package that holds its manifest.
        manifest: Absolute path of the manifest.
        summary: One sentence, or "".
        permissions: What it says to use: `files`, `network`, `process`.
        conflicts: Canonical names of distributions that must not be installed beside it.
    """

    name: str
    version: str
    package: str
    manifest: str
    summary: str = ""
    permissions: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()

    def to_plain(self) -> dict[str, object]:
        """Return the distribution as JSON types."""
        return {key: getattr(self, key) for key in self._fields}  # type: ignore[attr-defined]  # set by Value's metaclass

    @classmethod
    def from_plain(cls, plain: Mapping[str, object]) -> Distribution:
        """Return the distribution that `to_plain` wrote, through JSON or not."""
        read: dict[str, Any] = dict(plain)
        read["permissions"] = tuple(read["permissions"])
        read["conflicts"] = tuple(read["conflicts"])
        return cls(**read)


def parse_manifest(
    text: str, distribution: Distribution, modules: Mapping[str, str]
) -> tuple[Distribution, tuple[Capability, ...]]:
    """Parse and check one `kindling.json`.

    Args:
        text: Its text.
        distribution: Who owns it; `name`, `version` and `manifest` are used.
        modules: Module by capability id, from the distribution's entry points.

    Returns:
        The distribution with what its manifest adds, and its capabilities sorted by id.

    Raises:
        PluginError: KDL-PLUG-010, not JSON; KDL-PLUG-011, a value is wrong; KDL-PLUG-012, manifest and
            entry points disagree. Several faults are raised together as `Faults`.
    """
    return _Reader(distribution, modules).read(text)


class _Reader:
    """Reads one manifest and collects its faults."""

    def __init__(self, distribution: Distribution, modules: Mapping[str, str]) -> None:
        self.distribution = distribution
        self.modules = modules
        self.faults: list[KindlingError] = []

    def read(self, text: str) -> tuple[Distribution, tuple[Capability, ...]]:
        plain = self._decode(text)
        self._check_head(plain)
        listed = self._table("capabilities", plain.get("capabilities", {}))
        self._check_entries(listed)
        capabilities = [
            self._capability(key, self._table(f"capabilities.{key}", value))
            for key, value in sorted(listed.items())
            if key in self.modules
        ]
        permissions = self._texts("permissions", plain.get("permissions", []))
        self._check_known("permissions", permissions, contracts.PERMISSIONS)
        conflicts = self._texts("conflicts", plain.get("conflicts", []))
        summary = self._text("summary", plain.get("summary", ""))
        raise_together(self.faults)
        grown = self.distribution.replace(
            summary=summary,
            permissions=tuple(sorted(permissions)),
            conflicts=tuple(sorted(canonical(name) for name in conflicts)),
        )
        return grown, tuple(capabilities)

    def _decode(self, text: str) -> dict[str, object]:
        import json

        owner = self.distribution
        try:
            plain = json.loads(text)
        except ValueError as cause:
            why = str(cause)
        else:
            if isinstance(plain, dict):
                return plain
            why = f"it holds a {type(plain).__name__}, not an object"
        raise PluginError(
            "KDL-PLUG-010",
            f"the manifest of {owner.name!r} {owner.version} cannot be read",
            why=why,
            where=owner.manifest,
            hint=f"pip install --force-reinstall {owner.name}, or tell its authors",
            distribution=owner.name,
            capabilities=list(self.modules),
        )

    def _check_head(self, plain: Mapping[str, object]) -> None:
        self._check_known("", plain, MANIFEST_KEYS)
        if plain.get("schema") != SCHEMA:
            self._fault("schema", f"it is {plain.get('schema')!r}, this kernel reads {SCHEMA!r}")
        named = self._text("distribution", plain.get("distribution"))
        if named and canonical(named) != self.distribution.name:
            self._fault("distribution", f"it is {named!r}, installed is {self.distribution.name!r}")

    def _check_entries(self, listed: Mapping[str, object]) -> None:
        """Entry points say where, the manifest says what: each needs the other."""
        for key in listed:
            try:
                kind, name = parse_capability(key)
            except PluginError as fault:
                self._fault(f"capabilities.{key}", fault.why)
                continue
            if key not in self.modules:
                why = f"no entry point {name!r} in the group 'kindling.{kind}'"
                hint = f'add {name} = "module" under [project.entry-points."kindling.{kind}"]'
                self._disagreement(key, why, hint)
        for key in self.modules:
            if key not in listed:
                hint = f"add {key!r} to its capabilities"
                self._disagreement(key, "an entry point without a capability in the manifest", hint)

    def _capability(self, key: str, plain: dict[str, object]) -> Capability:
        kind, _, name = key.partition(":")
        at = f"capabilities.{key}"
        self._check_known(at, plain, CAPABILITY_KEYS)
        api = self._text(f"{at}.api", plain.get("api"))
        if api and contracts.version_of(api) is None:
            self._fault(f"{at}.api", f"{api!r} is not a version like '1.0'")
        features = self._texts(f"{at}.features", plain.get("features", []))
        # A contract newer than the kernel's may know more words: the range is refused at use instead.
        if not contracts.api_fault(kind, api):
            self._check_features(f"{at}.features", kind, features)
        probe, probe_module = self._probe(at, kind, plain)
        return Capability(
            kind=kind,
            name=name,
            distribution=self.distribution.name,
            version=self.distribution.version,
            api=api,
            module=self.modules[key],
            features=tuple(sorted(set(features))),
            probe=probe,
            probe_module=probe_module,
            needs=self._needs(at, kind, api, plain, features),
            config=self._config(f"{at}.config", plain.get("config", {})),
            help=self._text(f"{at}.help", plain.get("help", "")),
            subcommands=self._subcommands(f"{at}.subcommands", kind, plain),
        )

    def _subcommands(
        self, at: str, kind: str, plain: Mapping[str, object]
    ) -> tuple[tuple[str, str, str], ...]:
        groups = self._table(at, plain.get("subcommands", {}))
        if groups and kind != "command":
            self._fault(at, "only commands have it")
            return ()
        self._check_known(at, groups, contracts.GROUPS)
        return tuple(
            (group, name, self._text(f"{at}.{group}.{name}", text))
            for group, value in sorted(groups.items())
            for name, text in sorted(self._table(f"{at}.{group}", value).items())
        )

    def _probe(self, at: str, kind: str, plain: Mapping[str, object]) -> tuple[str, str]:
        if kind != "storage":
            for key in ("probe", "probe_module", "needs"):
                if key in plain:
                    self._fault(f"{at}.{key}", "only storages have it")
            return "", ""
        probe = self._text(f"{at}.probe", plain.get("probe"))
        module = self._text(f"{at}.probe_module", plain.get("probe_module", ""))
        if probe:
            self._check_known(f"{at}.probe", (probe,), contracts.PROBES)
        if probe in ("local", "remote") and not module:
            self._fault(f"{at}.probe_module", f"it is missing, and the probe is {probe!r}")
        if probe == "none" and module:
            self._fault(f"{at}.probe_module", "it is given, and the probe is 'none'")
        return probe, module

    def _needs(
        self, at: str, kind: str, api: str, plain: Mapping[str, object], features: tuple[str, ...]
    ) -> tuple[tuple[str, Alternatives], ...]:
        if kind != "storage" or contracts.api_fault(kind, api):
            return ()
        needs = self._table(f"{at}.needs", plain.get("needs", {}))
        self._check_known(f"{at}.needs", needs, tuple(contracts.USES))
        for use, feature in contracts.USES.items():
            if use in needs and feature not in features:
                self._fault(f"{at}.needs.{use}", f"the feature {feature!r} is not listed")
        return tuple(
            (use, tuple(self._alternatives(f"{at}.needs.{use}", value)))
            for use, value in sorted(needs.items())
            if use in contracts.USES
        )

    def _alternatives(self, at: str, value: object) -> Iterator[tuple[tuple[str, ...], str]]:
        if not isinstance(value, list) or not value:
            self._fault(at, 'it is no list of alternatives; write [{"session": [], "mode": "native"}]')
            return
        for place, item in enumerate(value):
            here = f"{at}[{place}]"
            plain = self._table(here, item)
            self._check_known(here, plain, ("session", "mode"))
            session = self._texts(f"{here}.session", plain.get("session", []))
            self._check_features(f"{here}.session", "platform", session)
            mode = self._text(f"{here}.mode", plain.get("mode"))
            if mode:
                self._check_known(f"{here}.mode", (mode,), contracts.MODES)
            yield session, mode

    def _config(self, at: str, value: object) -> dict[str, dict[str, object]]:
        config = {key: self._table(f"{at}.{key}", item) for key, item in self._table(at, value).items()}
        for key, facts in config.items():
            self._check_known(f"{at}.{key}", facts, CONFIG_KEYS)
            self._text(f"{at}.{key}.type", facts.get("type"))
        return config

    def _check_features(self, at: str, kind: str, features: tuple[str, ...]) -> None:
        for feature in features:
            if not contracts.is_feature(kind, feature):
                self._fault(at, f"{feature!r} is unknown, {did_you_mean(feature, contracts.features(kind))}")

    def _check_known(self, at: str, given: Iterable[str], known: tuple[str, ...]) -> None:
        for key in given:
            if key not in known:
                self._fault(at, f"{key!r} is unknown, {did_you_mean(key, known)}")

    def _table(self, at: str, value: object) -> dict[str, object]:
        if isinstance(value, dict):
            return value
        self._fault(at, f"it is {value!r}, expected an object")
        return {}

    def _text(self, at: str, value: object) -> str:
        if isinstance(value, str):
            return value
        self._fault(at, "it is missing" if value is None else f"it is {value!r}, expected a text")
        return ""

    def _texts(self, at: str, value: object) -> tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        self._fault(at, f"it is {value!r}, expected a list of texts")
        return ()

    def _fault(self, at: str, why: str) -> None:
        owner = self.distribution
        self.faults.append(
            PluginError(
                "KDL-PLUG-011",
                f"the manifest of {owner.name!r} {owner.version} is wrong at {at or 'its top'!r}",
                why=why,
                where=owner.manifest,
                hint=f"pip install --upgrade {owner.name}, or tell its authors",
                distribution=owner.name,
                capabilities=list(self.modules),
            )
        )

    def _disagreement(self, capability: str, why: str, hint: str) -> None:
        owner = self.distribution
        self.faults.append(
            PluginError(
                "KDL-PLUG-012",
                f"manifest and entry points of {owner.name!r} {owner.version} disagree on {capability!r}",
                why=why,
                where=owner.manifest,
                hint=hint,
                distribution=owner.name,
                capabilities=sorted({*self.modules, capability}),
            )
        )
