"""Who looks at an entity's rows, and which mask rules act for them. It reads no rows."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kindling.errors import PolicyError, UsageError
from kindling.lineage import EVERY_COLUMN, inherited_by_all, joined
from kindling.plan.rights import SHOW, Rights

if TYPE_CHECKING:
    from kindling.plan.binding import Binding
    from kindling.plan.project import Project
    from kindling.plan.rights import MaskRule

KINDS = ("user", "group", "role", "workload")


@dataclass(frozen=True, slots=True)
class View:
    """What a viewer may see of an entity.

    Attributes:
        rules: The rules that act.
        classes: Classes by column of its newest version.
        older: The same of older versions: nobody knows which of their columns held what.
    """

    rules: tuple[MaskRule, ...] = ()
    classes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    older: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def classes_of(self, version: str, newest: str) -> dict[str, tuple[str, ...]]:
        """Return the classes of a version; "" and the number that people see are understood."""
        is_newest = version in ("", newest) or newest.startswith(f"{version}-")
        return self.classes if is_newest else self.older


def os_principals() -> tuple[str, tuple[str, ...]]:
    """Return `user:<name>` and `group:<name>` of each group, as the operating system knows this process.

    Environment variables such as `LOGNAME` are not asked: anybody can set them.
    """
    try:
        import grp
        import pwd
    except ImportError:  # no POSIX system
        import getpass

        return f"user:{getpass.getuser()}", ()
    number = os.getuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = str(number)
    groups: list[str] = []
    for group in sorted({os.getgid(), *os.getgroups()}):
        try:
            groups.append(f"group:{grp.getgrgid(group).gr_name}")
        except KeyError:
            groups.append(f"group:{group}")
    return f"user:{name}", tuple(groups)


def check_principal(text: str) -> str:
    """Return a principal that was named on the command line.

    Raises:
        UsageError: KDL-GOV-008, it is none.
    """
    kind, colon, name = text.partition(":")
    if kind not in KINDS or not colon or not name:
        raise UsageError(
            "KDL-GOV-008",
            f"--as {text!r} is no principal",
            why="expected user:NAME, group:NAME, role:NAME or workload:NAME",
        )
    return text


def check_overrides(overrides: tuple[str, ...]) -> None:
    """Refuse to change what is masked for the command that it masks.

    Raises:
        PolicyError: KDL-GOV-007, `--set policy.` was given.
    """
    found = next((text for text in overrides if text.strip().startswith("policy.")), "")
    if found:
        raise PolicyError(
            "KDL-GOV-007",
            f"--set {found.partition('=')[0].strip()} cannot be given to 'kindling show'",
            why="rows are shown by the project's own rules",
            hint="--as user:NAME shows what somebody else sees, never more than you do",
        )


def view_of(project: Project, binding: Binding, name: str, *, seen_as: str) -> View:
    """Return what the viewer may see of a table.

    Effects: reads the state where columns are classified, for the classes that tables inherited.

    Args:
        project: The opened project.
        binding: Its entities.
        name: The entity; of a quarantine the one whose rows it holds.
        seen_as: A principal to look as, or "": rules that act on either act.
    """
    if not any(bound.entity.classes for bound in binding.entities.values()):
        return View()
    from kindling.plan.governance import Governance
    from kindling.run.states import open_state

    rights = Rights(project.settings)
    rights.check(project.catalog)
    state = open_state(project)
    try:
        records = state.tasks(project.app.name, project.environment)
    finally:
        state.close()
    governance = Governance(binding, rights, records, project.app.name)
    classes = governance.of(name)
    older = joined(classes, inherited_by_all((EVERY_COLUMN,), governance.behind(name)))
    user, groups = os_principals()
    acting = set(rights.acting(SHOW, name, rights.principals(user, groups)))
    if seen_as:
        acting |= set(rights.acting(SHOW, name, rights.principals(seen_as)))
    return View(tuple(rule for rule in rights.rules if rule in acting), classes, older)
