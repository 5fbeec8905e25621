"""The run's structured log: JSON lines in the run's folder, every line redacted. Not the events."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import structlog

    from kindling.hooks.executor import TaskSpec


class _Appender:
    """Appends each line with one `write`, so that threads and processes never mix lines."""

    def __init__(self, path: str, redact: Callable[[str], str]) -> None:
        self._path = path
        self._redact = redact

    def msg(self, line: str) -> None:
        with open(self._path, "a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(self._redact(line) + "\n")

    info = warning = error = debug = msg


class RunLog:
    """A logger that appends to a file; keys of a line: at, level, event, what is bound, fields.

    Implements `kindling.context.Log`. structlog, which takes 0.1 s to import, is loaded with the first
    line: most tasks log none.

    Args:
        path: The file; made with the first line.
        redact: Applied to each whole line.
        bound: Fields of every line.
    """

    __slots__ = ("_bound", "_logger", "_path", "_redact")

    def __init__(self, path: str, redact: Callable[[str], str], bound: dict[str, object]) -> None:
        self._path = path
        self._redact = redact
        self._bound = bound
        self._logger: structlog.stdlib.BoundLogger | None = None

    def info(self, event: str, **fields: object) -> None:
        """Log one line."""
        self._open().info(event, **fields)

    def warning(self, event: str, **fields: object) -> None:
        """Log one line that a person should look at."""
        self._open().warning(event, **fields)

    def error(self, event: str, **fields: object) -> None:
        """Log one line about a failure; `exc_info` takes the exception, its traceback is kept."""
        self._open().error(event, **fields)

    def _open(self) -> structlog.stdlib.BoundLogger:
        if self._logger is None:
            import structlog

            logger: structlog.stdlib.BoundLogger = structlog.wrap_logger(
                _Appender(self._path, self._redact),
                processors=[
                    structlog.processors.add_log_level,
                    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
                    structlog.processors.format_exc_info,
                    structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
                ],
                wrapper_class=structlog.make_filtering_bound_logger(0),
                context_class=dict,
            )
            self._logger = logger.bind(**self._bound)
        return self._logger


def make_log(path: str, redact: Callable[[str], str], **bound: object) -> RunLog:
    """Return a logger that appends to a file; see `RunLog`."""
    return RunLog(path, redact, bound)


def open_log(run_dir: str, redact: Callable[[str], str], spec: TaskSpec) -> RunLog:
    """Return the log of a task."""
    path = f"{run_dir}/log.jsonl"
    return make_log(path, redact, run_id=spec.run_id, task=spec.key, attempt=spec.attempt)
