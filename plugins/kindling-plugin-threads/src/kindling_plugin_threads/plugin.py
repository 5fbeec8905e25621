"""What this plugin offers: the executor `threads`. No implementation."""

from __future__ import annotations

from kindling.hooks import hookimpl
from kindling.hooks.executor import Executor, ExecutorOffer, ExecutorSpec


def open_executor(spec: ExecutorSpec) -> Executor:
    """Return an executor that runs at most `spec.slots` tasks at once."""
    from kindling_plugin_threads.executor import ThreadsExecutor

    return ThreadsExecutor(spec)


@hookimpl
def kindling_executor_offers() -> tuple[ExecutorOffer, ...]:
    """Offer `threads`."""
    return (ExecutorOffer("threads", open_executor),)
