"""Masks of fixed values, as they are on each engine: `python golden.py` writes `golden.json` by Sail."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from masked import masked

from kindling.hooks import Plain
from kindling.hooks.platform import Platform, PlatformSpec, Session, SessionSpec
from kindling.testing.masking_contract import SAMPLES
from kindling.testing.offers import open_capability

FILE = Path(__file__).with_name("golden.json")
DATES = ("date", "timestamp", "timestamp_ntz")
NUMBERS = ("tinyint", "smallint", "int", "bigint", "decimal(9,2)", "float", "double")
EXACT = tuple(name for name in SAMPLES if name not in ("float", "double", "array<bigint>"))
CASES: tuple[tuple[str, tuple[str, ...], dict[str, Plain]], ...] = (
    ("redact", tuple(SAMPLES), {}),
    ("redact", (*EXACT, "float", "double"), {"blank": True}),
    ("redact", ("string",), {"with": 'it\'s \\ "hidden" $'}),
    ("partial", ("string",), {"first": 2, "last": 1}),
    ("keyed_hash", EXACT, {}),
    ("keyed_hash", ("string",), {"encoding": "base64", "length": 22}),
    ("token", EXACT, {}),
    ("token", ("string",), {"prefix": "", "length": 64}),
    ("generalize", ("string",), {"keep": 3}),
    ("generalize", NUMBERS, {"width": 100}),
    ("generalize", ("decimal(9,2)", "float", "double"), {"width": 0.25}),
    *(("generalize", DATES, {"unit": unit}) for unit in ("month", "quarter", "year")),
    ("date_shift", DATES, {"by": "person"}),
    ("date_shift", DATES, {"by": "person", "days": 3}),
)


def golden(session: Session) -> dict[str, list[str]]:
    """Return the masks of each case as texts, null among the values."""
    found = {}
    for name, types, options in CASES:
        for type_ in types:
            values = [*SAMPLES[type_], None]
            persons = [f"person {place % 3}" for place in range(len(values))]
            masks = masked(session, name, type_, values, options, persons=persons)
            found[f"{name} {type_} {json.dumps(options)}"] = [repr(mask) for mask in masks]
    return found


def main() -> None:
    """Write the file anew."""
    with tempfile.TemporaryDirectory() as folder:
        platform = open_capability(
            "kindling_plugin_sail", "platform:sail", PlatformSpec("golden", work_dir=folder)
        )
        assert isinstance(platform, Platform)
        session = platform.open_session(SessionSpec("golden"))
        found = golden(session)
        session.close()
        platform.close()
    lines = (f"{json.dumps(case)}: {json.dumps(found[case], ensure_ascii=False)}" for case in found)
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
