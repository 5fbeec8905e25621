from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import kindling as k
from kindling.entity import Entity, Place, StorageChoice
from kindling.plan.fingerprint import PYTHON, CodeDigest, Fingerprinter, code_digest

Load = Callable[..., types.ModuleType]

APP = """
import functools
import enum
import kindling as k
from kindling import F
import shop_helpers
import shop_helpers as aliased

RATES = {"EUR": {"USD": 1.1}, "kinds": ["a", "b"]}
NAMES = {"x", "y", "z"}
UNUSED = 1

class Kind(enum.Enum):
    SMALL = 1
    BIG = 2

class Parent:
    factor = 2
    def scale(self, value):
        return self.shift(value) * self.factor
    def shift(self, value):
        return value + 1

class Scaler(Parent):
    def __init__(self, base):
        self.base = base

SCALER = Scaler(10)

def logged(function):
    @functools.wraps(function)
    def inner(*args):
        print("called")
        return function(*args)
    return inner

@functools.lru_cache
def cached(value):
    return value + 1

def clean(df):
    return second(df) + 1

def second(df, depth=0):
    return df if depth > 3 else second(df, depth + 1)

@logged
def decorated(df):
    return df + 1

def made(limit):
    def inner(df):
        return df > limit
    return inner

limited = made(5)
part = functools.partial(second, depth=2)

def unrelated():
    return 1

def by_helper(df): return clean(df)
def by_constant(df): return df * RATES["EUR"]["USD"]
def by_set(df): return df in NAMES
def by_literal_set(df): return df in {"one", "two", "three"}
def by_decorator(df): return decorated(df)
def by_method(df): return SCALER.scale(df)
def by_class(df): return Scaler(3).scale(df)
def by_closure(df): return limited(df)
def by_cache(df): return cached(df)
def by_partial(df): return part(df)
def by_module(df): return shop_helpers.tidy(df)
def by_alias(df): return aliased.tidy(df)
def by_enum(df): return Kind.BIG
def by_kindling(df): return k.F.col("a") + F.col("b")
def by_default(df, limit=7): return df > limit
def by_body(df):
    from shop_helpers import tidy
    return tidy(df)
def by_submodule(df):
    import shop_helpers as inner
    return inner.tidy(df)
"""

HELPERS = """
LIMIT = 3
def tidy(df):
    return df + LIMIT
def other(df):
    return df
"""

PIPES = [word[4:].partition("(")[0] for word in APP.splitlines() if word.startswith("def by_")]


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    """Make modules from text, as if imported from files under the root."""
    before = set(sys.modules)

    def make(source: str = APP, name: str = "shop", *, folder: Path = tmp_path) -> types.ModuleType:
        module = types.ModuleType(name)
        module.__file__ = str(folder / f"{name}.py")
        sys.modules[name] = module
        exec(compile(textwrap.dedent(source), module.__file__, "exec"), module.__dict__)  # noqa: S102  # the test's own text
        return module

    yield make
    for name in set(sys.modules) - before:
        if name.startswith("shop"):
            del sys.modules[name]


def digests(load: Load, root: Path, app: str = APP, helpers: str = HELPERS) -> dict[str, str]:
    load(helpers, "shop_helpers")
    module = load(app)
    printer = Fingerprinter([str(root)])
    return {name: printer.code(getattr(module, name)).digest for name in PIPES}


def changed(load: Load, root: Path, old: str, new: str) -> set[str]:
    assert old in APP or old in HELPERS
    before = digests(load, root)
    after = digests(load, root, APP.replace(old, new), HELPERS.replace(old, new))
    return {name for name in PIPES if before[name] != after[name]}


