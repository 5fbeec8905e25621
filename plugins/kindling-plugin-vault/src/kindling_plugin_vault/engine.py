"""The KV engine, versions 1 and 2: where it keeps data, versions and names. No cache."""

from __future__ import annotations

import time
from collections.abc import Sequence
from urllib.parse import quote

from kindling.errors import ConfigError
from kindling_plugin_vault.connection import Connection
from kindling_plugin_vault.entries import Entry
from kindling_plugin_vault.flights import Flights
from kindling_plugin_vault.places import Place
from kindling_plugin_vault.refusals import FORBIDDEN, MISSING, ODD, Refused, error_of
from kindling_plugin_vault.server import Answer
from kindling_plugin_vault.settings import VaultSettings


class Engine:
    """One mount; safe for several threads.

    Args:
        settings: The mount and its version.
        connection: Whom to ask.
    """

    def __init__(self, settings: VaultSettings, connection: Connection) -> None:
        self._settings = settings
        self._connection = connection
        self._mount = quote(settings.mount.strip("/"))
        self._flights: Flights[int] = Flights()
        self._known = 0 if settings.kv_version == "auto" else int(settings.kv_version)

    def kv_version(self, place: Place, until: float) -> int:
        """Return 1 or 2; asks the server the first time, where the settings do not say.

        Source: OpenBao and Vault, `sys/internal/ui/mounts/:path`, read 2026-11.
        """
        if not self._known:
            self._known = self._flights.join("version", lambda: self._version_of_mount(place, until))
        return self._known

    def _version_of_mount(self, place: Place, until: float) -> int:
        answer = self._ask("get", f"sys/internal/ui/mounts/{self._mount}", place, until)
        found = str(answer.part("data", "options", "version") or "1")
        if answer.part("data", "type") not in ("kv", "generic") or found not in ("1", "2"):
            refused = Refused(ODD, f"'{self._mount}' is no KV engine of version 1 or 2")
            raise error_of(refused, self._settings.address, doing=f"read '{place}'")
        return int(found)

    def read(self, place: Place, until: float) -> Entry:
        """Return what is at a place.

        Raises:
            ConfigError: KDL-CONF-020, nothing is; KDL-CONF-303 to KDL-CONF-308, it cannot be read.
        """
        if self.kv_version(place, until) == 1:
            self._refuse_pinned(place)
            answer = self._ask("get", f"{self._mount}/{place.quoted}", place, until)
            return self._entry(place, answer, ("data",), "")
        query = {"version": str(place.version)} if place.version else None
        answer = self._ask("get", f"{self._mount}/data/{place.quoted}", place, until, query)
        made = answer.part("data", "metadata")
        version = _token(made.get("version"), made) if isinstance(made, dict) else ""
        return self._entry(place, answer, ("data", "data"), version)

    def version(self, place: Place, until: float) -> str:
        """Return the version token of a place of KV 2, without reading any value.

        The number alone would not do: a path that is removed and written again begins at 1.

        Raises:
            ConfigError: KDL-CONF-020, nothing is there; KDL-CONF-303 to KDL-CONF-307, it cannot be asked.
        """
        answer = self._ask("get", f"{self._mount}/metadata/{place.quoted}", place, until)
        number = place.version or answer.part("data", "current_version")
        made = answer.part("data", "versions", str(number))
        if not isinstance(made, dict):
            raise self._missing(place, f"the vault keeps no version {number} of it")
        deleted = str(made.get("deletion_time") or "")
        if made.get("destroyed") is True or (deleted and _is_past(deleted)):
            raise self._missing(place, f"version {number} of it was deleted")
        return _token(number, made)

    def paths(self, prefix: str, until: float) -> Sequence[str]:
        """Return all paths that begin with a prefix, sorted; one question for each folder."""
        folder = prefix[: prefix.rfind("/") + 1]
        place = Place.parse(folder.rstrip("/")) if folder else Place("")
        below = "metadata/" if self.kv_version(place, until) == 2 else ""  # noqa: PLR2004  # KV 2
        found: list[str] = []
        todo = [folder]
        while todo:
            at = todo.pop()
            for name in self._names(f"{self._mount}/{below}{quote(at)}", Place(at), until):
                whole = at + name
                if whole.startswith(prefix) or (name.endswith("/") and prefix.startswith(whole)):
                    (todo if name.endswith("/") else found).append(whole)
        return sorted(found)

    def _names(self, path: str, place: Place, until: float) -> list[str]:
        try:
            answer = self._connection.ask("list", path, until=until)
        except Refused as refused:
            if refused.kind == MISSING:
                return []
            raise self._error(refused, place, path, "list") from None
        names = answer.part("data", "keys")
        return [str(name) for name in names] if isinstance(names, list) else []

    def _ask(
        self, method: str, path: str, place: Place, until: float, query: dict[str, str] | None = None
    ) -> Answer:
        try:
            return self._connection.ask(method, path, until=until, query=query)
        except Refused as refused:
            raise self._error(refused, place, path, "read") from None

    def _error(self, refused: Refused, place: Place, path: str, right: str) -> ConfigError:
        if refused.kind == MISSING:
            return self._missing(place, f"the vault has nothing at '{path}'")
        if refused.kind != FORBIDDEN:
            return error_of(refused, self._settings.address, doing=f"{right} '{place}'")
        return ConfigError(
            "KDL-CONF-303",
            f"the vault does not permit to {right} '{place}'",
            why=(
                "its policy does not allow it, or there is no such mount"
                if self._settings.auth != "token"
                else "the token is expired or revoked, or its policy does not allow it (they look the same)"
            ),
            hint=f'the policy needs: path "{path}" {{ capabilities = ["{right}"] }}',
            path=path,
            capability=right,
        )

    def _missing(self, place: Place, why: str) -> ConfigError:
        put = f"bao kv put -mount={self._mount} {place.path} FIELD=-"
        return ConfigError(
            "KDL-CONF-020",
            f"there is no secret '{place}'",
            why=why,
            hint=f"correct the reference, or store it: {put}",
            path=place.path,
        )

    def _refuse_pinned(self, place: Place) -> None:
        if place.version:
            raise ConfigError(
                "KDL-CONF-308",
                f"'{place}' pins a version, and the engine keeps none",
                why=f"'{self._mount}' is a KV engine of version 1",
                hint=f"write secret://vault/{place.path}, or: bao kv enable-versioning {self._mount}",
                path=place.path,
            )

    def _entry(self, place: Place, answer: Answer, names: tuple[str, ...], version: str) -> Entry:
        """Return the fields below these keys; no variable holds a value while an error is raised."""
        if not isinstance(answer.part(*names), dict):
            refused = Refused(ODD, "its answer has no fields")
            raise error_of(refused, self._settings.address, doing=f"read '{place}'")
        return Entry(place, answer, names, version)


def _token(number: object, made: dict[str, object]) -> str:
    return f"kv2.{number}.{made.get('created_time')}"


def _is_past(moment: str) -> bool:
    """Tell whether an RFC 3339 time in UTC is over; a time to live sets one that is not yet."""
    return moment[:19] <= time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
