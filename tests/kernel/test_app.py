from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kindling as k
from kindling.errors import Faults
from kindling.pipe import Pipe

Declare = Callable[..., dict[str, object]]
TWICE = (
    "KDL-DECL-004: 'a' is declared twice\n  why: first at shop.py:{}\n  where: shop.py:{}\n"
    "  do: rename one of them"
)


def faults(app: object, *, sql: bool = False) -> list[str]:
    assert isinstance(app, k.App)
    return [str(fault) for fault in app.all_faults(sql=sql)]


def copy_of(df: k.DataFrame) -> k.DataFrame:
    return df


@given(st.permutations(["b", "silver.a", "gold.c", "Z"]), st.randoms())
def test_the_order_of_declarations_does_not_matter(names: list[str], random: Random) -> None:
    app, other = k.App("shop"), k.App("shop")
    for name in names:
        app.source(name, k.csv("x.csv"))
    random.shuffle(names)
    for name in names:
        other.source(name, k.csv("x.csv"))
    assert list(app.entities()) == list(other.entities()) == sorted(names)


def test_a_decorated_function_is_a_handle_and_still_the_function() -> None:
    app = k.App("shop")
    orders = app.source("orders", k.csv("orders.csv"))

    @app.pipe(orders)
    def silver(df: k.DataFrame) -> k.DataFrame:
        return df

    @app.pipe(silver, orders, name="gold.totals", context=True)
    def totals(context: k.Context, _one: k.DataFrame, two: k.DataFrame) -> k.DataFrame:
        return two

    assert (silver.name, totals.name) == ("silver", "gold.totals")
    assert totals.inputs == (silver, orders)
    assert silver("a frame") == "a frame"  # type: ignore[arg-type,comparison-overlap]  # any object passes through
    assert totals.takes_context
    assert faults(app) == []


def test_everything_wrong_is_told_together_with_file_and_line(declare: Declare) -> None:
    app = declare(
        """
        app = k.App("Shop")
        orders = app.source("or ders", k.csv("o.csv"), schema="id bigin")

        @app.pipe(orders, tagss=["a"], write="append")
        def silver(df, other):
            return df

        @app.pipe("orders", on_fail="drp")
        def gold(df):
            return df
        """
    )["app"]
    with pytest.raises(Faults) as raised:
        app.raise_faults()  # type: ignore[attr-defined]  # an App
    assert str(raised.value) == (
        "KDL-DECL-002: 'Shop' is not an app name\n"
        "  why: expected a lower-case letter, then letters, digits, '-' and '_'\n"
        "  where: shop.py:1\n"
        "KDL-DECL-010: 'bigin' is not a type\n"
        "  why: did you mean 'bigint'?\n"
        "  where: shop.py:2\n"
        "KDL-DECL-034: the pipe 'silver' has an unknown option 'tagss'\n"
        "  why: did you mean 'tags'?\n"
        "  where: shop.py:4\n"
        "KDL-DECL-035: the option 'write' of the pipe 'silver' is 'append'\n"
        "  why: expected Intent\n"
        "  where: shop.py:4\n"
        "KDL-DECL-031: the pipe 'silver' has 1 input, its function takes df, other\n"
        "  why: each input, after the context if there is one, is one positional parameter\n"
        "  where: shop.py:4\n"
        "KDL-DECL-036: on_fail='drp' of the pipe 'gold' is unknown\n"
        "  why: did you mean 'drop'?\n"
        "  where: shop.py:8\n"
        "KDL-DECL-032: an input of the pipe 'gold' is 'orders', not a handle\n"
        "  why: did you mean 'or ders'?\n"
        "  where: shop.py:8\n"
        "  do: give what app.source, app.sql or the decorated pipe returned\n"
        "KDL-DECL-001: 'or ders' is not an entity name\n"
        "  why: a name has 1 to 3 parts, joined by dots, of letters, digits, '_' and '-'\n"
        "  where: shop.py:2\n"
        "  do: for example 'silver.flights'"
    )


def test_two_apps_in_one_process_know_nothing_of_each_other() -> None:
    one, two = k.App("one"), k.App("two")
    one.source("a", k.csv("a.csv"))
    two.source("a", k.csv("b.csv"))
    assert one.entities()["a"] is not two.entities()["a"]
    assert (faults(one), faults(two)) == ([], [])


def test_two_producers_in_a_package_are_refused_with_both_places(declare: Declare) -> None:
    source = """
        app = k.App("shop")
        a = app.source("a", k.csv("a.csv"))
        b = app.sql("a", "SELECT * FROM {a}", inputs={"a": a})
        """
    assert faults(declare(source)["app"]) == [TWICE.format(2, 3)]


