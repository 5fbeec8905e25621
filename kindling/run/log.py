"""The run's structured log: JSON lines in the run's folder, every line redacted. Not the events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from kindling.hooks.executor import TaskSpec

    Entry = MutableMapping[str, object]


class _Appender:
    """Appends each line with one `write`, so that threads and processes never mix lines."""

    def __init__(self, path: str, redact: Callable[[str], str]) -> None:
        self._path = path
        self._redact = redact

    def msg(self, line: str) -> None:
        with open(self._path, "a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(self._redact(line) + "\n")

    info = warning = error = debug = msg


def make_log(path: str, redact: Callable[[str], str], **bound: object) -> structlog.stdlib.BoundLogger:
    """Return a logger that appends to a file; keys of a line: at, level, event, what is bound, fields.

    It implements `kindling.context.Log`.

    Args:
        path: The file; made with the first line.
        redact: Applied to each whole line.
        **bound: Fields of every line.
    """
    logger: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        _Appender(path, redact),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(0),
        context_class=dict,
    )
    return logger.bind(**bound)


def open_log(run_dir: str, redact: Callable[[str], str], spec: TaskSpec) -> structlog.stdlib.BoundLogger:
    """Return the log of a task."""
    path = f"{run_dir}/log.jsonl"
    return make_log(path, redact, run_id=spec.run_id, task=spec.key, attempt=spec.attempt)
