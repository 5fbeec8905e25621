"""Compute every case on one engine and compare it with Spark: `python run.py ENGINE [OUT] [--write]`.

`reference.json` holds what Spark on the JVM answers, `--write` on `spark` makes it again; on another engine
it writes that engine's verdicts to `verdicts/ENGINE.json`.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

from answers import verdict
from case_list import HERE, Case, all_cases

REFERENCE = HERE / "reference.json"
Answers = dict[str, dict[str, Any]]


def load(path: Path) -> dict[str, Any]:
    """Return a JSON file of the suite, or nothing where there is none yet."""
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def save(path: Path, found: dict[str, Any]) -> None:
    """Write one entry a line, so that a change shows as one line."""
    path.parent.mkdir(exist_ok=True)
    lines = [
        f"{json.dumps(key, ensure_ascii=False)}: {json.dumps(found[key], ensure_ascii=False)}"
        for key in found
    ]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def computed(engine: str, cases: list[Case]) -> Answers:
    """Return what an engine answers."""
    from computing import Engine

    known = load(REFERENCE) if engine == "spark" else load(verdict_file(engine))
    alone = {key for key, answer in known.items() if _failed(answer)}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        live = Engine(engine, Path(folder))
        try:
            found = live.answers(cases, alone)
        finally:
            live.close()
    return {case.id: found[case.id] for case in cases}


def _failed(entry: Any) -> bool:
    return "error" in entry or entry.get("verdict") in ("fails", "refused") or bool(entry.get("both_fail"))


def verdict_file(engine: str) -> Path:
    """Return where an engine's verdicts stand."""
    return HERE / "verdicts" / f"{engine}.json"


def reasons() -> dict[str, list[dict[str, Any]]]:
    """Return why cases differ, by engine."""
    return tomllib.loads((HERE / "reasons.toml").read_text(encoding="utf-8"))


def verdicts(engine: str, cases: list[Case], found: Answers, reference: Answers) -> dict[str, dict[str, Any]]:
    """Return each case's verdict, with the code of an error; unstable ones count as different."""
    unstable = [
        part for reason in reasons().get(engine, ()) if reason.get("is_unstable") for part in reason["cases"]
    ]
    made = {}
    for case in cases:
        answer, wanted = found[case.id], reference[case.id]
        entry: dict[str, Any] = {"verdict": verdict(answer, wanted, is_close=case.is_close)}
        if entry["verdict"] in ("refused", "fails"):
            entry |= {"error": answer["error"]}
        elif "error" in answer:
            entry["both_fail"] = True
        elif any(re.search(part, case.id) for part in unstable):
            entry["verdict"] = "differs"
        made[case.id] = entry
    return made


def main() -> None:
    """Run from the command line."""
    engine, *rest = sys.argv[1:]
    started = time.monotonic()
    cases = all_cases()
    only = [part for part in rest if not part.startswith("--")]
    if only:
        cases = [case for case in cases if any(part in case.id for part in only)]
    found = computed(engine, cases)
    if engine == "spark" and "--write" in rest:
        save(REFERENCE, {key: _portable(answer) for key, answer in found.items()})
    reference = load(REFERENCE)
    made = verdicts(engine, cases, found, reference)
    if "--write" in rest and engine != "spark" and not only:
        save(verdict_file(engine), made)
    counts: dict[str, int] = {}
    for case in cases:
        kind = made[case.id]["verdict"]
        counts[kind] = counts.get(kind, 0) + 1
        if kind == "differs" or (kind == "fails" and "--fails" in rest) or "--all" in rest:
            print(  # noqa: T201  # a script
                kind,
                case.id,
                f"\n    {engine}: {_shown(found[case.id])}\n    spark: {_shown(reference[case.id])}",
            )
    print(engine, len(cases), counts, f"{time.monotonic() - started:.0f} s")  # noqa: T201  # a script


def _portable(answer: dict[str, Any]) -> dict[str, Any]:
    """Leave out the text of errors: it names queries and lines."""
    return {"error": answer["error"]} if "error" in answer else answer


def _shown(answer: dict[str, Any]) -> str:
    return json.dumps(answer, ensure_ascii=False)[:700]


if __name__ == "__main__":
    main()
