"""Rows of sources that could not be read: how they are told, and where samples of them are kept."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from kindling.hooks.storage import BadRows


def bad_row_metrics(found: Mapping[str, BadRows]) -> dict[str, int]:
    """Return the metric `rows_unreadable`, or {} for none."""
    total = sum(rows.count for rows in found.values())
    return {"rows_unreadable": total} if total else {}


def bad_row_warnings(found: Mapping[str, BadRows], kept: Collection[str] = ()) -> tuple[str, ...]:
    """Return one sentence for each source.

    Args:
        found: Unreadable rows by source.
        kept: Sources of which samples were written.
    """
    return tuple(
        f"{rows.count} unreadable rows of {name!r} were left out"
        + (f", for example {rows.samples[0][0]}" if rows.samples else "")
        + (f"; samples are in the run's folder, bad_rows/{name}.jsonl" if name in kept else "")
        for name, rows in found.items()
    )


def without_texts(found: BadRows) -> BadRows:
    """Return the places alone of rows of a source with classified columns."""
    left_out = "left out: the source has classified columns"
    return replace(found, samples=tuple((place, left_out, "") for place, _, _ in found.samples))


def write_bad_rows(run_dir: str, entity: str, found: BadRows, redact: Callable[[str], str]) -> str:
    """Write `bad_rows/<entity>.jsonl`, one line `{"place", "text", "why"}` for each sample; return its path.

    Effects: replaces the file at once, so that tasks which read one source at a time do not mix lines.
    """
    folder = f"{run_dir}/bad_rows"
    os.makedirs(folder, exist_ok=True)
    path = f"{folder}/{entity}.jsonl"
    lines = [
        json.dumps({"place": place, "text": text, "why": why}, ensure_ascii=False)
        for place, text, why in found.samples
    ]
    scratch = f"{path}.{os.getpid()}-{os.urandom(4).hex()}"
    with open(scratch, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.writelines(f"{redact(line)}\n" for line in lines)
    os.replace(scratch, path)
    return path
