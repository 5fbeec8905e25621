from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kindling.run.scratch import PREFIX, Scratch

OWNER = """
import sys, time
from kindling.run.scratch import Scratch

scratch = Scratch("run-of-another", sys.argv[1])
print(scratch.path, flush=True)
time.sleep(600)
"""


def owner(folder: Path) -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen([sys.executable, "-c", OWNER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_it_is_there_until_it_is_closed(tmp_path: Path) -> None:
    scratch = Scratch("20260101-r1", str(tmp_path))
    path = Path(scratch.path)
    assert path.name.startswith(f"{PREFIX}60101-r1-")
    (path / "data").write_text("x")
    scratch.close()
    scratch.close()
    assert not path.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="nothing is locked there")
def test_what_a_killed_run_left_is_removed_by_the_next_one_and_what_lives_stays(tmp_path: Path) -> None:
    process, left = owner(tmp_path)
    (left / "data").write_text("x")
    Scratch("second", str(tmp_path)).close()
    assert (left / "data").exists()
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert left.exists()
    scratch = Scratch("third", str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [Path(scratch.path).name]
    scratch.close()


def test_folders_without_a_lock_and_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / f"{PREFIX}mine").mkdir()
    (tmp_path / "something").mkdir()
    Scratch("second", str(tmp_path)).close()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{PREFIX}mine", "something"]
