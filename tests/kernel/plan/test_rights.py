from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindling.config.settings import Settings
from kindling.errors import Faults, KindlingError
from kindling.plan.rights import (
    MaskRule,
    Rights,
    classes_of_text,
    classes_text,
    is_classified,
    masks_of,
    rights_part,
)
from kindling.plugins.catalog import Catalog
from kindling.plugins.installed import Installed
from kindling.plugins.manifest import Capability
from kindling.plugins.policy import Policy

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=6)


def rights(**rules: dict[str, object]) -> Rights:
    rows = [
        (("policy", "masks", rule, *key.split("/")), value, "kindling.toml:3", False)
        for rule, keys in rules.items()
        for key, value in keys.items()
    ]
    roles = (("policy", "roles", "engineer"), ["user:ann", "group:data"], "kindling.toml:9", False)
    return Rights(Settings("", "dev", [*rows, roles]))  # type: ignore[list-item]  # TOML types


def catalog() -> Catalog:
    keyed = Capability("masking", "keyed_hash", "kindling-plugin-masking", "1.0", "1.0", "m", ("keyed",))
    plain = Capability("masking", "redact", "kindling-plugin-masking", "1.0", "1.0", "m")
    return Catalog(Installed((keyed, plain)), Policy())


TAILS = {"class": "id.*", "mask": "keyed_hash", "key": "secret://env/K", "entities": ["gold.*"]}
SHOWN = {"class": "pii.*", "mask": "redact", "on": "show", "unless": ["role:engineer"], "options/text": "x"}


def test_rules_are_read_in_the_order_of_their_names() -> None:
    assert rights(tails=TAILS, shown=SHOWN).rules == (
        MaskRule("shown", "pii.*", "redact", on="show", unless=("role:engineer",), options=(("text", "x"),)),
        MaskRule("tails", "id.*", "keyed_hash", key="secret://env/K", entities=("gold.*",)),
    )


def test_rules_that_lack_something_are_told_together() -> None:
    with pytest.raises(Faults) as caught:
        rights(a={"mask": "redact"}, b={"on": "show"})
    assert [str(fault).splitlines() for fault in caught.value.faults] == [
        [
            "KDL-GOV-001: the rule 'a' lacks its class",
            "  where: kindling.toml:3",
            '  do: [policy.masks.a] class = "pii.*", mask = "redact"',
        ],
        [
            "KDL-GOV-001: the rule 'b' lacks its class and its mask",
            "  where: kindling.toml:3",
            '  do: [policy.masks.b] class = "pii.*", mask = "redact"',
        ],
    ]


def test_a_keyed_mask_needs_a_key() -> None:
    found = rights(tails={"class": "id.*", "mask": "keyed_hash"})
    with pytest.raises(KindlingError) as caught:
        found.check(catalog())
    assert str(caught.value).splitlines() == [
        "KDL-GOV-002: the rule 'tails' has no key",
        "  why: the mask 'keyed_hash' is keyed",
        '  do: [policy.masks.tails] key = "secret://..."',
    ]


def test_a_mask_that_is_not_installed_is_refused() -> None:
    with pytest.raises(KindlingError, match="KDL-PLUG-002: no installed plugin offers 'masking:blur'"):
        rights(a={"class": "x", "mask": "blur"}).check(catalog())


def test_a_class_that_is_nearly_a_declared_one_is_a_mistake_and_one_of_another_app_is_none() -> None:
    found = rights(tails={**TAILS, "class": "aircraft.tial"}, shown=SHOWN, own={**SHOWN, "class": "pii.name"})
    (told,) = found.mistyped(["aircraft.tail", "pii.email"])
    assert told == (
        "the rule 'tails' masks nothing: no column has its class 'aircraft.tial'; "
        "did you mean 'aircraft.tail'?"
    )
    assert rights(tails=TAILS).mistyped(["id.tail"]) == ()


def test_a_principal_has_the_roles_of_its_own_and_of_its_groups() -> None:
    found = rights()
    assert found.principals("user:ann") == {"user:ann", "role:engineer"}
    assert found.principals("user:bob", ["group:data"]) == {"user:bob", "group:data", "role:engineer"}
    assert found.principals("user:eve") == {"user:eve"}


def test_rules_act_where_they_say_and_on_whom_they_do_not_exempt() -> None:
    found = rights(tails=TAILS, shown=SHOWN)

    def names(on: str, entity: str, *who: str) -> list[str]:
        return [rule.name for rule in found.acting(on, entity, frozenset(who))]

    assert names("pipes", "gold.x", "workload:a") == ["tails"]
    assert names("pipes", "silver.x", "workload:a") == []
    assert names("show", "silver.x", "user:eve") == ["shown"]
    assert names("show", "silver.x", "user:ann", "role:engineer") == []


def test_the_first_rule_about_a_class_masks_its_column() -> None:
    first, second = MaskRule("a", "pii.*", "redact"), MaskRule("b", "*", "partial")
    classes = {"mail": ("pii.email",), "tail": ("id.tail",), "free": ()}
    assert masks_of((first, second), classes) == {"mail": first, "tail": second}


def test_rights_change_with_rules_and_classes_that_matter() -> None:
    nothing = rights_part("w", ("a rule",), {"silver.x": {}})
    assert nothing == "workload:w"
    classed = {"silver.x": {"tail": ("id.tail",)}}
    parts = [
        nothing,
        rights_part("w", ("a rule",), classed),
        rights_part("w", (), classed),
        rights_part("v", (), classed),
        rights_part("w", (), {"silver.x": {"tail": ("id.tail",), "mail": ("pii",)}}),
    ]
    assert len(set(parts)) == len(parts)
    assert [is_classified(part) for part in parts] == [False, True, True, True, True]


@given(st.dictionaries(NAMES, st.lists(NAMES, min_size=1, unique=True).map(sorted).map(tuple), max_size=3))
def test_classes_travel_through_text(classes: dict[str, tuple[str, ...]]) -> None:
    assert classes_of_text(classes_text(classes)) == dict(sorted(classes.items()))


def test_no_rules_import_nothing_more(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys; from kindling.config.settings import Settings; from kindling.plan.rights import Rights;"
        "before = set(sys.modules); Rights(Settings('', 'dev', [])); print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert done.stdout == "[]\n"


def test_planning_without_classes_imports_neither_lineage_nor_governance(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys, kindling.plan.planner;"
        "print([name for name in ('kindling.lineage', 'kindling.plan.governance') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert done.stdout == "[]\n"
