from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable

import pytest

import kindling as k
from kindling.errors import DeclarationError, UsageError
from kindling.frames import FrameApi, active_frames, with_frames


class Recorder:
    """Answers every call with a text of it, so that what reached the engine can be compared."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __getattr__(self, name: str) -> Recorder:
        return Recorder(f"{self._text}.{name}" if self._text else name)

    def __call__(self, *args: object) -> Recorder:
        return Recorder(f"{self._text}({', '.join(str(item) for item in args)})")

    def __eq__(self, other: object) -> bool:
        return Recorder(f"{self._text}=={other}")  # type: ignore[return-value]  # as columns do

    def __hash__(self) -> int:
        return hash(self._text)

    def __str__(self) -> str:
        return self._text


FRAMES = FrameApi(functions=Recorder("F"), window=Recorder("W"), types=Recorder("t"))


def no_task(used: str) -> str:
    return (
        f"KDL-USE-010: '{used}' was used while no task runs\n"
        "  why: frames and columns exist only inside of a running pipe; a thread that a pipe starts and code "
        "at module level have none\n"
        "  do: move it into the pipe's function, or test the pipe with kindling.testing.run_pipe "
        "(pytest fixture 'kindling_run')"
    )


@pytest.mark.parametrize(
    ("use", "used"),
    [
        (lambda: k.F.col("a"), "k.F.col"),
        (lambda: k.Window.partitionBy("a"), "k.Window.partitionBy"),
        (lambda: k.types.StringType(), "k.types.StringType"),  # noqa: PLW0108  # not at import
        (lambda: k.dedupe(None, on=["a"], order_by=["b"]), "k.Window.partitionBy"),  # type: ignore[arg-type]  # not reached
    ],
)
def test_outside_of_a_run_the_error_says_what_to_do(use: Callable[[], object], used: str) -> None:
    with pytest.raises(UsageError) as error:
        use()
    assert str(error.value) == no_task(used)


def test_while_a_task_runs_the_names_lead_to_its_engine() -> None:
    assert str(with_frames(FRAMES, lambda: k.F.col("a"))) == "F.col(a)"
    assert str(with_frames(FRAMES, lambda: k.Window.orderBy("a"))) == "W.orderBy(a)"
    assert str(with_frames(FRAMES, lambda: k.types.LongType())) == "t.LongType()"  # noqa: PLW0108  # inside of the task


def test_afterwards_they_lead_nowhere_again_even_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError):
        with_frames(FRAMES, lambda: 1 / 0)
    with pytest.raises(UsageError):
        active_frames("k.F.col")


def test_a_task_inside_of_a_task_has_its_own_engine() -> None:
    other = FRAMES.replace(functions=Recorder("G"))

    def outer() -> list[str]:
        inner = with_frames(other, lambda: str(k.F.col("a")))
        return [inner, str(k.F.col("a"))]

    assert with_frames(FRAMES, outer) == ["G.col(a)", "F.col(a)"]


def test_a_thread_that_a_pipe_starts_has_no_engine_and_is_told_so() -> None:
    told: list[str] = []

    def body() -> None:
        try:
            k.F.col("a")
        except UsageError as error:
            told.append(str(error))

    def pipe() -> None:
        thread = threading.Thread(target=body)
        thread.start()
        thread.join()

    with_frames(FRAMES, pipe)
    assert told == [no_task("k.F.col")]


def test_threads_that_run_tasks_do_not_see_each_other() -> None:
    both = threading.Barrier(2)
    seen: dict[str, str] = {}

    def run(name: str) -> None:
        def pipe() -> str:
            both.wait(10)
            return str(k.F.col("a"))

        seen[name] = with_frames(FRAMES.replace(functions=Recorder(name)), pipe)

    threads = [threading.Thread(target=run, args=(name,)) for name in ("A", "B")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"A": "A.col(a)", "B": "B.col(a)"}


def test_probes_of_tools_are_no_use_of_an_engine() -> None:
    for proxy, name in ((k.F, "k.F"), (k.Window, "k.Window"), (k.types, "k.types")):
        assert repr(proxy) == f"<{name}>"
        assert not hasattr(proxy, "__wrapped__")
        assert not hasattr(proxy, "__deepcopy__")
        for again in (copy.copy(proxy), copy.deepcopy(proxy), pickle.loads(pickle.dumps(proxy))):  # noqa: S301  # its own bytes
            assert repr(again) == f"<{name}>"


def test_dedupe_keeps_the_first_row_of_each_key() -> None:
    def dedupe() -> object:
        return k.dedupe(Recorder("df"), on=["a", "b"], order_by=["t desc", "id", "x ASC"])  # type: ignore[arg-type]  # a recorder

    assert str(with_frames(FRAMES, dedupe)) == (
        "df.withColumn(_kindling_row, F.row_number().over(W.partitionBy(a, b).orderBy("
        "F.col(t).desc_nulls_last(), F.col(id).asc_nulls_first(), F.col(x).asc_nulls_first())))"
        ".where(F.col(_kindling_row)==1).drop(_kindling_row)"
    )


@pytest.mark.parametrize(("on", "order_by"), [("a", ["b"]), (["a"], "b"), ([], ["b"]), (["a"], [])])
def test_dedupe_needs_lists_of_columns(on: list[str], order_by: list[str]) -> None:
    with pytest.raises(DeclarationError) as error:
        k.dedupe(None, on=on, order_by=order_by)  # type: ignore[arg-type]  # not reached
    assert str(error.value) == (
        "KDL-DECL-025: dedupe needs lists of columns for 'on' and 'order_by'\n  do: on=['id']"
    )


@pytest.mark.parametrize("order", ["", "a b", "a desc nulls first", "a descending"])
def test_an_order_that_is_not_understood_is_refused(order: str) -> None:
    with pytest.raises(DeclarationError) as error:
        with_frames(FRAMES, lambda: k.dedupe(Recorder("df"), on=["a"], order_by=[order]))  # type: ignore[arg-type]  # a recorder
    assert str(error.value) == (
        f"KDL-DECL-026: dedupe(order_by=[{order!r}]) is not understood\n  do: write 'column' or 'column desc'"
    )