@pytest.mark.parametrize(
    ("old", "new", "pipes"),
    [
        ("return second(df) + 1", "return second(df) + 2", {"by_helper"}),
        ("depth > 3", "depth > 4", {"by_helper", "by_partial"}),
        ("second, depth=2", "second, depth=1", {"by_partial"}),
        ('"USD": 1.1', '"USD": 1.2', {"by_constant"}),
        ('["a", "b"]', '["a", "c"]', {"by_constant"}),
        ('{"x", "y", "z"}', '{"x", "y", "w"}', {"by_set"}),
        ('{"one", "two", "three"}', '{"one", "two", "four"}', {"by_literal_set"}),
        ('print("called")', 'print("was called")', {"by_decorator"}),
        ("def decorated(df):\n    return df + 1", "def decorated(df):\n    return df + 2", {"by_decorator"}),
        ("return value + 1\n\nclass", "return value + 2\n\nclass", {"by_method", "by_class"}),
        ("factor = 2", "factor = 3", {"by_method", "by_class"}),
        ("Scaler(10)", "Scaler(11)", {"by_method"}),
        ("class Scaler(Parent)", "class Scaler(Parent, object)", {"by_method", "by_class"}),
        ("made(5)", "made(6)", {"by_closure"}),
        ("return df > limit\n    return", "return df >= limit\n    return", {"by_closure"}),
        (
            "def cached(value):\n    return value + 1",
            "def cached(value):\n    return value + 2",
            {"by_cache"},
        ),
        ("limit=7", "limit=8", {"by_default"}),
        ("BIG = 2", "BIG = 3", {"by_enum"}),
        ("LIMIT = 3", "LIMIT = 4", {"by_module", "by_alias", "by_body", "by_submodule"}),
    ],
)
def test_a_change_reaches_exactly_the_pipes_that_reach_it(
    load: Load, tmp_path: Path, old: str, new: str, pipes: set[str]
) -> None:
    assert changed(load, tmp_path, old, new) == pipes


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("UNUSED = 1", "UNUSED = 2"),
        ("def unrelated():\n    return 1", "def unrelated():\n    return 2"),
        ("def other(df):\n    return df", "def other(df):\n    return 2"),
        ("def clean(df):\n", "def clean(df):  # a comment\n\n    # and one more\n"),
        ("def clean(df):\n", 'def clean(df):\n    """Clean it."""\n'),
        ("return second(df) + 1", "return (\n        second(df)\n        + 1\n    )"),
        ("def clean(df):", "def clean(df: int) -> str:"),
        ("def by_helper(df): return clean(df)", "def by_helper(df):\n\n    return  clean( df )"),
    ],
)
def test_formatting_docstrings_annotations_and_unrelated_code_change_nothing(
    load: Load, tmp_path: Path, old: str, new: str
) -> None:
    assert changed(load, tmp_path, old, new) == set()


def test_a_docstring_changes_nothing_where_none_is_returned(load: Load, tmp_path: Path) -> None:
    bare = load("def f(x):\n    x(1)\n    x('a')\n", "shop_a").f
    told = load("def f(x):\n    'Told.'\n    x(1)\n    x('a')\n", "shop_b").f
    other = load("def f(x):\n    x(1)\n    x('b')\n", "shop_c").f
    printer = Fingerprinter([str(tmp_path)])
    assert printer.code(bare) == printer.code(told) != printer.code(other)


def test_the_order_of_functions_and_methods_changes_nothing(load: Load, tmp_path: Path) -> None:
    one = "class A:\n    def a(self): return 1\n    def b(self): return 2\ndef h(): return A\n"
    head, tail = "def h(): return A\n", "class A:\n    def b(self): return 2\n    def a(self): return 1\n"
    assert (
        code_digest(load(one, "shop_a").h, roots=[str(tmp_path)]).digest
        == code_digest(load(head + tail, "shop_b").h, roots=[str(tmp_path)]).digest
    )


def test_a_digest_is_equal_in_each_process_and_for_each_hash_seed(load: Load, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(APP)
    (tmp_path / "shop_helpers.py").write_text(HELPERS)
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import shop\n"
        "from kindling.plan.fingerprint import Fingerprinter\n"
        "printer = Fingerprinter([sys.argv[1]])\n"
        "print([printer.code(getattr(shop, name)).digest for name in sys.argv[2:]])"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path), *PIPES],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "42", "random")
    }
    assert seen == {f"{list(digests(load, tmp_path).values())}\n"}


