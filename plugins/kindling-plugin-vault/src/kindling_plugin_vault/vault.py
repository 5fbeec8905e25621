"""The capability `secrets:vault`: secrets of one KV mount, kept in memory for a short time only."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
import uuid
from collections.abc import Sequence

from kindling.errors import ConfigError
from kindling.hooks.secrets import Secret
from kindling_plugin_vault.connection import Connection
from kindling_plugin_vault.credentials import Credentials
from kindling_plugin_vault.engine import Engine
from kindling_plugin_vault.entries import Entry
from kindling_plugin_vault.flights import Flights
from kindling_plugin_vault.logins import login_of
from kindling_plugin_vault.places import Place
from kindling_plugin_vault.server import Server
from kindling_plugin_vault.settings import VaultSettings
from kindling_plugin_vault.tokens import Tokens

LEAST_KEY = 32
"""Letters of a version key: fewer could be found by trying."""


class VaultSecrets:
    """A vault; safe for several threads. Nothing is asked before the first secret is.

    Effects: it logs in, renews its token in the background and keeps secrets for `cache_s` seconds in
    memory. Nothing is written anywhere.

    Args:
        settings: The settings of `[secrets.vault]`.
        credentials: How to log in.
    """

    def __init__(self, settings: VaultSettings, credentials: Credentials) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._entries: dict[Place, Entry] = {}
        self._flights: Flights[Entry] = Flights()
        server = Server(settings)
        tokens = Tokens(
            login_of(settings, server, credentials),
            server,
            timeout_s=settings.timeout_s,
            new_login=_Forgetting(self._entries, self._lock),
        )
        self._engine = Engine(settings, Connection(server, tokens))

    def get(self, path: str, field: str) -> Secret:
        """Return a secret; from memory if it was read less than `cache_s` seconds ago.

        Args:
            path: The path in the mount; `?version=3` at its end pins a version of KV 2.
            field: The field; "" for the only one.

        Raises:
            ConfigError: KDL-CONF-020, there is no such secret; KDL-CONF-022, it has no such field;
                KDL-CONF-301 to KDL-CONF-309, it cannot be read. KDL-CONF-304 and 305 are transient.
        """
        place = Place.parse(path)
        entry, until = self._entry(place), self._until()
        value = entry.value(field)
        return Secret(value.reveal(), entry.version or self._keyed(place, field, value, until))

    def version(self, path: str, field: str) -> str:
        """Return a token that changes when the secret does; always asked anew.

        For KV 2 it is the version's number and time, of the whole path, read from its metadata. For KV 1
        it is a keyed digest of the value under the `version_key`; without one it is another text each
        time, so that whoever compares it finds a change.

        Raises:
            ConfigError: As `get`.
        """
        place, until = Place.parse(path), self._until()
        if self._engine.kv_version(place, until) == 1:
            entry = self._read(place, until)
            return self._keyed(place, field, entry.value(field), until)
        token = self._engine.version(place, until)
        with self._lock:
            kept = self._entries.get(place)
            if kept is not None and kept.version != token:
                del self._entries[place]
        return token

    def paths(self, prefix: str) -> Sequence[str]:
        """Return the paths that begin with a prefix, sorted; one question for each folder below.

        Raises:
            ConfigError: KDL-CONF-303 to KDL-CONF-307, they cannot be listed.
        """
        return self._engine.paths(prefix, self._until())

    def __repr__(self) -> str:
        return f"VaultSecrets({self._settings.address!r}, {self._settings.mount!r})"

    def _until(self) -> float:
        return time.monotonic() + self._settings.timeout_s

    def _entry(self, place: Place) -> Entry:
        """Return what is at a place; threads that ask at the same time share one question."""
        found = self._kept(place)
        return found or self._flights.join(place, lambda: self._kept(place) or self._fetch(place))

    def _kept(self, place: Place) -> Entry | None:
        """Return what is remembered and fresh; what is not is forgotten."""
        oldest = time.monotonic() - self._settings.cache_s
        with self._lock:
            for stale in [at for at, entry in self._entries.items() if entry.read_at <= oldest]:
                del self._entries[stale]
            return self._entries.get(place)

    def _fetch(self, place: Place) -> Entry:
        return self._read(place, self._until())

    def _read(self, place: Place, until: float) -> Entry:
        entry = self._engine.read(place, until)
        with self._lock:
            self._entries[place] = entry
        return entry

    def _keyed(self, place: Place, field: str, value: Secret, until: float) -> str:
        if not self._settings.version_key:
            return f"kv1.unknown.{uuid.uuid4()}"
        key, text = self._version_key(until), f"{place.path}\0{field}\0{value.reveal()}"
        digest = hmac.new(
            key.reveal().encode("utf-8", "surrogatepass"),
            text.encode("utf-8", "surrogatepass"),
            hashlib.sha256,
        )
        return f"kv1.{digest.hexdigest()[:32]}"

    def _version_key(self, until: float) -> Secret:
        path, _, field = self._settings.version_key.partition("#")
        place = Place.parse(path)
        key = (self._kept(place) or self._read(place, until)).value(field)
        if len(key.reveal()) < LEAST_KEY:
            put = f"bao kv put -mount={self._settings.mount} {path}"
            raise ConfigError(
                "KDL-CONF-309",
                f"the version key at '{place}' is too short",
                why=f"it has fewer than {LEAST_KEY} letters, so that it could be found by trying",
                hint=f"{put} {field or 'key'}=$(openssl rand -hex 32)",
                path=path,
            )
        return key


class _Forgetting:
    """Forgets all entries. An object, since a method of the vault would keep the vault alive."""

    def __init__(self, entries: dict[Place, Entry], lock: threading.Lock) -> None:
        self._entries = entries
        self._lock = lock

    def __call__(self) -> None:
        with self._lock:
            self._entries.clear()
