"""Arithmetic of numbers that stand in a Spark SQL text, where Sail 0.7.2 wraps or has another precision.

So have roundings of such numbers, and their texts have no exponent.

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
_TEXT = re.compile(rf"\bCAST\s*\(\s*(-?{_NUMBER})\s+AS\s+STRING\b", re.IGNORECASE)
_ROUND = re.compile(rf"\bround\s*\(\s*(-?{_NUMBER})\s*,", re.IGNORECASE)
_PLAIN_TEXT = (1e-3, 1e7)
"""Between these, doubles are written without an exponent on Spark, as Sail writes all."""
_MAYBE = re.compile(
    rb"(?:cast|round)\s*\(\s*-?\d|\d(?:[LSYD])?\s*(?:[+*/%]|\s-\s|(?<=\d{5})-|(?<=[LSY])-)\s*-?\d",
    re.IGNORECASE,
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
    _check_doubles(plain)
    for left, sign, right, after in _PAIR.findall(plain):
        if sign in "+-" and after and after in "*/%":
            continue  # the right number belongs to the next operation
        if _differs(left, sign, right):
            raise refused_syntax(f"{left} {sign} {right}", "write the result, or cast both numbers")


def _check_doubles(plain: str) -> None:
    for number in _TEXT.findall(plain):
        size = abs(float(number.rstrip("DdFf"))) if _kind(number) == "double" else 0
        if size and not _PLAIN_TEXT[0] <= size < _PLAIN_TEXT[1]:
            raise refused_syntax(f"CAST({number} AS STRING)", "write the text")
    for number in _ROUND.findall(plain):
        if _kind(number) == "double":
            raise refused_syntax(f"round({number}, ...)", "write the result, or round a decimal")


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
