from __future__ import annotations

from kindling.testing.executor_contract import ExecutorContract


class TestThreads(ExecutorContract):
    plugin = "kindling_plugin_threads"
    capability = "executor:threads"
    factory = "kindling_plugin_threads.executor:ThreadsExecutor"