def test_a_digest_stays_after_the_interpreter_specialised_the_code(load: Load, tmp_path: Path) -> None:
    before = digests(load, tmp_path)
    module = sys.modules["shop"]
    for _ in range(200):
        module.by_helper(1)
        module.by_method(1)
        module.by_body(1)
    printer = Fingerprinter([str(tmp_path)])
    assert {name: printer.code(getattr(module, name)).digest for name in PIPES} == before


def test_no_pipe_of_ordinary_code_is_opaque(load: Load, tmp_path: Path) -> None:
    digests(load, tmp_path)
    printer = Fingerprinter([str(tmp_path)])
    assert {printer.code(getattr(sys.modules["shop"], name)).opaque for name in PIPES} == {()}


def test_sharing_between_pipes_does_not_change_a_digest(load: Load, tmp_path: Path) -> None:
    shared = digests(load, tmp_path)
    module = sys.modules["shop"]
    assert {
        name: code_digest(getattr(module, name), roots=[str(tmp_path)]).digest for name in PIPES
    } == shared


def test_mutual_recursion_and_containers_that_hold_themselves_end(load: Load, tmp_path: Path) -> None:
    source = """
    LOOP = [1]
    LOOP.append(LOOP)
    TABLE = {"self": None}
    TABLE["self"] = TABLE
    def a(x): return b(x) if LOOP else TABLE
    def b(x): return a(x) + 1
    """
    before = code_digest(load(source).a, roots=[str(tmp_path)])
    after = code_digest(load(source.replace("a(x) + 1", "a(x) + 2")).a, roots=[str(tmp_path)])
    assert before.digest != after.digest
    assert before.opaque == ()


def test_entities_and_pipes_count_by_name_and_frames_are_never_probed(load: Load, tmp_path: Path) -> None:
    app = k.App("shop")

    def digest(handle: object) -> CodeDigest:
        module = load("def pipe(df): return (HANDLE, F, k)")
        module.__dict__.update(HANDLE=handle, F=k.F, k=k)
        return code_digest(module.pipe, roots=[str(tmp_path)])

    def entity(name: str, line: int) -> Entity:
        return Entity(app, name, place=Place("a.py", line), storage=StorageChoice())

    first = digest(entity("silver.a", 1))
    assert first == digest(entity("silver.a", 2)) != digest(entity("silver.b", 1))
    assert first.opaque == ()


def test_foreign_code_counts_by_name_and_what_the_app_gives_to_it_is_seen(load: Load, tmp_path: Path) -> None:
    installed = tmp_path / "lib" / "site-packages"

    def digest(*, body: str = "pass", times: int = 3, helper: str = "return x") -> str:
        lib = f"""
        import functools
        def plain(x): {body}
        def retry(times):
            def around(f):
                @functools.wraps(f)
                def inner(*args):
                    return f(*args, times)
                return inner
            return around
        """
        load(lib, "shop_lib", folder=installed)
        app = f"""
        from shop_lib import plain, retry
        @retry({times})
        @retry(1)
        def helper(x): {helper}
        def pipe(df): return plain(helper(df))
        """
        return code_digest(load(app).pipe, roots=[str(tmp_path)]).digest

    assert digest() == digest(body="return 7")
    assert len({digest(), digest(times=4), digest(helper="return x + 1")}) == 3


def test_a_dispatched_function_is_seen_through(load: Load, tmp_path: Path) -> None:
    source = """
    import functools
    @functools.singledispatch
    def show(x): return 1
    @show.register
    def _(x: int): return 2
    def pipe(df): return show(df)
    """
    seen = {
        code_digest(load(text).pipe, roots=[str(tmp_path)])
        for text in (source, source.replace("return 1", "return 3"), source.replace("return 2", "return 4"))
    }
    assert len(seen) == 3
    assert {digest.opaque for digest in seen} == {()}


