"""What this plugin offers: the executor `process`. No implementation."""

from __future__ import annotations

from kindling.hooks import hookimpl
from kindling.hooks.executor import Executor, ExecutorOffer, ExecutorSpec


def open_executor(spec: ExecutorSpec) -> Executor:
    """Return an executor that runs at most `spec.slots` tasks at once, each in its own process."""
    from kindling_plugin_process.executor import ProcessExecutor

    return ProcessExecutor(spec)


@hookimpl
def kindling_executor_offers() -> tuple[ExecutorOffer, ...]:
    """Offer `process`."""
    return (ExecutorOffer("process", open_executor),)
