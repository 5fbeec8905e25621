"""The settings of `[lineage.openlineage]`, checked. They hold no key: only a reference to one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from kindling.errors import ConfigError
from kindling.hooks import Plain
from kindling.names import did_you_mean

LOOPBACK = ("localhost", "127.0.0.1", "::1")
PLACEHOLDERS = ("app", "environment")


@dataclass(frozen=True, slots=True)
class OpenLineageSettings:
    """What `kindling.json` documents, with the same defaults."""

    namespace: str = "kindling-{environment}"
    file: str = ""
    url: str = ""
    endpoint: str = "api/v1/lineage"
    api_key: str = ""
    allow_http: bool = False
    ca_file: str = ""
    timeout_s: float = 5.0
    drain_s: float = 3.0
    outbox: str = ".kindling/outbox/openlineage"
    keep_runs: int = 200
    keep_mb: int = 64

    @classmethod
    def of(cls, settings: Mapping[str, Plain]) -> OpenLineageSettings:
        """Return the settings of a table.

        Raises:
            ConfigError: KDL-LINE-100, one is missing or has no meaning.
        """
        known = {item.name for item in fields(cls)}
        given = {key: value for key, value in settings.items() if key in known}
        made = cls(**given)  # type: ignore[arg-type]  # the kernel checked the types against kindling.json
        made._check_namespace()
        made._check_targets()
        if made.url:
            made._check_url()
        return made

    @property
    def address(self) -> str:
        """Return where events are posted."""
        return f"{self.url.rstrip('/')}/{self.endpoint.lstrip('/')}"

    def _check_namespace(self) -> None:
        if not self.namespace:
            raise _fault("namespace", "it is empty", '"kindling-{environment}"')
        for name in re.findall(r"\{([^{}]*)\}", self.namespace):
            if name not in PLACEHOLDERS:
                why = f"it has the placeholder {{{name}}}: {did_you_mean(name, PLACEHOLDERS)}"
                raise _fault("namespace", why, '"kindling-{environment}"')

    def _check_targets(self) -> None:
        if not self.url and not self.file:
            raise _fault("url", "neither url nor file says where events go", '"https://lineage.example.com"')
        for name in ("api_key", "ca_file"):
            if getattr(self, name) and not self.url:
                raise _fault(name, "there is no url that it belongs to", '""')
        if self.ca_file and not Path(self.ca_file).is_file():
            raise _fault("ca_file", f"there is no file {self.ca_file!r}", '"/etc/ssl/certs/own.pem"')

    def _check_url(self) -> None:
        parts = _split(self.url)
        if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
            raise _fault("url", "it is no http or https address", '"https://lineage.example.com"')
        if parts.username is not None or parts.password is not None or parts.query:
            why = "it holds a login or a query"
            raise _fault("url", why, '"https://lineage.example.com"', ", and api_key for a key")
        is_open = parts.scheme == "http" and parts.hostname not in LOOPBACK
        if is_open and self.api_key and not self.allow_http:
            why = "with plain http everybody between here and the collector can read the key"
            raise _fault("url", why, '"https://..."', " (or allow_http = true)")


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        _ = parts.port  # it is checked when it is asked for
    except ValueError:
        return None
    return parts


def _fault(name: str, why: str, example: str, other: str = "") -> ConfigError:
    return ConfigError(
        "KDL-LINE-100",
        f"the setting 'lineage.openlineage.{name}' cannot be used",
        why=why,
        hint=f"set {name} = {example} in [lineage.openlineage]{other}",
        setting=name,
    )
