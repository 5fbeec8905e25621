"""What one load of settings was asked for; it reads nothing but the process environment."""

from __future__ import annotations

from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from kindling.values import Plain

PREFIX = "KINDLING_"
RESERVED = ("ENV", "CACHE", "PROJECT", "DEBUG", "LOG", "NO_COLOR", "HOME", "FEATURE_TABLE")
RESERVED_PREFIXES = ("PLUGINS_", "TEST_", "REGISTRY_", "SERVER_", "SECRET_", "BENCH_")
"""Variables that are no settings. `KINDLING_PLUGINS_ONLY` is one, `KINDLING_PLUGINS__ALLOW` is not."""


class Request(Value):
    """One load.

    Attributes:
        project: Absolute path of the project folder.
        environment: The environment that was asked for, or "".
        switch: The text of `KINDLING_ENV`, or "".
        variables: `KINDLING_*` variables that are settings, full names.
        overrides: `--set` values by dotted key.
        app_settings: `App(settings=...)` by dotted key or as tables.
        plugin_schemas: By capability in use: the `config` of its manifest.
        platform_defaults: Defaults of the platform by dotted key or as tables.
        cores: Cores that this process may use.
    """

    project: str
    environment: str
    switch: str
    variables: Mapping[str, str]
    overrides: Mapping[str, Plain]
    app_settings: Mapping[str, Plain]
    plugin_schemas: Mapping[str, Mapping[str, object]]
    platform_defaults: Mapping[str, Plain]
    cores: int

    def digest(self) -> str:
        """Return a digest of everything but the files."""
        import json
        from hashlib import blake2b

        fields: tuple[str, ...] = self._fields  # type: ignore[attr-defined]  # of Value
        plain = [[name, getattr(self, name)] for name in fields]
        text = json.dumps(plain, sort_keys=True, default=repr)
        return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def settings_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that are settings."""
    return {
        name: text
        for name, text in environ.items()
        if name.startswith(PREFIX) and not _is_reserved(name[len(PREFIX) :])
    }


def _is_reserved(name: str) -> bool:
    if name in RESERVED:
        return True
    return any(name.startswith(prefix) and not name.startswith(f"{prefix}_") for prefix in RESERVED_PREFIXES)
