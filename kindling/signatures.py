"""What type checkers know about `App.pipe`: one overload per number of inputs. Never imported to run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol, TypeVar, Unpack, overload

from kindling.context import Context
from kindling.entity import Entity
from kindling.pipe import NamedPipeOptions, Pipe


class FrameLike(Protocol):
    """Any frame class: PySpark's, sqlframe's, or another with its shape."""

    @property
    def columns(self) -> list[str]:
        """The column names."""
        ...

    def count(self) -> int:
        """The number of rows."""
        ...


R_co = TypeVar("R_co", bound=FrameLike, covariant=True)
D1 = TypeVar("D1", bound=FrameLike)
D2 = TypeVar("D2", bound=FrameLike)
D3 = TypeVar("D3", bound=FrameLike)
D4 = TypeVar("D4", bound=FrameLike)
D5 = TypeVar("D5", bound=FrameLike)
D6 = TypeVar("D6", bound=FrameLike)


class PipeDecorators:
    """The decorator `App.pipe`.

    Inputs are the handles of what the function takes, in the order of its parameters. With
    `context=True` the function takes a `Context` first. Keyword options: `name` (default: the
    function's), `write` (a write intent, default `k.overwrite()`), `incremental`, `expect` (condition
    of a good row by name), `on_fail` (`warn`, `drop`, `quarantine`, `fail`), `schema`, `classify`, `storage`,
    `tags`, `drift` (`fail`, `warn`, `evolve`), `partition_by`, `timeout_s`, `retries`, `version`, `platform`.
    """

    @overload
    def pipe(
        self,
        *,
        context: Literal[False] = False,
        **options: Unpack[NamedPipeOptions],
    ) -> Callable[[Callable[[], R_co]], Pipe[[]]]: ...

    @overload
    def pipe(
        self,
        e1: Entity,
        /,
        *,
        context: Literal[False] = False,
        **options: Unpack[NamedPipeOptions],
    ) -> Callable[[Callable[[D1], R_co]], Pipe[[D1]]]: ...

    @overload
    def pipe(
        self,
        e1: Entity,
        e2: Entity,
        /,
        *,
        context: Literal[False] = False,
        **options: Unpack[NamedPipeOptions],
    ) -> Callable[[Callable[[D1, D2], R_co]], Pipe[[D1, D2]]]: ...

    @overload
    def pipe(
        self,
        e1: Entity,
        e2: Entity,
        e3: Entity,
        /,
        *,
        context: Literal[False] = False,
        **options: Unpack[NamedPipeOptions],
    ) -> Callable[[Callable[[D1, D2, D3], R_co]], Pipe[[D1, D2, D3]]]: ...

    @overload
    def pipe(
        self,
        e1: Entity,
        e2: Entity,
        e3: Entity,
        e4: Entity,
        /,
        *,
        context: Literal[False] = False,
        **options: Unpack[NamedPipeOptions],
    ) -> Callable[[Callable[[D1, D2, D3, D4], R_co]], Pipe[[D1, D2, D3, D4]]]: ...

    @overload
    def pipe(
        self,
        e1: Entity,
        e2: Entity,
        e3: Entity,
        e4: Entity,
        e5: Entity,
        /,
        *,
        context: Literal[False] = False,
        **options: Unpack[NamedPipeOptions],
    ) -> Callable[[Callable[[D1, D2, D3, D4, D5], R_co]], Pipe[[D1, D2, D3, D4, D5]]]: ...

    @overload
    def pipe(
        self,
        e1: Entity,
        e2: Entity,
        e3: Entity,
        e4: Entity,
        e5: Entity,
        e6: Entity,
        /,
        *,
        context: Literal[False] = False,
        **options: Unpack[NamedPipeOptions],
    ) -> Callable[[Callable[[D1, D2, D3, D4, D5, D6], R_co]], Pipe[[D1, D2, D3, D4, D5, D6]]]: ...

    @overload
    def pipe(
        self,
        *,
        context: Literal[True],
        **options: Unpack[NamedPipeOptions],
    ) -> Callable[[Callable[[Context], R_co]], Pipe[[Context]]]: ...

    @overload
    def pipe(
        self,
        e1: Entity,
        /,
        *,
        context: Literal[True],
        **options: Unpack[NamedPipeOptions],
    ) -> Callable[[Callable[[Context, D1], R_co]], Pipe[[Context, D1]]]: ...

    @overload
    def pipe(
        self,
        e1: Entity,
        e2: Entity,
        /,
        *,
        context: Literal[True],
        **options: Unpack[NamedPipeOptions],
    ) -> Callable[[Callable[[Context, D1, D2], R_co]], Pipe[[Context, D1, D2]]]: ...

    @overload
    def pipe(
        self,
        e1: Entity,
        e2: Entity,
        e3: Entity,
        /,
        *,
        context: Literal[True],
        **options: Unpack[NamedPipeOptions],
    ) -> Callable[[Callable[[Context, D1, D2, D3], R_co]], Pipe[[Context, D1, D2, D3]]]: ...

    @overload
    def pipe(
        self,
        e1: Entity,
        e2: Entity,
        e3: Entity,
        e4: Entity,
        /,
        *,
        context: Literal[True],
        **options: Unpack[NamedPipeOptions],
    ) -> Callable[[Callable[[Context, D1, D2, D3, D4], R_co]], Pipe[[Context, D1, D2, D3, D4]]]: ...

    @overload
    def pipe(
        self,
        e1: Entity,
        e2: Entity,
        e3: Entity,
        e4: Entity,
        e5: Entity,
        /,
        *,
        context: Literal[True],
        **options: Unpack[NamedPipeOptions],
    ) -> Callable[[Callable[[Context, D1, D2, D3, D4, D5], R_co]], Pipe[[Context, D1, D2, D3, D4, D5]]]: ...

    @overload
    def pipe(
        self,
        e1: Entity,
        e2: Entity,
        e3: Entity,
        e4: Entity,
        e5: Entity,
        e6: Entity,
        /,
        *,
        context: Literal[True],
        **options: Unpack[NamedPipeOptions],
    ) -> Callable[
        [Callable[[Context, D1, D2, D3, D4, D5, D6], R_co]], Pipe[[Context, D1, D2, D3, D4, D5, D6]]
    ]: ...

    @overload
    def pipe(
        self, *inputs: Entity, context: bool = False, **options: Unpack[NamedPipeOptions]
    ) -> Callable[[Callable[..., R_co]], Pipe[...]]: ...

    def pipe(self, *_inputs: Entity, **_options: object) -> Callable[[Callable[..., R_co]], Pipe[...]]:
        """Declare a pipe; the decorated function stays callable and is a handle as well."""
        raise AssertionError  # this module is for type checkers, `App.pipe` is the code
