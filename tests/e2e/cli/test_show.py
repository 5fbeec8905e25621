from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from terminal import Terminal


def test_rows_are_an_aligned_table(made_shop: Terminal) -> None:
    done = made_shop("show", "gold.daily")
    assert (done.code, done.err) == (0, "")
    assert done.out == "day         amount\n2024-01-01    17.5\n2024-01-02   40.25\n"


def test_the_number_of_rows_can_be_chosen(made_shop: Terminal) -> None:
    assert made_shop("show", "raw.orders", "--limit", "1").out == (
        "id  customer  amount  day\n 1  ann          5.5  2024-01-01\n"
    )


def test_classified_columns_come_with_a_note(made_shop: Terminal) -> None:
    assert made_shop("show", "raw.orders").err == (
        "note: classified columns are shown as they are: customer (pii.name); "
        "no mask rule acts on them for you\n"
    )


def test_json_has_types_rows_and_the_version(made_shop: Terminal) -> None:
    document = made_shop("show", "gold.daily", "--json").json("show")
    assert document["columns"] == [{"name": "day", "type": "date"}, {"name": "amount", "type": "double"}]
    assert document["rows"] == [["2024-01-01", 17.5], ["2024-01-02", 40.25]]
    again = made_shop("show", "gold.daily", "--version", document["version"], "--json").json("show")
    assert again == document


def test_a_version_is_chosen_by_the_short_number_that_people_see(made_shop: Terminal) -> None:
    assert made_shop("show", "gold.daily", "--version", "0").out == made_shop("show", "gold.daily").out
    done = made_shop("show", "gold.daily", "--version", "7")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(
        "KDL-STORE-002: 'gold.daily' cannot be read at version '7'\n"
        "  why: no commit of that number is left in its log; the newest version is 0-"
    )


def test_the_quarantine_of_an_entity_is_shown(made_shop: Terminal) -> None:
    done = made_shop("show", "silver.orders__quarantine")
    assert done.code == 0
    assert done.out.splitlines()[1].split() == ["4", "cid", "-1.0", "2024-01-03", "positive"]


def test_what_was_never_made_says_how_to_make_it(shop: Terminal) -> None:
    done = shop("show", "gold.daily")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "KDL-USE-034: 'gold.daily' was never made\n"
        "  why: nothing is found at <project>/lake/dev/gold/daily\n"
        "  where: shop/app.py:25\n"
        "  do: kindling run -s +gold.daily\n"
    )


def test_a_missing_source_is_told_with_its_place(shop: Terminal) -> None:
    (shop.path / "data/orders.csv").unlink()
    done = shop("show", "raw.orders")
    assert done.code == 2
    assert done.err == (
        "KDL-USE-035: the source 'raw.orders' does not exist\n"
        "  why: nothing is found at <project>/data/orders.csv\n"
        "  where: shop/app.py:5\n"
    )


def test_a_memory_entity_is_kept_nowhere(shop: Terminal) -> None:
    done = shop("show", "silver.big")
    assert done.code == 2
    assert done.err.startswith("KDL-USE-033: 'silver.big' is a memory entity: it is kept nowhere\n")


def test_an_unknown_version_is_refused_by_the_storage(made_shop: Terminal) -> None:
    done = made_shop("show", "gold.daily", "--version", "7-000000000000")
    assert done.code == 1
    assert done.err.startswith("KDL-STORE-002: 'gold.daily' cannot be read at version")
