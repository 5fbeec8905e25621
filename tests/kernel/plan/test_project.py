from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import kindling as k
from kindling.errors import ConfigError, DeclarationError, KindlingError, PolicyError, UsageError
from kindling.plan.project import Project, load_app, open_project

CALM = {"KINDLING_PLUGINS_NONE": "1"}
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Write]:
    """Write a file of the project; modules that it leads to are forgotten afterwards."""
    before, path = set(sys.modules), list(sys.path)

    def put(name: str, text: str, folder: str = "project") -> Path:
        file = tmp_path / folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return tmp_path / folder

    yield put
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def opened(project: Path, **options: object) -> Project:
    return open_project(str(project), environ=CALM, **options)  # type: ignore[arg-type]  # a test's own


def test_the_app_of_the_file_is_opened_with_its_settings(write: Write) -> None:
    write("shop/app.py", 'import kindling as k\napp = k.App("shop", settings={"run.workers": 3})\n')
    project = write("kindling.toml", 'app = "shop.app:app"\n[run]\nworkers = 2\nretries = 7\n')
    found = opened(project)
    assert (found.app.name, found.reference, found.environment) == ("shop", "shop.app:app", "dev")
    assert (found.settings.get("run.workers"), found.settings.get("run.retries")) == (3, 7)
    assert found.path == str(project)
    assert found.state_dir == f"{project}/.kindling"
    assert (project / ".kindling" / ".gitignore").read_text() == "*\n"


def test_what_the_app_says_is_the_highest_layer(write: Write) -> None:
    write("a1.py", 'import kindling as k\napp = k.App("shop", settings={"run.workers": 3})\n')
    project = write("kindling.toml", 'app = "a1:app"\n')
    found = opened(project, overrides={"run.workers": "5", "run.retries": "6"})
    assert (found.settings.get("run.workers"), found.settings.get("run.retries")) == (3, 6)
    assert found.overrides == {"run.workers": "5", "run.retries": "6"}


def test_a_project_is_found_from_a_folder_inside(write: Write) -> None:
    write("src/a2/__init__.py", 'import kindling as k\napp = k.App("deep")\n')
    project = write("kindling.toml", 'app = "a2:app"\n')
    assert opened(project / "src" / "a2").app.name == "deep"


def test_an_app_object_needs_no_file(tmp_path: Path) -> None:
    app = k.App("shop")
    found = opened(tmp_path, app=app)
    assert found.app is app
    assert (found.reference, found.path) == ("", str(tmp_path))


def test_code_outside_of_the_project_counts_as_the_apps_own(tmp_path: Path) -> None:
    found = opened(tmp_path, app=k.App("shop"))
    assert found.code_roots() == (str(tmp_path), str(Path(__file__).parent))


def test_the_folder_of_a_run_is_made(tmp_path: Path) -> None:
    found = opened(tmp_path, app=k.App("shop"))
    assert Path(found.run_dir("r1")).is_dir()
    assert found.run_dir("r1") == f"{tmp_path}/.kindling/runs/r1"


def test_a_reference_to_the_app_itself_has_the_name_of_its_entity(tmp_path: Path) -> None:
    app = k.App("shop")
    own, foreign = app.ref("shop", "silver.a"), app.ref("sales", "gold.b")
    found = opened(tmp_path, app=app)
    assert found.input_name(own, "shop.silver.a") == "silver.a"
    assert found.input_name(foreign, "sales.gold.b") == "sales.gold.b"


def test_a_protected_environment_must_be_said(write: Write) -> None:
    write("a3.py", 'import kindling as k\napp = k.App("shop")\n')
    project = write(
        "kindling.toml",
        'app = "a3:app"\nenvironments = ["dev", "prod"]\ndefault_environment = "prod"\nprotected = ["prod"]\n'
        '[locations.lake]\nuri = "lake/{environment}"\n',
    )
    with pytest.raises(PolicyError) as caught:
        opened(project)
    assert caught.value.code == "KDL-POL-010"
    assert opened(project, environment="prod").environment == "prod"


def test_a_folder_without_a_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        opened(tmp_path)
    assert caught.value.code == "KDL-CONF-001"


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(KindlingError) as caught:
        call()
    return str(caught.value)


def test_a_project_without_an_app_is_refused(write: Write) -> None:
    project = write("kindling.toml", "[run]\nworkers = 1\n")
    first, *_, last = refusal(lambda: opened(project)).splitlines()
    assert first == "KDL-DECL-050: the project names no app"
    assert last == '  do: set app = "package.module:app" in kindling.toml'