def test_generated_methods_of_dataclasses_and_named_tuples_are_seen(load: Load, tmp_path: Path) -> None:
    source = """
    from __future__ import annotations
    import dataclasses, typing, decimal, datetime, re
    @dataclasses.dataclass(frozen=True)
    class Config:
        limit: int = 3
        tags: list = dataclasses.field(default_factory=list)
    class Row(typing.NamedTuple):
        a: int = 1
    CONFIG = Config()
    DAY = datetime.date(2013, 1, 1)
    RATE = decimal.Decimal("1.5")
    WORD = re.compile("a+")
    class Mine(dict):
        pass
    MINE = Mine(a=1)
    def pipe(df): return CONFIG, Row(2), DAY, RATE, WORD, MINE
    """
    olds = ["limit: int = 3", "a: int = 1", "2013, 1, 1", '"1.5"', '"a+"', "a=1)"]
    news = ["limit: int = 4", "a: int = 2", "2013, 1, 2", '"1.6"', '"b+"', "a=2)"]
    texts = [source, *(source.replace(old, new) for old, new in zip(olds, news, strict=True))]
    seen = [code_digest(load(text).pipe, roots=[str(tmp_path)]) for text in texts]
    assert len({digest.digest for digest in seen}) == len(texts)
    assert seen[0].opaque == ()


def test_what_cannot_be_seen_through_is_named(load: Load, tmp_path: Path) -> None:
    load("class Client:\n    pass\n", "shop_sdk", folder=tmp_path / "site-packages")
    source = """
    import os
    from shop_sdk import Client
    CLIENT = Client()
    def pipe(df):
        return CLIENT, eval("1"), os.environ["X"], open("f")
    """
    assert code_digest(load(source).pipe, roots=[str(tmp_path)]).opaque == (
        "CLIENT in pipe: an object of shop_sdk.Client, whose state is not seen",
        "environ in pipe: it reads environment variables, which is not seen",
        "eval in pipe: it runs text, which is not seen",
        "open in pipe: it reads files, which is not seen",
    )


def test_a_module_that_the_body_imports_later_counts_by_its_source(load: Load, tmp_path: Path) -> None:
    source = "def pipe(df):\n    from shop_late import tidy\n    return tidy(df)\n"
    late = tmp_path / "shop_late.py"
    late.write_text("def tidy(df): return 1\n")
    pipe = load(source).pipe
    before = code_digest(pipe, roots=[str(tmp_path)])
    assert before.opaque == (
        "shop_late in pipe: imported in the body and not loaded: only its own source file is seen",
    )
    late.write_text("def tidy(df): return 2\n")
    assert code_digest(pipe, roots=[str(tmp_path)]).digest != before.digest


def test_a_relative_import_in_the_body_is_followed(load: Load, tmp_path: Path) -> None:
    def digest(value: int) -> str:
        load("", "shop_pkg").__path__ = [str(tmp_path / "shop_pkg")]
        load(f"def tidy(df): return {value}", "shop_pkg.rules", folder=tmp_path / "shop_pkg")
        module = load("def pipe(df):\n    from . import rules\n    return rules.tidy(df)", "shop_pkg.pipes")
        module.__package__ = "shop_pkg"
        return code_digest(module.pipe, roots=[str(tmp_path)]).digest

    assert digest(1) == digest(1) != digest(2)


def test_the_import_is_light() -> None:
    heavy = "dataclasses typing inspect re logging pathlib tomllib pluggy msgspec importlib.metadata json"
    program = (
        f"import sys, kindling.plan.fingerprint; print([m for m in {heavy.split()} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {os.getcwd()!r}); {program}"],  # noqa: PTH109
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


def test_the_interpreter_is_a_part_of_its_own() -> None:
    assert f"cpython-{sys.version_info.major}.{sys.version_info.minor}" == PYTHON
