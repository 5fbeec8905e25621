from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from kindling_plugin_scratch.platforms import NamedPlatform
from workbench import Bench

import kindling as k
from kindling.config.settings import Settings
from kindling.errors import ConfigError
from kindling.hooks.platform import PlatformSpec, SessionSpec
from kindling.run.capabilities import Capabilities


@pytest.fixture
def capabilities(bench: Bench) -> Capabilities:
    file = bench.path / "vault.json"
    file.write_text(json.dumps({"db": "hunter2-hunter2"}))
    bench.use(k.App("shop"), secrets__vault__file=str(file))
    return Capabilities(bench.project, "r1")


def test_each_is_opened_once_whoever_asks(capabilities: Capabilities) -> None:
    found: list[object] = []
    threads = [
        threading.Thread(
            target=lambda: found.append((capabilities.platform("scratch"), capabilities.storage("scratch")))
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    capabilities.close()


def test_a_secret_is_hidden_from_the_moment_it_is_known(capabilities: Capabilities) -> None:
    assert capabilities.redactor.redact("hunter2-hunter2") == "hunter2-hunter2"
    secret = capabilities.secret("secret://vault/db")
    assert secret.reveal() == "hunter2-hunter2"
    assert capabilities.redactor.redact("x hunter2-hunter2") == "x ***"
    assert capabilities.secret_version("secret://vault/db") == secret.version


def test_a_secret_that_does_not_exist_is_told(capabilities: Capabilities) -> None:
    with pytest.raises(ConfigError) as caught:
        capabilities.secret("secret://vault/other")
    assert caught.value.code == "KDL-CONF-020"


def test_a_platform_gets_its_settings_with_secrets_resolved_and_a_folder_of_its_own(bench: Bench) -> None:
    seen: list[PlatformSpec] = []
    file = bench.path / "vault.json"
    file.write_text(json.dumps({"db": "hunter2-hunter2"}))
    bench.given["spark", "spark.password"] = "secret://vault/db"
    bench.given["platform", "scratch", "token"] = "secret://vault/db"
    bench.use(k.App("shop"), secrets__vault__file=str(file))
    offer = bench.project.loader.platform("scratch")

    class Watching:
        def platform(self, _name: str) -> object:
            def make(spec: PlatformSpec) -> object:
                seen.append(spec)
                return offer.factory(spec)

            return type(offer)("scratch", make)

        def __getattr__(self, name: str) -> object:
            return getattr(loader, name)

    loader, bench.project.loader = bench.project.loader, Watching()  # type: ignore[assignment]  # it watches the loader
    capabilities = Capabilities(bench.project, "r1")
    capabilities.platform("scratch")
    (spec,) = seen
    assert spec.engine_settings == {"spark.password": "hunter2-hunter2"}
    assert spec.settings == {"token": "hunter2-hunter2"}
    assert spec.environment == "dev"
    assert Path(spec.work_dir).is_dir()
    capabilities.close()
    assert not Path(spec.work_dir).exists()


def test_values_of_the_secrets_file_are_hidden_from_the_start(bench: Bench) -> None:
    bench.use(k.App("shop"))
    rows = [(("settings", "token"), "hunter2-hunter2", ".secrets.toml:1", True)]
    bench.project.settings = Settings(str(bench.path), "dev", rows)
    assert Capabilities(bench.project, "r1").redactor.redact("hunter2-hunter2") == "***"


def test_all_engines_are_stopped_even_if_one_cannot_be(capabilities: Capabilities) -> None:
    moody, sound = capabilities.platform("moody"), capabilities.platform("scratch")
    assert isinstance(sound, NamedPlatform)
    sound.open_session(SessionSpec("t"))
    assert sound.is_healthy()
    with pytest.raises(OSError, match="the engine would not stop"):
        capabilities.close()
    assert not sound.is_healthy()
    assert not moody.is_healthy()
    capabilities.close()
