"""Arithmetic of numbers that stand in a Spark SQL text, where Sail 0.7.2 wraps or has another precision.

Only pairs that are an operation of their own are looked at: types of columns stand in no text.
"""

from __future__ import annotations

import re

from kindling_plugin_sail.portability import refused_syntax

_NUMBER = r"\d+(?:\.\d*)?(?:[eE][+-]?\d+)?(?:BD|bd|[LSYDFlsydf])?"
_BEFORE = (
    r"(?:^|[(,=<>]|\b(?:SELECT|DISTINCT|WHEN|THEN|ELSE|AND|OR|NOT|BETWEEN|IN|BY|ON|WHERE|HAVING|VALUES))\s*"
)
_PAIR = re.compile(rf"{_BEFORE}(-?{_NUMBER})\s*([-+*/%])\s*(-?{_NUMBER})(?![\w.])\s*(.?)", re.IGNORECASE)
_MAYBE = re.compile(
    rb"\d(?:[LSYD])?\s*(?:[+*/%]|\s-\s|(?<=\d{5})-|(?<=[LSY])-)\s*-?\d", re.IGNORECASE
)  # dates have no five digits before a minus
_NULL_CASE = re.compile(r"\bCASE\s+WHEN\s+NULL\s+THEN\b", re.IGNORECASE)
_BITS = {"Y": 7, "S": 15, "": 31, "L": 63}


def is_suspect(request: bytes) -> bool:
    """Tell whether a serialized request may hold arithmetic of numbers; quick."""
    return _MAYBE.search(request) is not None or b"when null" in request.lower()


def check(plain: str) -> None:
    """Refuse operations of two numbers that Sail computes otherwise than Spark.

    Args:
        plain: SQL text without quoted parts and comments.

    Raises:
        RunError: KDL-PORT-035.
    """
    if _NULL_CASE.search(plain):
        raise refused_syntax("CASE WHEN NULL", "write CASE WHEN FALSE")
    for left, sign, right, after in _PAIR.findall(plain):
        if sign in "+-" and after and after in "*/%":
            continue  # the right number belongs to the next operation
        if _differs(left, sign, right):
            raise refused_syntax(f"{left} {sign} {right}", "write the result, or cast both numbers")


def _differs(left: str, sign: str, right: str) -> bool:
    kinds = _kind(left), _kind(right)
    if "decimal" in kinds:
        return "double" not in kinds and kinds[0] != kinds[1]  # a whole number beside a decimal
    if "double" in kinds or sign in "/%":
        return False
    one, two = _value(left), _value(right)
    result = {"+": one + two, "-": one - two, "*": one * two}[sign]
    bits = max(_BITS[kind] for kind in kinds)
    return not -(2**bits) <= result < 2**bits


def _kind(number: str) -> str:
    suffix = re.sub(r"^[-\d.]+(?:[eE][+-]?\d+)?", "", number).upper()
    if suffix in ("D", "F") or (not suffix and "e" in number.lower()):
        return "double"
    if suffix == "BD" or "." in number:
        return "decimal"
    if suffix == "" and not -(2**31) <= _value(number) < 2**31:
        return "L"
    return suffix


def _value(number: str) -> int:
    return int(number.rstrip("LSYlsy"))
