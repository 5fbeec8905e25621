from __future__ import annotations

from collections.abc import Iterator

import pytest
from kindling_plugin_process.executor import ProcessExecutor
from scripted_works import Traces, make_executor

from kindling.hooks.executor import ExecutorSpec
from kindling.testing.executor_contract import ExecutorContract


class TestProcess(ExecutorContract):
    plugin = "kindling_plugin_process"
    capability = "executor:process"
    factory = "scripted_works:make_executor"

    @classmethod
    def make_executor(cls, spec: ExecutorSpec) -> ProcessExecutor:
        return make_executor(spec)

    @pytest.fixture
    def runner(self) -> Iterator[Traces]:
        """What the processes did, instead of a runner in this one."""
        return Traces()
