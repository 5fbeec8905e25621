"""Open the state of a project: SQLite directly, others through their plugin."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kindling.hooks.state import State
    from kindling.plan.project import Project


def open_state(project: Project) -> State:
    """Return the project's state; the kernel's own SQLite needs neither pluggy nor a plugin."""
    name = str(project.settings.get("state"))
    if name == "sqlite":
        from kindling.run.sqlite import SqliteState

        return SqliteState(project.state_dir)
    from kindling.hooks.state import StateSpec
    from kindling.plan.vaults import Vaults

    settings = dict(project.settings.plugin(f"state:{name}"))
    spec = StateSpec(path=project.state_dir, settings=settings, secret=Vaults(project).resolve)
    return project.loader.state(name).factory(spec)