def test_a_malformed_reference_is_refused(tmp_path: Path) -> None:
    assert refusal(lambda: load_app("shop.app", str(tmp_path), "kindling.toml:1")) == (
        "KDL-DECL-050: the app 'shop.app' is no reference\n"
        "  where: kindling.toml:1\n"
        '  do: set app = "package.module:app" in kindling.toml'
    )


def test_a_module_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    assert refusal(lambda: load_app("nowhere_at_all:app", str(tmp_path), "kindling.toml:1")) == (
        "KDL-DECL-051: the app's module 'nowhere_at_all' does not exist\n"
        "  where: kindling.toml:1\n"
        "  do: it is looked for in the project's folder and its src/"
    )


def test_a_module_that_cannot_be_imported_is_refused_with_its_line(write: Write) -> None:
    project = write("broken1.py", "x = 1\nraise ValueError('no luck')\n")
    assert refusal(lambda: load_app("broken1:app", str(project))) == (
        "KDL-DECL-051: the app's module 'broken1' cannot be imported\n"
        "  why: ValueError: no luck\n"
        "  where: broken1.py:2"
    )


def test_a_missing_import_of_the_module_is_told_apart_from_a_missing_module(write: Write) -> None:
    project = write("broken2.py", "import surely_not_there\n")
    assert refusal(lambda: load_app("broken2:app", str(project))) == (
        "KDL-DECL-051: the app's module 'broken2' cannot be imported\n"
        "  why: ModuleNotFoundError: No module named 'surely_not_there'\n"
        "  where: broken2.py:1"
    )


def test_a_missing_import_whose_name_begins_like_the_module_is_not_taken_for_it(write: Write) -> None:
    project = write("broken3_app.py", "import broken3\n")
    assert "No module named 'broken3'" in refusal(lambda: load_app("broken3_app:app", str(project)))


def test_a_syntax_error_is_told_by_its_line(write: Write) -> None:
    project = write("broken4.py", "x = 1\ndef f(:\n")
    text = refusal(lambda: load_app("broken4:app", str(project)))
    assert text.startswith(
        "KDL-DECL-051: the app's module 'broken4' cannot be imported\n  why: SyntaxError: "
    )
    assert text.endswith("\n  where: broken4.py:2")


def test_frames_used_at_module_level_are_told_by_their_line(write: Write) -> None:
    project = write("broken5.py", "import kindling as k\n\nx = k.F.col('a')\n")
    with pytest.raises(UsageError) as caught:
        load_app("broken5:app", str(project))
    assert (caught.value.code, caught.value.where) == ("KDL-USE-010", "broken5.py:3")


def test_a_module_without_that_app_says_which_it_has(write: Write) -> None:
    project = write("six1.py", 'import kindling as k\nshop = k.App("shop")\nshop_two = k.App("two")\n')
    assert refusal(lambda: load_app("six1:shpo", str(project), "kindling.toml:1")) == (
        "KDL-DECL-052: 'six1' has no app 'shpo'\n"
        "  why: did you mean 'shop'?\n"
        "  where: kindling.toml:1\n"
        '  do: write app = k.App("name") at the top of the module'
    )


def test_a_module_without_any_app_says_so(write: Write) -> None:
    project = write("seven1.py", "x = 1\n")
    assert "why: the module holds no k.App at all" in refusal(lambda: load_app("seven1:app", str(project)))


def test_two_projects_whose_modules_have_one_name_do_not_meet(write: Write) -> None:
    text = "import kindling as k\nfrom pipelines.names import NAME\napp = k.App(NAME)\n"
    for name in ("first", "second"):
        write("pipelines/app.py", text, name)
        write("pipelines/names.py", f'NAME = "{name}"\n', name)
        write("pipelines/__init__.py", "", name)
        write("kindling.toml", 'app = "pipelines.app:app"\n', name)
    folder = write("x.txt", "", "first").parent
    assert opened(folder / "first").app.name == "first"
    assert opened(folder / "second").app.name == "second"
    assert opened(folder / "first").app.name == "first"


def test_faults_of_declarations_pass_as_they_are(write: Write) -> None:
    project = write("eight1.py", "import kindling as k\nk.merge(on='id')\n")
    with pytest.raises(DeclarationError) as caught:
        load_app("eight1:app", str(project))
    assert caught.value.code == "KDL-DECL-022"
