from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.kernel.plugins.conftest import Site

ATTEMPT = "attempt(loader.storage, 'ore')"
HEAD = "from kindling.hooks import hookimpl\nfrom kindling.hooks.storage import StorageOffer\n"
WHERE = "  where: <site>/kindling_plugin_ore/plugin.py\n"
MODULE = "'kindling_plugin_ore.plugin' of 'kindling-plugin-ore' 1.0"
HOOK = "'kindling_storage_offers' of 'kindling-plugin-ore' 1.0"


def hook(body: str, *, name: str = "kindling_storage_offers", arguments: str = "") -> str:
    return f"{HEAD}@hookimpl\ndef {name}({arguments}):\n    {body}\n"


def test_a_misspelt_hook_is_told_with_the_right_name(site: Site) -> None:
    site.plugin("storage:ore", source=hook("return ()", name="kindling_storge_offers"))
    assert site.tell(ATTEMPT) == (
        f"KDL-PLUG-023: {MODULE} implements the unknown hook 'kindling_storge_offers'\n"
        "  why: did you mean 'kindling_storage_offers'?\n"
        f"{WHERE}"
        "  do: rename it to kindling_storage_offers"
    )


def test_a_misspelt_hook_does_not_disturb_the_next_plugin(site: Site) -> None:
    site.plugin("storage:ore", source=hook("return ()", name="kindling_storge_offers"))
    site.plugin("storage:gem")
    told = site.tell(f"[{ATTEMPT}[:12], loader.storage('gem').name, {ATTEMPT}[:12]]")
    assert told == ["KDL-PLUG-023", "gem", "KDL-PLUG-023"]


def test_a_module_without_a_hook_is_told_about_the_marker(site: Site) -> None:
    site.plugin("storage:ore", source="def kindling_storage_offers():\n    return ()\n")
    assert site.tell(ATTEMPT) == (
        f"KDL-PLUG-024: {MODULE} does not implement 'kindling_storage_offers'\n"
        "  why: a function counts only with @hookimpl, and only at the top of the module\n"
        f"{WHERE}"
        "  do: write `@hookimpl` above `def kindling_storage_offers():`"
    )


def test_a_hook_with_an_argument_is_refused(site: Site) -> None:
    site.plugin("storage:ore", source=hook("return ()", arguments="spec"))
    told = str(site.tell(ATTEMPT))
    assert told.startswith(f"KDL-PLUG-024: {MODULE} implements a hook wrongly\n  why: ")
    assert told.endswith(f"{WHERE}  do: write `def kindling_storage_offers():` without arguments")


def test_a_result_that_is_no_tuple_is_refused(site: Site) -> None:
    for body, kind in (("return None", "NoneType"), ("return []", "list"), ("yield 1", "generator")):
        site.plugin(f"storage:{kind.lower()}", source=hook(body))
        name = kind.lower()
        assert site.tell(f"attempt(loader.storage, '{name}')") == (
            f"KDL-PLUG-025: 'kindling_storage_offers' of 'kindling-plugin-{name}' 1.0 "
            "returned something else\n"
            f"  why: it returned a {kind}, expected a tuple of offers\n"
            f"  where: <site>/kindling_plugin_{name}/plugin.py\n"
            f"  do: return (StorageOffer('{name}', factory),)"
        )


def test_an_item_that_is_no_offer_is_refused(site: Site) -> None:
    site.plugin("storage:ore", source=hook("return (StorageOffer('ore', print), 'gem')"))
    site.plugin("storage:gem", source=hook("return (StorageOffer('gem', None),)"))
    assert site.tell(ATTEMPT) == (
        f"KDL-PLUG-025: {HOOK} returned something else\n"
        "  why: item 1 is a str, expected an Offer\n"
        f"{WHERE}"
        "  do: return (StorageOffer('ore', factory),)"
    )
    assert "why: item 0 is named 'gem', expected a text and a factory that can be called" in str(
        site.tell("attempt(loader.storage, 'gem')")
    )


def test_offers_with_other_names_than_declared_are_refused(site: Site) -> None:
    site.plugin("storage:ore", source=hook("return (StorageOffer('oar', print),)"))
    assert site.tell(ATTEMPT) == (
        f"KDL-PLUG-026: {MODULE} offers 'oar'\n"
        "  why: declared are 'ore', each to be offered once\n"
        f"{WHERE}"
        "  do: name offers, entry points and the capabilities in kindling.json alike"
    )


def test_a_name_that_is_offered_twice_or_not_at_all_is_refused(site: Site) -> None:
    site.plugin("storage:ore", source=hook("return (StorageOffer('ore', print),) * 2"))
    site.plugin("storage:gem", source=hook("return ()"))
    assert f"{MODULE} offers 'ore', 'ore'\n" in str(site.tell(ATTEMPT))
    assert "offers nothing\n" in str(site.tell("attempt(loader.storage, 'gem')"))


def test_an_error_inside_a_hook_is_its_own_plugins_error(site: Site) -> None:
    site.plugin("storage:ore", source=hook("return 1 / 0"))
    site.plugin("storage:gem")
    assert site.tell(f"[{ATTEMPT}, loader.storage('gem').name]") == [
        (
            f"KDL-PLUG-027: {HOOK} failed\n"
            "  why: ZeroDivisionError: division by zero\n"
            f"{WHERE}"
            "  do: return the offers only; let their factories do the work"
        ),
        "gem",
    ]