def test_a_notebook_cell_that_runs_again_replaces_its_pipe(declare: Declare) -> None:
    app = k.App("notes")
    orders = app.source("orders", k.csv("o.csv"))
    cell = "@app.pipe(orders, {option})\ndef silver(df):\n    return {value}\n"
    first = declare(cell.format(option="tagss=['a']", value=1), "<ipython-input-1>", app=app, orders=orders)
    old = first["silver"]
    assert isinstance(old, Pipe)
    below = app.pipe(old, name="gold")(copy_of)
    assert len(faults(app)) == 1
    second = declare(cell.format(option="tags=['a']", value=2), "<ipython-input-2>", app=app, orders=orders)

    assert app.entities()["silver"] is second["silver"]
    assert app.names()[id(old)] == "silver", "the cells below need not run again"
    assert app.entities()["gold"] is below
    assert faults(app) == []


def test_a_cell_and_a_package_never_replace_each_other(declare: Declare) -> None:
    app = k.App("notes")
    declare("app.source('a', k.csv('a.csv'))", "pkg.py", app=app)
    declare("app.source('a', k.csv('b.csv'))", "/tmp/ipykernel_7/1.py", app=app)  # noqa: S108  # a name only
    assert [fault.splitlines()[0] for fault in faults(app)] == ["KDL-DECL-004: 'a' is declared twice"]


def test_an_included_app_stands_behind_its_prefix_however_deep() -> None:
    inner, middle, outer = k.App("inner"), k.App("middle"), k.App("outer")
    raw = inner.source("raw", k.csv("raw.csv"))
    middle.include(inner, prefix="in")
    outer.include(middle, prefix="crm")
    own = outer.pipe(raw, name="gold")(copy_of)
    assert list(outer.entities()) == ["crm.in.raw", "gold"]
    assert outer.names() == {id(raw): "crm.in.raw", id(own): "gold"}
    assert faults(outer) == []
    assert list(inner.entities()) == ["raw"]


def test_without_a_prefix_included_names_stay_and_may_collide(declare: Declare) -> None:
    source = """
        crm = k.App("crm")
        crm.source("a", k.csv("a.csv"))
        app = k.App("shop")
        app.include(crm)
        app.source("a", k.csv("a.csv"))
        """
    assert faults(declare(source)["app"]) == [TWICE.format(5, 2)]


def test_faults_of_apps_that_are_included_deep_inside_are_told_once(declare: Declare) -> None:
    source = """
        inner = k.App("inner")
        inner.source("a", k.csv("a.csv"), schema="id xyz")
        left, right = k.App("left"), k.App("right")
        left.include(inner)
        right.include(inner)
        app = k.App("outer")
        app.include(left)
        app.include(right)
        """
    found = faults(declare(source)["app"])
    assert [fault.splitlines()[0] for fault in found] == ["KDL-DECL-010: 'xyz' is not a type"]


def test_an_app_included_on_two_ways_with_two_prefixes_is_refused(declare: Declare) -> None:
    source = """
        inner = k.App("inner")
        left = k.App("left")
        left.include(inner, prefix="x")
        app = k.App("outer")
        app.include(left)
        app.include(inner, prefix="y")
        """
    assert faults(declare(source)["app"]) == [
        (
            "KDL-DECL-003: the app 'inner' is included twice, with the prefixes 'x' and 'y'\n"
            "  where: shop.py:1\n"
            "  do: include it once, or with one prefix"
        )
    ]


def test_including_again_or_in_a_circle_is_refused(declare: Declare) -> None:
    source = """
        a, b = k.App("a"), k.App("b")
        a.include(b)
        a.include(b, prefix="x")
        b.include(a)
        a.include(a)
        """
    space = declare(source)
    assert faults(space["a"]) == [
        "KDL-DECL-003: 'a' includes 'b' again\n  where: shop.py:3",
        "KDL-DECL-003: 'a' includes 'a', which includes 'a'\n  where: shop.py:5",
        "KDL-DECL-003: 'b' includes 'a', which includes 'b'\n  where: shop.py:4",
    ]


def test_a_prefix_that_makes_a_name_too_long_is_refused(declare: Declare) -> None:
    source = """
        crm = k.App("crm")
        crm.source("a.b.c", k.csv("a.csv"))
        app = k.App("shop")
        app.include(crm, prefix="crm")
        """
    assert [fault.splitlines()[0] for fault in faults(declare(source)["app"])] == [
        "KDL-DECL-001: 'crm.a.b.c' is not an entity name"
    ]


def test_the_handle_of_an_app_that_is_not_included_is_refused(declare: Declare) -> None:
    source = """
        crm, app = k.App("crm"), k.App("shop")
        people = crm.source("people", k.csv("p.csv"))
        app.sql("gold", "SELECT * FROM {people}", inputs={"people": people})
        """
    assert faults(declare(source)["app"]) == [
        (
            "KDL-DECL-005: 'gold' reads 'people', which belongs to the app 'crm'\n"
            "  where: shop.py:3\n"
            "  do: include that app, or use app.ref('crm', 'people')"
        )
    ]


def test_a_reference_is_read_only_and_named_after_its_app() -> None:
    app = k.App("shop")
    people = app.ref("crm", "gold.people", schema="id bigint")
    full = app.ref("crm", "lake.gold.people")
    assert (people.name, people.ref) == ("crm.gold.people", ("crm", "gold.people"))
    assert (full.name, full.ref) == ("lake.gold.people", ("crm", "lake.gold.people"))
    assert people.schema is not None
    assert not isinstance(people, Pipe)
    assert faults(app) == []


