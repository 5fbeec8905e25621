"""The run's structured log: JSON lines in the run's folder, every line redacted. Not the events."""

from __future__ import annotations

import json
import traceback
from datetime import datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from kindling.hooks.executor import TaskSpec


class RunLog:
    """Appends JSON lines to `log.jsonl`: one `write` per line, so that threads never mix lines.

    Implements `kindling.context.Log`.
    """

    def __init__(self, path: str, redact: Callable[[str], str], bound: dict[str, object]) -> None:
        self._path = path
        self._redact = redact
        self._bound = bound

    def info(self, event: str, **fields: object) -> None:
        """Log one line."""
        self._write("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Log one line that a person should look at."""
        self._write("warning", event, fields)

    def error(self, event: str, error: BaseException) -> None:
        """Log an exception with its whole traceback."""
        text = "".join(traceback.format_exception(error))
        self._write("error", event, {"traceback": text})

    def _write(self, level: str, event: str, fields: dict[str, object]) -> None:
        moment = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        line = {"at": moment, "level": level, "event": event, **self._bound, **fields}
        text = self._redact(json.dumps(line, default=str, ensure_ascii=False))
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(text + "\n")


def open_log(run_dir: str, redact: Callable[[str], str], spec: TaskSpec) -> RunLog:
    """Return the log of a task; the folder exists, the file is made with the first line."""
    bound: dict[str, object] = {"run_id": spec.run_id, "task": spec.key, "attempt": spec.attempt}
    return RunLog(f"{run_dir}/log.jsonl", redact, bound)
