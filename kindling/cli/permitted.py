"""Which plugins may be used around a folder: environment and `[plugins]` settings. No click, no plugin."""

from __future__ import annotations

import os

from kindling.config.settings import find_project, load_settings, project_state_dir
from kindling.errors import ConfigError, KindlingError
from kindling.plugins.catalog import read_catalog
from kindling.plugins.policy import Policy
from kindling.values import Value


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

    Effects: those of `load_settings` and `read_catalog`.
    """
    bare = Policy.of({}, os.environ)
    try:
        project = find_project(cwd)
    except ConfigError:
        return Permitted("", "", bare)
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
