"""An opened project: its folder, settings, catalog and app. It holds no engine."""

from __future__ import annotations

import os
import sys

from kindling.app import App
from kindling.config.settings import environment_of, find_project, load_settings, project_state_dir
from kindling.errors import DeclarationError, KindlingError, UsageError
from kindling.names import did_you_mean
from kindling.plugins.catalog import read_catalog
from kindling.plugins.loader import Loader
from kindling.plugins.policy import Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kindling.config.settings import Settings
    from kindling.entity import Entity
    from kindling.plugins.catalog import Catalog
    from kindling.values import Plain


class Project:
    """What every command works on.

    Attributes:
        path: Absolute path of the project's folder.
        reference: `module:object` of the app, or "" where the app was handed in as an object.
        app: The app.
        settings: Settings of the environment, `App(settings=)` and overrides included.
        catalog: Installed capabilities.
        loader: Loads them.
        overrides: What `--set` said, by dotted key.
        state_dir: Absolute path of `.kindling`.
    """

    def __init__(
        self,
        path: str,
        *,
        reference: str,
        app: App,
        settings: Settings,
        catalog: Catalog,
        overrides: Mapping[str, Plain],
    ) -> None:
        self.path = path
        self.reference = reference
        self.app = app
        self.settings = settings
        self.catalog = catalog
        self.loader = Loader(catalog, catalog.policy)
        self.overrides = dict(overrides)
        self.state_dir = project_state_dir(path)

    @property
    def environment(self) -> str:
        """The environment's name."""
        return self.settings.environment

    def run_dir(self, run_id: str) -> str:
        """Return the folder of one run, made if needed."""
        folder = f"{self.state_dir}/runs/{run_id}"
        os.makedirs(folder, exist_ok=True)
        return folder

    def code_roots(self) -> tuple[str, ...]:
        """Return the folders whose code is the app's own: the project, and the app's package elsewhere."""
        file = self.app.place.file
        if os.path.isabs(file) and not file.startswith(self.path + os.sep):
            return (self.path, os.path.dirname(file))
        return (self.path,)

    def input_name(self, handle: Entity, name: str) -> str:
        """Return the name of what a handle stands for: a reference to this app is its own entity."""
        if handle.ref is not None and handle.ref[0] == self.app.name:
            return handle.ref[1]
        return name


def open_project(
    start: str,
    *,
    environment: str = "",
    overrides: Mapping[str, Plain] | None = None,
    app: str | App = "",
    environ: Mapping[str, str] | None = None,
) -> Project:
    """Open a project.

    Effects: imports the app's module with the project's folder on `sys.path`; makes `.kindling`.

    Args:
        start: Folder inside of the project; with an app object: the project's folder itself.
        environment: What `--env` said, or "".
        overrides: What `--set` said, by dotted key.
        app: Reference `module:object`; "" for the one in kindling.toml; or an App object.
        environ: Environment variables; by default the process's.

    Raises:
        ConfigError: A setting is wrong. PolicyError: the environment is protected.
        DeclarationError: KDL-DECL-050 to KDL-DECL-052, the app cannot be imported.
    """
    variables = os.environ if environ is None else environ
    path = os.path.abspath(start) if isinstance(app, App) else find_project(start)
    given = dict(overrides or {})
    catalog = read_catalog(f"{project_state_dir(path)}/cache", Policy.of({}, variables))
    load = _settings_loader(path, environment, given, catalog, variables)
    settings = load({})
    environment_of(settings, environment or None)
    reference = "" if isinstance(app, App) else app or str(settings.get("app") or "")
    loaded = app if isinstance(app, App) else load_app(reference, path, settings.origin("app"))
    if loaded.settings:
        settings = load(loaded.settings)
    policy = Policy.of(settings.to_plain(), variables)
    if policy != catalog.policy:
        catalog = catalog.under(policy)
    return Project(path, reference=reference, app=loaded, settings=settings, catalog=catalog, overrides=given)


def _settings_loader(
    path: str,
    environment: str,
    overrides: Mapping[str, Plain],
    catalog: Catalog,
    variables: Mapping[str, str],
) -> Callable[[Mapping[str, object]], Settings]:
    schemas = {capability.id: capability.config for capability in catalog.installed()}
    return lambda app_settings: load_settings(
        path,
        environment=environment,
        overrides=overrides,
        app_settings=app_settings,  # type: ignore[arg-type]  # checked by the schema
        plugin_schemas=schemas,
        environ=variables,
    )


def load_app(reference: str, path: str, origin: str = "") -> App:
    """Import the app that `module:object` names.

    Raises:
        DeclarationError: KDL-DECL-050 malformed, KDL-DECL-051 not importable, KDL-DECL-052 no such app.
        KindlingError: What the module's declarations raised.
    """
    module_name, colon, attribute = reference.partition(":")
    if not colon or not module_name or not attribute:
        raise DeclarationError(
            "KDL-DECL-050",
            f"the app {reference!r} is no reference" if reference else "the project names no app",
            where=origin,
            hint='set app = "package.module:app" in kindling.toml',
        )
    module = _imported(module_name, path, origin)
    found = getattr(module, attribute, None)
    if isinstance(found, App):
        return found
    apps = [name for name, value in vars(module).items() if isinstance(value, App)]
    raise DeclarationError(
        "KDL-DECL-052",
        f"{module_name!r} has no app {attribute!r}",
        why=did_you_mean(attribute, apps) or "the module holds no k.App at all",
        where=origin,
        hint='write app = k.App("name") at the top of the module',
    )


def _imported(name: str, path: str, origin: str) -> object:
    from importlib import import_module

    _make_way((path, f"{path}/src"))
    try:
        return import_module(name)
    except UsageError as error:
        error.where = error.where or _line_in(error, path)
        raise
    except KindlingError:
        raise
    except Exception as error:  # the module is the user's code: whatever it raises is reported
        missing = isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}.")
        raise DeclarationError(
            "KDL-DECL-051",
            f"the app's module {name!r} {'does not exist' if missing else 'cannot be imported'}",
            why="" if missing else f"{type(error).__name__}: {error}",
            where=(origin if missing else _line_in(error, path)),
            hint="it is looked for in the project's folder and its src/" if missing else "",
        ) from error


def _make_way(folders: tuple[str, ...]) -> None:
    """Put the project's folders on `sys.path`, before those of other projects.

    Modules of other projects that have the names of this one's are forgotten: two projects in one process
    may both have an `app.py`.
    """
    others = [entry for entry in sys.path if entry not in folders and _is_project(entry)]
    for folder in folders:
        if others and folder in sys.path:
            sys.path.remove(folder)
        if folder not in sys.path and os.path.isdir(folder):
            sys.path.insert(0, folder)
    if not others:
        return
    own = {
        name.removesuffix(".py") for folder in folders if os.path.isdir(folder) for name in os.listdir(folder)
    }
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if name.partition(".")[0] in own and any(file.startswith(f"{entry}/") for entry in others):
            del sys.modules[name]


def _is_project(entry: str) -> bool:
    """Tell whether a folder on `sys.path` is a project's own, or its `src`."""
    return os.path.isfile(f"{entry.removesuffix('/src')}/kindling.toml")


def _line_in(error: BaseException, path: str) -> str:
    """Return `file:line` of the innermost frame of the project in an error's traceback."""
    trace, found = error.__traceback__, ""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.startswith(path):
            found = f"{os.path.relpath(file, path)}:{trace.tb_lineno}"
        trace = trace.tb_next
    if not found and isinstance(error, SyntaxError) and error.filename:
        found = f"{os.path.relpath(error.filename, path)}:{error.lineno}"
    return found
