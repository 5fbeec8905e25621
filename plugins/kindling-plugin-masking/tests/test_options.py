# ruff: noqa: E501  # a case is a line

from __future__ import annotations

import pytest
from masked import mask_named, request

from kindling.errors import ConfigError
from kindling.hooks import Plain

KNOWN = {
    "redact": "with, blank",
    "partial": "first, last, with",
    "keyed_hash": "length, encoding",
    "token": "prefix, length",
    "generalize": "width, unit, keep",
    "date_shift": "by, days",
}
TEXT = "a printable text of at most {} letters, without '${{'"
FAULTS: list[tuple[str, str, dict[str, Plain], str]] = [
    ("redact", "string", {"wiht": "x"}, "there is no option 'wiht': did you mean 'with'?"),
    ("redact", "string", {"with": "x" * 65}, f"'with' must be {TEXT.format(64)}"),
    ("redact", "string", {"with": "${key}"}, f"'with' must be {TEXT.format(64)}"),
    ("redact", "string", {"with": "a\nb"}, f"'with' must be {TEXT.format(64)}"),
    ("redact", "string", {"with": 1, "blank": "yes"}, f"'with' must be {TEXT.format(64)}; 'blank' must be true or false"),
    ("redact", "string", {"with": "x", "blank": True}, "'with' and 'blank' exclude one another"),
    ("partial", "string", {"first": -1, "last": "4"}, "'first' must be a whole number from 0 to 32; 'last' must be a whole number from 0 to 32"),
    ("partial", "string", {"first": True}, "'first' must be a whole number from 0 to 32"),
    ("partial", "string", {"first": 0}, "'first' and 'last' are 0: use the mask 'redact'"),
    ("keyed_hash", "string", {"lenght": 8, "encoding": "hexa"}, "there is no option 'lenght': did you mean 'length'?; 'encoding' must be one of hex, base64"),
    ("keyed_hash", "string", {"length": 15}, "'length' must be a whole number from 16 to 64"),
    ("keyed_hash", "string", {"encoding": "base64", "length": 45}, "'length' must be a whole number from 16 to 44"),
    ("token", "string", {"length": 7, "prefix": 3}, f"'prefix' must be {TEXT.format(32)}; 'length' must be a whole number from 8 to 64"),
    ("generalize", "int", {"width": 0}, "'width' must be a number from 1e-18 to 1e+18"),
    ("generalize", "int", {"width": float("nan")}, "'width' must be a number from 1e-18 to 1e+18"),
    ("generalize", "int", {"unit": "month"}, "a column of the type 'int' needs the option 'width'"),
    ("generalize", "string", {"width": 1}, "a column of the type 'string' needs the option 'keep'"),
    ("generalize", "date", {"keep": 1}, "a column of the type 'date' needs the option 'unit'"),
    ("generalize", "date", {"unit": "week", "keep": 0}, "'unit' must be one of month, quarter, year; 'keep' must be a whole number from 1 to 256"),
    ("generalize", "int", {"width": 2.5}, "'width' must be a multiple of 1 for the type 'int', and greater than that"),
    ("generalize", "int", {"width": 1}, "'width' must be a multiple of 1 for the type 'int', and greater than that"),
    ("generalize", "decimal(5,2)", {"width": 0.005}, "'width' must be a multiple of 0.01 for the type 'decimal(5,2)', and greater than that"),
    ("generalize", "tinyint", {"width": 128}, "'width' is greater than all numbers of the type 'tinyint'"),
    ("generalize", "decimal(5,2)", {"width": 1000}, "'width' is greater than all numbers of the type 'decimal(5,2)'"),
    ("date_shift", "date", {"days": 0}, "'days' must be a whole number from 1 to 3660; 'by' is missing: name the column that says whose date it is"),
    ("date_shift", "date", {"by": "persn"}, "'by' names no column: did you mean 'person'?"),
    ("date_shift", "date", {"by": "value"}, "'by' names the masked column itself"),
    ("date_shift", "date", {"by": "score"}, "'by' names a column of the type 'double', which has no single text"),
    ("date_shift", "date", {"by": 5}, f"'by' must be {TEXT.format(256)}"),
]  # fmt: skip


@pytest.mark.parametrize(("mask", "type_", "options", "why"), FAULTS)
def test_all_faults_of_a_rule_are_told_together(
    mask: str, type_: str, options: dict[str, Plain], why: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        mask_named(mask).expression(request(type_, options, person="string", score="double"))
    assert str(caught.value) == (
        f"KDL-GOV-101: the options of the mask {mask!r} cannot be used\n"
        f"  why: {why}\n"
        f"  do: {mask} has the options {KNOWN[mask]}"
    )


def test_a_type_that_a_mask_does_not_accept_is_told_with_those_that_it_does() -> None:
    with pytest.raises(ConfigError) as caught:
        mask_named("partial").expression(request("bigint"))
    assert str(caught.value) == (
        "KDL-GOV-100: the mask 'partial' cannot mask a column of the type 'bigint'\n"
        "  why: it accepts: string\n"
        '  do: let the rule\'s class fit such columns only, or use mask = "redact", which accepts each type'
    )


def test_decimals_of_most_digits_need_a_width_that_spark_can_compute() -> None:
    mask = mask_named("generalize")
    assert mask.expression(request("decimal(38,18)", {"width": 0.5}))
    with pytest.raises(ConfigError, match=r"must be a multiple of 0\.00000000000000001 for"):
        mask.expression(request("decimal(38,18)", {"width": 1.5e-17}))


def test_a_rule_may_have_the_options_of_several_types() -> None:
    options: dict[str, Plain] = {"width": 10, "unit": "year", "keep": 2}
    mask = mask_named("generalize")
    texts = [mask.expression(request(type_, options)) for type_ in ("int", "date", "string")]
    assert ["pmod" in text for text in texts] == [True, False, False]
    assert texts[1] == "make_date(year(`value`), 1, 1)"
