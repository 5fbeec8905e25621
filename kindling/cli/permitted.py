"""Which plugins may be used around a folder: environment and `[plugins]` settings. No click, no plugin."""

from __future__ import annotations

import os

from kindling.config.settings import find_project, load_settings, project_state_dir
from kindling.errors import ConfigError, KindlingError
from kindling.plugins.catalog import read_catalog
from kindling.plugins.policy import Policy
from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Permitted(Value):
    """The answer.

    Attributes:
        project: Folder of the project, "" outside of one.
        cache: Folder of the catalog's cache, "" for none.
        policy: From the settings and the environment; where `fault` is set, from the environment alone.
        fault: Why the settings cannot be read, or None.
    """

    project: str
    cache: str
    policy: Policy
    fault: KindlingError | None = None


def permitted(cwd: str) -> Permitted:
    """Find the project around a folder and its policy; works where settings are broken.

    Effects: those of `load_settings` and `read_catalog`; outside of a project those of `user_cache_dir`.
    """
    bare = Policy.of({}, os.environ)
    try:
        project = find_project(cwd)
    except ConfigError:
        return Permitted("", user_cache_dir(os.environ), bare)
    try:
        cache = f"{project_state_dir(project)}/cache"
    except OSError:
        cache = ""  # a read-only project
    schemas = {item.id: item.config for item in read_catalog(cache, bare).installed()}
    try:
        settings = load_settings(project, plugin_schemas=schemas)
        return Permitted(project, cache, Policy.of(settings.to_plain(), os.environ))
    except KindlingError as error:
        return Permitted(project, cache, bare, error)


def user_cache_dir(variables: Mapping[str, str]) -> str:
    """Return the user's own cache folder, for commands outside of a project; "" where there is none.

    `$XDG_CACHE_HOME/kindling`, else `~/.cache/kindling`; `KINDLING_CACHE=off` means none.

    Effects: makes the folder, for its owner alone. One that is another user's is not used: what stands
    in it decides which modules are imported.
    """
    if variables.get("KINDLING_CACHE", "").lower() in ("0", "off", "false", "no"):
        return ""
    home = variables.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(home):  # the specification says to ignore others
        home = os.path.join(os.path.expanduser("~"), ".cache")
    folder = os.path.join(home, "kindling")
    if not os.path.isabs(folder):
        return ""
    try:
        os.makedirs(home, exist_ok=True)
        if not os.path.isdir(folder):
            os.mkdir(folder, 0o700)
        found = os.stat(folder)
    except OSError:
        return ""  # a read-only home costs time on each start, and nothing else
    own = not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & 0o022)
    return folder if own else ""
