"""Which plugins may be used: settings, the environment, allow and block lists. It imports nothing.

The catalog asks before it finds, and the loader asks again right before the import, so that no caller
can go round it. A name in a list is a distribution (compared by PEP 503, on both sides), its short form
(`delta` for `kindling-plugin-delta`), or a capability (`storage:delta`). What the kernel brings itself
is refused only where it is named.
"""

from __future__ import annotations

from kindling.errors import KindlingError, PluginError, PolicyError, raise_together
from kindling.names import canonical
from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from kindling.plugins.manifest import Capability

KERNEL = "kindling-core"
PREFIX = "kindling-plugin-"
_OFF = ("", "0", "false", "no", "off")


class Policy(Value):
    """The rules, from settings and the environment.

    Attributes:
        prefer: Sorted `(capability, canonical distribution)` pairs: who wins where several offer it.
        disable: Names that are switched off.
        allow: Where not empty: the only names that may be used.
        block: Names that must not be used.
        only: From `KINDLING_PLUGINS_ONLY`; None where it is not set, () lets no plugin in.
        off: From `KINDLING_PLUGINS_DISABLE`.
        none: From `KINDLING_PLUGINS_NONE`: no plugin at all.
    """

    prefer: tuple[tuple[str, str], ...] = ()
    disable: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    block: tuple[str, ...] = ()
    only: tuple[str, ...] | None = None
    off: tuple[str, ...] = ()
    none: bool = False

    @classmethod
    def of(cls, settings: Mapping[str, object], environ: Mapping[str, str]) -> Policy:
        """Read the rules.

        Args:
            settings: The whole settings tree; only its table `plugins` is read.
            environ: Environment variables.

        Raises:
            PluginError: KDL-PLUG-030, a list or table in `[plugins]` is of another type.
        """
        faults: list[KindlingError] = []
        plugins = settings.get("plugins", {})
        if not isinstance(plugins, dict):
            raise _wrong("plugins", plugins)
        prefer = plugins.get("prefer", {})
        if not isinstance(prefer, dict) or not all(isinstance(name, str) for name in prefer.values()):
            faults.append(_wrong("plugins.prefer", prefer))
            prefer = {}
        lists: dict[str, tuple[str, ...]] = {}
        for key in ("disable", "allow", "block"):
            value = plugins.get(key, [])
            if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
                lists[key] = _normal(value)
            else:
                faults.append(_wrong(f"plugins.{key}", value))
        raise_together(faults)
        only = environ.get("KINDLING_PLUGINS_ONLY")
        return cls(
            prefer=tuple(sorted((key, canonical(name)) for key, name in prefer.items())),
            only=None if only is None else _normal(only.split(",")),
            off=_normal(environ.get("KINDLING_PLUGINS_DISABLE", "").split(",")),
            none=environ.get("KINDLING_PLUGINS_NONE", "").lower() not in _OFF,
            **lists,
        )

    def preferred(self, capability_id: str) -> str:
        """Return the canonical name of the distribution that wins, or ""."""
        return next((name for key, name in self.prefer if key == capability_id), "")

    def permits(self, capability: Capability) -> bool:
        """Tell whether a capability may be used."""
        return self.refusal(capability) is None

    def enforce(self, capability: Capability) -> None:
        """Raise if a capability may not be used.

        Raises:
            PluginError: KDL-PLUG-005, it is switched off.
            PolicyError: KDL-POL-020, it is blocked; KDL-POL-021, it is not in the allow list.
        """
        if refusal := self.refusal(capability):
            raise refusal

    def refusal(self, capability: Capability) -> KindlingError | None:
        """Return the error that forbids a capability, or None; the strictest rule comes first."""
        names = _names(capability)
        own = capability.distribution == KERNEL
        what = f"{capability.id!r} of {capability.distribution!r}"
        if found := names.intersection(self.block):
            why, hint = f"plugins.block names {_text(found)}", "take it from [plugins] block in kindling.toml"
            return PolicyError("KDL-POL-020", f"{what} is blocked", why=why, hint=hint)
        if self.allow and not own and not names.intersection(self.allow):
            why = f"plugins.allow names only {_text(self.allow)}"
            hint = f'add "{capability.distribution}" to [plugins] allow in kindling.toml'
            return PolicyError("KDL-POL-021", f"{what} is not allowed", why=why, hint=hint)
        if rule := self._switch(names, own=own):
            why, hint = rule[0], rule[1].format(capability.distribution)
            return PluginError("KDL-PLUG-005", f"{what} is switched off", why=why, hint=hint)
        return None

    def _switch(self, names: frozenset[str], *, own: bool) -> tuple[str, str] | None:
        """Return which switch turns names off and how to turn it back."""
        if self.none and not own:
            return "KINDLING_PLUGINS_NONE is set", "unset KINDLING_PLUGINS_NONE"
        if self.only is not None and not own and not names.intersection(self.only):
            why = f"KINDLING_PLUGINS_ONLY names {_text(self.only) or 'nothing'}"
            return why, "add {} to KINDLING_PLUGINS_ONLY"
        if found := names.intersection(self.off):
            return f"KINDLING_PLUGINS_DISABLE names {_text(found)}", "take it from KINDLING_PLUGINS_DISABLE"
        if found := names.intersection(self.disable):
            return f"plugins.disable names {_text(found)}", "kindling plugins enable {}"
        return None


def _names(capability: Capability) -> frozenset[str]:
    """Return the forms under which lists may name a capability."""
    distribution = capability.distribution
    return frozenset((capability.id, distribution, distribution.removeprefix(PREFIX)))


def _normal(names: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """Return names in the form in which they are compared; empty ones are dropped."""
    stripped = (name.strip() for name in names)
    return tuple(sorted({name if ":" in name else canonical(name) for name in stripped if name}))


def _text(names: frozenset[str] | tuple[str, ...]) -> str:
    return ", ".join(repr(name) for name in sorted(names))


def _wrong(setting: str, value: object) -> PluginError:
    expected = {
        "plugins": "a table",
        "plugins.prefer": 'a table like {"storage:delta" = "kindling-plugin-delta"}',
    }.get(setting, 'a list like ["kindling-plugin-delta"]')
    return PluginError(
        "KDL-PLUG-030",
        f"the setting {setting!r} cannot be used",
        why=f"it is {value!r}, expected {expected}",
        hint=f"correct {setting} in kindling.toml",
    )
