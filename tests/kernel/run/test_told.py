from __future__ import annotations

import sys

import pytest

from kindling.config.secrets import Redactor
from kindling.run.told import redacted_output


def test_what_is_printed_is_redacted_for_a_while(capsys: pytest.CaptureFixture[str]) -> None:
    redactor = Redactor()
    redactor.add("hunter2-hunter2")
    before = sys.stdout, sys.stderr
    with redacted_output(redactor.redact):
        print("login hunter2-hunter2", 7)  # noqa: T201  # what is tested
        print("x hunter2-hunter2", file=sys.stderr, flush=True)  # noqa: T201  # the same
        sys.stdout.writelines(["a\n", "hunter2-hunter2\n"])
        kept = sys.stdout
        assert sys.stdout.encoding == before[0].encoding
    assert (sys.stdout, sys.stderr) == before
    print("after", file=kept)  # the same
    found = capsys.readouterr()
    assert found.out == "login *** 7\na\n***\nafter\n"
    assert found.err == "x ***\n"


def test_a_stream_that_somebody_else_put_there_stays(capsys: pytest.CaptureFixture[str]) -> None:
    own = sys.stdout
    with redacted_output(str.upper):
        first = sys.stdout
        with redacted_output(str.upper):
            pass
        assert sys.stdout is first
        sys.stdout = own
        print("mine")  # noqa: T201  # the same
    assert sys.stdout is own
    assert capsys.readouterr().out == "mine\n"