def test_a_reference_to_the_app_itself_is_refused(declare: Declare) -> None:
    app = declare("app = k.App('shop')\napp.ref('shop', 'gold.orders')")["app"]
    assert faults(app) == [
        (
            "KDL-DECL-006: 'shop' refers to 'gold.orders' as if it were another app's\n"
            "  where: shop.py:2\n"
            "  do: give the handle that declared it"
        )
    ]


def test_a_pipe_decorated_twice_is_told_and_declared_once(declare: Declare) -> None:
    source = """
        app = k.App("shop")
        a = app.source("a", k.csv("a.csv"))

        @app.pipe(a, name="other")
        @app.pipe(a)
        def silver(df):
            return df
        """
    space = declare(source)
    assert faults(space["app"]) == [
        "KDL-DECL-033: the pipe 'silver' is decorated twice\n  why: first at shop.py:5\n  where: shop.py:4"
    ]
    assert list(space["app"].entities()) == ["a", "silver"]  # type: ignore[attr-defined]  # an App


def test_a_storage_that_is_a_text_is_refused(declare: Declare) -> None:
    source = """
        app = k.App("shop", storage="delta")
        app.source("a", "a.csv")
        """
    hint = (
        "  why: expected what k.csv, k.delta, k.memory or k.storage return\n"
        "  where: shop.py:{}\n  do: for example storage=k.delta()"
    )
    assert faults(declare(source)["app"]) == [
        "KDL-DECL-035: the storage of the app 'shop' is 'delta'\n" + hint.format(1),
        "KDL-DECL-035: the storage of 'a' is 'a.csv'\n" + hint.format(2),
    ]


def test_pipes_are_kept_in_the_storage_of_the_app_unless_they_choose() -> None:
    app = k.App("shop", storage=k.parquet())
    a = app.source("a", k.csv("a.csv"))
    one = app.pipe(a, name="one")(copy_of)
    two = app.pipe(a, name="two", storage=k.memory())(copy_of)
    assert (one.storage, two.storage, two.is_memory) == (k.parquet(), k.memory(), True)


def test_sql_is_checked_only_where_asked_for(declare: Declare) -> None:
    source = """
        app = k.App("shop")
        a = app.source("a", k.csv("a.csv"))
        app.sql("gold", "SELECT * FROM {a}, b", inputs={"a": a})
        """
    app = declare(source)["app"]
    assert faults(app) == []
    assert [fault.splitlines()[0] for fault in faults(app, sql=True)] == [
        "KDL-DECL-044: the SQL of 'gold' reads 'b', which is not an input"
    ]


def test_sql_inputs_without_placeholders_are_refused(declare: Declare) -> None:
    source = """
        app = k.App("shop")
        a = app.source("a", k.csv("a.csv"))
        app.sql("gold", "SELECT 1", inputs=[a])
        """
    assert faults(declare(source)["app"]) == [
        (
            "KDL-DECL-032: the inputs of the SQL pipe 'gold' are [<Entity 'a' of 'shop'>]\n"
            "  why: expected handles by placeholder\n"
            "  where: shop.py:3\n"
            '  do: write inputs={"flights": flights} and {flights} in the text'
        )
    ]


def test_an_sql_file_is_read_beside_the_declaring_file(declare: Declare, tmp_path: Path) -> None:
    (tmp_path / "gold.sql").write_text("SELECT * FROM {a} WHERE x = 'č'", encoding="utf-8")
    (tmp_path / "latin.sql").write_bytes("SELECT 'č'".encode("cp1250"))
    source = """
        app = k.App("shop")
        a = app.source("a", k.csv("a.csv"))
        gold = app.sql_file("gold", "gold.sql", inputs={"a": a}, tags=["x"])
        app.sql_file("lost", "lost.sql", inputs={"a": a})
        app.sql_file("latin", "latin.sql", inputs={"a": a})
        """
    space = declare(source, str(tmp_path / "shop.py"))
    gold = space["gold"]
    assert isinstance(gold, Pipe)
    assert (gold.sql, gold.tags, gold.place.line) == ("SELECT * FROM {a} WHERE x = 'č'", ("x",), 3)
    assert faults(space["app"], sql=True) == [
        (
            "KDL-DECL-046: the SQL file 'lost.sql' of 'lost' cannot be read\n"
            f"  why: No such file or directory\n  where: {tmp_path}/shop.py:4"
        ),
        (
            "KDL-DECL-046: the SQL file 'latin.sql' of 'latin' cannot be read\n"
            f"  why: it is not UTF-8\n  where: {tmp_path}/shop.py:5"
        ),
    ]


def test_an_app_and_its_handles_show_their_names() -> None:
    app = k.App("shop")
    a = app.source("a", k.csv("a.csv"))
    assert (repr(app), repr(a)) == ("<App 'shop': 1 entities>", "<Entity 'a' of 'shop'>")
    assert repr(app.pipe(a)(copy_of)) == "<Pipe 'copy_of' of 'shop'>"
