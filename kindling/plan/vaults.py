"""The vaults of a project: how one is opened, and those that planning and the state ask."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kindling.config.secrets import SecretResolver
    from kindling.hooks.secrets import Secrets
    from kindling.plan.project import Project


def open_vault(project: Project, name: str) -> Secrets:
    """Open the vault `secrets:<name>` with the project's settings."""
    from kindling.hooks.secrets import SecretsSpec

    settings = dict(project.settings.plugin(f"secrets:{name}"))
    return project.loader.secrets(name).factory(SecretsSpec(project.environment, settings))


class Vaults:
    """Asks the project's vaults; each is opened when the first secret is asked for."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._resolver: SecretResolver | None = None

    def version(self, reference: str) -> str:
        """Return the version token of a secret.

        Raises:
            ConfigError: KDL-CONF-020 or KDL-CONF-021, no such secret, or a malformed reference.
        """
        return self._known().version(reference)

    def resolve(self, reference: str) -> str:
        """Return the value of a secret: for the connection that needs it, never to be kept or shown.

        Raises:
            ConfigError: KDL-CONF-020 or KDL-CONF-021, no such secret, or a malformed reference.
        """
        return self._known().resolve(reference)

    def _known(self) -> SecretResolver:
        if self._resolver is None:
            from kindling.config.secrets import Redactor, SecretResolver

            self._resolver = SecretResolver(lambda name: open_vault(self._project, name), Redactor())
        return self._resolver
