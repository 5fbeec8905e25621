from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from workbench import Bench

import kindling as k
from kindling.run.sqlite import SqliteState
from kindling.run.states import open_state
from kindling.testing.memory_state import MemoryState


def test_the_kernels_own_state_is_the_default(bench: Bench) -> None:
    bench.use(k.App("shop"))
    state = open_state(bench.project)
    assert isinstance(state, SqliteState)
    state.close()


def test_another_state_comes_from_its_plugin(bench: Bench) -> None:
    bench.use(k.App("shop"), state__default="memory")
    assert isinstance(open_state(bench.project), MemoryState)


def test_a_state_may_resolve_secrets(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "vault.json"
    file.write_text('{"db/password": "hunter2-hunter2"}')
    bench.given["secrets", "vault", "file"] = str(file)
    bench.use(k.App("shop"), state__default="mine", state__mine={"credential": "secret://vault/db/password"})
    real = bench.project.loader
    bench.project.loader = SimpleNamespace(  # type: ignore[assignment]  # a state that shows what it gets
        state=lambda _name: SimpleNamespace(factory=lambda spec: spec), secrets=real.secrets
    )
    spec = open_state(bench.project)
    assert spec.secret(spec.settings["credential"]) == "hunter2-hunter2"  # type: ignore[attr-defined]  # the spec itself
