"""What is looked at before a run: the lock, and warnings of registries. Milliseconds, no click."""

from __future__ import annotations

from kindling.plugins.locks import enforce_lock
from kindling.plugins.warnings import enforce_warnings, warned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kindling.plan.project import Project


def vet(project: Project, *, locked: bool) -> list[str]:
    """Refuse plugins that policy or the lock refuse; return what to warn about, one line each.

    Args:
        project: The opened project.
        locked: Whether what is installed must be what the lock says.

    Raises:
        PolicyError: KDL-POL-030, no lock; KDL-POL-031, drift; KDL-POL-032, revoked or vulnerable.
    """
    if locked:
        enforce_lock(project.path, f"{project.state_dir}/cache")
    rules = project.settings.table("plugins").get("policy")
    found = warned(project.state_dir, project.catalog.distributions, rules if isinstance(rules, dict) else {})
    enforce_warnings(found)
    return [str(item) for item in found]
