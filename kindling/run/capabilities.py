"""The live capabilities of one process: platforms, storages, vaults, each opened on first use."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from kindling.config.secrets import Redactor, SecretResolver
from kindling.hooks.platform import PlatformSpec
from kindling.hooks.storage import StorageSpec
from kindling.plan.vaults import open_vault
from kindling.run.scratch import Scratch

if TYPE_CHECKING:
    from collections.abc import Callable

    from kindling.hooks.platform import Platform
    from kindling.hooks.storage import Storage
    from kindling.plan.project import Project
    from kindling.secret import Secret
    from kindling.values import Plain


class Capabilities:
    """Opens capabilities once per process; safe for several threads.

    Attributes:
        redactor: Knows every secret value that was resolved here.
    """

    def __init__(self, project: Project, run_id: str) -> None:
        self._project = project
        self._run_id = run_id
        self._platforms: dict[str, Platform] = {}
        self._storages: dict[str, Storage] = {}
        self._lock = threading.RLock()
        self._work_dir: Scratch | None = None
        self.redactor = Redactor()
        for text in project.settings.hidden_values():
            self.redactor.add(text)
        self._resolver = SecretResolver(lambda name: open_vault(project, name), self.redactor)

    def platform(self, name: str) -> Platform:
        """Return the platform, opened."""
        with self._lock:
            if name not in self._platforms:
                offer = self._project.loader.platform(name)
                spec = PlatformSpec(
                    environment=self._project.environment,
                    settings=self._plugin_settings(f"platform:{name}"),
                    engine_settings=self._revealed(self._project.settings.spark),
                    work_dir=self._scratch(),
                    secret=self._resolver.resolve,
                )
                self._platforms[name] = offer.factory(spec)
            return self._platforms[name]

    def storage(self, name: str) -> Storage:
        """Return the storage, opened."""
        with self._lock:
            if name not in self._storages:
                offer = self._project.loader.storage(name)
                spec = StorageSpec(
                    environment=self._project.environment,
                    settings=self._plugin_settings(f"storage:{name}"),
                    secret=self._resolver.resolve,
                )
                self._storages[name] = offer.factory(spec)
            return self._storages[name]

    def secret(self, reference: str) -> Secret:
        """Resolve a reference; its value is redacted from now on."""
        return self._resolver.secret(reference)

    def resolve(self, reference: str) -> str:
        """Return the value of a reference, which is redacted from now on."""
        return self._resolver.resolve(reference)

    def secret_version(self, reference: str) -> str:
        """Return a secret's version token."""
        return self._resolver.version(reference)

    def close(self) -> None:
        """Close the platforms, each whatever the others do, and remove their scratch files. Idempotent.

        Raises:
            Exception: What the first platform raised that could not be closed.
        """
        with self._lock:
            platforms, self._platforms = list(self._platforms.values()), {}
            work_dir, self._work_dir = self._work_dir, None
        errors: list[Exception] = []
        for platform in platforms:
            try:
                platform.close()
            except Exception as error:  # noqa: BLE001  # foreign code; the other engines must stop too
                errors.append(error)
        if work_dir is not None:
            work_dir.close()
        if errors:
            raise errors[0]

    def _plugin_settings(self, capability: str) -> dict[str, Plain]:
        settings = self._project.settings.plugin(capability)
        return {key: self._resolver.reveal(value) for key, value in settings.items()}

    def _revealed(self, settings: dict[str, str]) -> dict[str, str]:
        resolve: Callable[[str], str] = self._resolver.resolve
        return {key: resolve(value) for key, value in settings.items()}

    def _scratch(self) -> str:
        if self._work_dir is None:
            self._work_dir = Scratch(self._run_id)
        return self._work_dir.path
