"""Whole runs through the command: a pipe reads a secret of the vault, which is rotated between two runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
from deltalake import DeltaTable
from openbao import OpenBao

pytestmark = pytest.mark.timeout(240)
FIRST, SECOND = "canary-first-9d41", "canary-second-9d41"
APP = """
from __future__ import annotations
import hashlib
import kindling as k

app = k.App("shop")


@app.pipe(name="silver.keyed", context=True)
def keyed(context: k.Context) -> k.DataFrame:
    value = context.secret("secret://vault/team/db#password").reveal()
    context.log.info("the password is " + value)
    print("the password is", value)
    return context.frame([(hashlib.sha256(value.encode()).hexdigest(),)], "digest string")


@app.pipe(name="silver.other", context=True)
def other(context: k.Context) -> k.DataFrame:
    return context.frame([(1,)], "n int")
"""
LEAK = """

@app.pipe(name="silver.leak", context=True)
def leak(context: k.Context) -> k.DataFrame:
    raise ValueError(context.secret("secret://vault/team/db#password").reveal())
"""


@pytest.fixture
def project(bao: OpenBao, mount: str, name: str, tmp_path: Path) -> Path:
    policy = bao.policy(f"run-{name}", f"{mount}/data/team/* read", f"{mount}/metadata/team/* read")
    role, secret = bao.approle(f"role-{name}", token_policies=policy)
    (tmp_path / "role").write_text(role)
    (tmp_path / "secret").write_text(secret)
    (tmp_path / "kindling.toml").write_text(
        f"""
app = "shop:app"
platform.default = "duckdb"
run.retries = 0
[secrets.vault]
address = "{bao.address}"
mount = "{mount}"
auth = "approle"
auth_mount = "role-{name}"
role_id_file = "{tmp_path}/role"
secret_id_file = "{tmp_path}/secret"
timeout_s = 10
"""
    )
    (tmp_path / "shop.py").write_text(APP)
    return tmp_path


def run(project: Path, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "kindling", "run"],
        cwd=project,
        env={**os.environ, "CI": "true"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr


def version(project: Path, name: str) -> int:
    return int(DeltaTable(str(project / "lake" / "dev" / "silver" / name)).version())


def digests(project: Path) -> list[object]:
    return (
        DeltaTable(str(project / "lake" / "dev" / "silver" / "keyed"))
        .to_pyarrow_table()["digest"]
        .to_pylist()
    )


def test_a_rotated_secret_runs_its_pipe_again_and_nothing_else(
    bao: OpenBao, mount: str, name: str, project: Path
) -> None:
    bao.put(mount, "team/db", {"password": FIRST})
    shown = run(project)
    assert digests(project) == [sha256(FIRST.encode()).hexdigest()]
    logins = bao.asked(f"auth/role-{name}/login", "update")
    assert logins == 2, "one for plans and records, one for tasks: README.md says so"
    made = [version(project, name) for name in ("keyed", "other")]

    reads = bao.asked(f"{mount}/data/team/db")
    shown += run(project)
    assert [version(project, name) for name in ("keyed", "other")] == made
    assert bao.asked(f"{mount}/data/team/db") == reads  # an unchanged run reads no value

    bao.put(mount, "team/db", {"password": SECOND})
    (project / "shop.py").write_text(APP + LEAK)
    shown += run(project, code=1)
    assert "silver.leak" in shown
    assert digests(project) == [sha256(SECOND.encode()).hexdigest()]
    assert version(project, "keyed") > made[0]
    assert version(project, "other") == made[1]
    files = [path for path in project.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    kept = b"\n".join(path.read_bytes() for path in files if path.name not in ("role", "secret"))
    for canary in (FIRST, SECOND, *((project / name).read_text() for name in ("role", "secret"))):
        assert canary not in shown
        assert canary.encode() not in kept


def test_a_run_outlives_a_sealed_vault(own_bao: OpenBao, tmp_path: Path) -> None:
    own_bao.mount("secret")
    own_bao.put("secret", "team/db", {"password": FIRST})
    settings = f'address = "{own_bao.address}"\ntoken_file = "{tmp_path}/token"\ntimeout_s = 1'
    (tmp_path / "token").write_text(own_bao.root)
    (tmp_path / "kindling.toml").write_text(
        f'app = "shop:app"\nplatform.default = "duckdb"\nrun.retries = 50\n[secrets.vault]\n{settings}\n'
    )
    (tmp_path / "shop.py").write_text(APP)
    own_bao.seal()
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(run, tmp_path)
        while not any(
            "KDL-CONF-305" in log.read_text() for log in tmp_path.glob(".kindling/runs/*/log.jsonl")
        ):
            assert not done.done(), done.result()
            time.sleep(0.1)
        own_bao.unseal()
        done.result()
    assert len(digests(tmp_path)) == 1


def test_a_missing_secret_fails_its_task_alone(bao: OpenBao, mount: str, project: Path) -> None:
    shown = run(project, code=2)
    assert "KDL-CONF-020: there is no secret 'secret://vault/team/db'" in shown
    assert version(project, "other") >= 0
