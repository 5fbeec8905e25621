"""The commands that install and uninstall, for each backend, and their one call. No choice, no download."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

from kindling.errors import RunError
from kindling.names import canonical
from kindling.values import Value
from kindling_plugin_registry.client.kernel import installed_versions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kindling_plugin_registry.client.environment import Environment

_TIMEOUT_S = 1800


class Order(Value):
    """What is to be installed.

    Attributes:
        file: Requirements, one a line.
        index: Package index for what the file does not give the address of; a folder of wheels, too;
            "" for the tool's own default.
        is_offline: Nothing may be fetched.
        is_exact: The file names every package with its hashes; no dependency is looked for.
        find_links: Folder of wheels, or "".
    """

    file: str
    index: str = ""
    is_offline: bool = False
    is_exact: bool = False
    find_links: str = ""


def index_options(order: Order, *, is_uv: bool) -> list[str]:
    """Return the options that let a tool see the right index and no other."""
    found = ["--find-links", order.find_links] if order.find_links else []
    is_folder = bool(order.index) and "://" not in order.index
    if is_folder:
        found += ["--find-links", order.index]
    if order.is_offline or is_folder:
        return ["--no-index", *found, *(["--offline"] if is_uv and order.is_offline else [])]
    if order.index:
        return ["--default-index" if is_uv else "--index-url", order.index, *found]
    return found


def install_command(environment: Environment, backend: str, order: Order) -> list[str]:
    """Return the command that installs."""
    exact = ["--no-deps", "--require-hashes"] if order.is_exact else []
    if backend in ("uv", "uv-tool"):
        head = [environment.uv, "pip", "install", "--python", environment.python]
        return [*head, *index_options(order, is_uv=True), *exact, "-r", order.file]
    options = [*index_options(order, is_uv=False), *exact, "-r", order.file]
    if backend == "pipx":  # newer ones hand this to `uv pip`, which knows no --no-input
        return [environment.pipx, "runpip", os.path.basename(environment.prefix), "install", *options]
    return [environment.python, "-m", "pip", "install", "--no-input", *options]


def uninstall_command(environment: Environment, backend: str, names: Sequence[str]) -> list[str]:
    """Return the command that uninstalls."""
    if backend in ("uv", "uv-tool"):
        return [environment.uv, "pip", "uninstall", "--python", environment.python, *names]
    if backend == "pipx":
        return [environment.pipx, "runpip", os.path.basename(environment.prefix), "uninstall", "-y", *names]
    return [environment.python, "-m", "pip", "uninstall", "-y", *names]


def command_text(command: Sequence[str]) -> str:
    """Return a command as it is typed."""
    return shlex.join(command)


def call(command: Sequence[str]) -> None:
    """Run an installer; what it prints goes to stderr.

    Raises:
        RunError: KDL-REG-140, it failed; says whether the environment is as before.
    """
    before = installed_versions()
    done = subprocess.run(  # noqa: S603  # made here, of names and paths that were checked
        list(command), stdout=sys.stderr, stderr=subprocess.PIPE, text=True, check=False, timeout=_TIMEOUT_S,
        env=own_variables(),
    )  # fmt: skip
    if done.returncode == 0:
        return
    lines = [line for line in done.stderr.strip().splitlines() if line.strip()]
    after = installed_versions()
    changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    state = f"changed: {', '.join(changed)}" if changed else "the environment is as it was"
    raise RunError(
        "KDL-REG-140",
        f"{os.path.basename(command[0])} could not change the environment",
        why="; ".join(line.strip() for line in lines[-3:]) or f"it ended with {done.returncode}",
        where=state,
        hint=command_text(command),
    )


def dry_run_names(command: Sequence[str]) -> list[str]:
    """Return the canonical names that an installer would install; none where it cannot say.

    Effects: runs it with `--dry-run`, which may read the index and changes nothing.
    """
    place = command.index("install") + 1
    done = subprocess.run(  # noqa: S603  # made here, of names and paths that were checked
        [*command[:place], "--dry-run", *command[place:]], capture_output=True, text=True, check=False,
        timeout=_TIMEOUT_S, env=own_variables(),
    )  # fmt: skip
    found = re.findall(r"^ \+ ([\w.-]+)==", done.stderr, re.MULTILINE)
    found += re.findall(r"^ \+ ([\w.-]+) @", done.stderr, re.MULTILINE)
    for line in re.findall(r"^Would install (.+)$", done.stdout, re.MULTILINE):
        found += [item.rpartition("-")[0] for item in line.split()]
    return [canonical(name) for name in found]


def own_variables() -> dict[str, str]:
    """Return the environment without what would add an index to the right one; pip must not ask anything."""
    kept = {key: value for key, value in os.environ.items() if key not in _FOREIGN}
    return {**kept, "PIP_NO_INPUT": "1"}


_FOREIGN = frozenset(
    ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "UV_INDEX", "UV_INDEX_URL",
     "UV_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "UV_FIND_LINKS")
)  # fmt: skip
"""Variables that would add an index to the right one: a name could be found in two."""
