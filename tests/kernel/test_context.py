from __future__ import annotations

from kindling.context import Context


def test_the_context_exposes_no_session() -> None:
    public = {name for name in vars(Context) if not name.startswith("_")}
    assert public == {"slice", "log", "frame", "setting", "secret"}


def test_what_a_pipe_gets_is_checked_by_its_shape() -> None:
    class Own:
        slice = log = None

        def frame(self) -> None: ...

        def setting(self) -> None: ...

        def secret(self) -> None: ...

    assert isinstance(Own(), Context)
    assert not isinstance(object(), Context)
