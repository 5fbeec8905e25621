"""Find the line of the user's own code in a traceback. It formats nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

_STDLIB = os.path.dirname(os.__file__) + os.sep
_KERNEL = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def user_place(error: BaseException, roots: tuple[str, ...]) -> tuple[str, bool]:
    """Return (`file:line` of the innermost frame of the app's code, whether the error is its own).

    An error is the code's own when its innermost frame lies in the app, or in the standard library or
    the kernel that it called; one of an installed library (an engine) is not.

    Args:
        error: What was raised.
        roots: Folders of the app's code.
    """
    place, last = "", ""
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        last = trace.tb_frame.f_code.co_filename
        if _is_own(last, roots):
            relative = os.path.relpath(last)
            place = f"{last if relative.startswith('..') else relative}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place, bool(place) and (_is_own(last, roots) or _is_called(last))


def _is_own(path: str, roots: tuple[str, ...]) -> bool:
    return "-packages" not in path and any(path.startswith(root + os.sep) for root in roots)


def _is_called(path: str) -> bool:
    """Tell whether a file belongs to what the app's code calls without any engine."""
    if path.startswith((_KERNEL, "<")):  # `<frozen importlib...>`, `<string>`: no installed library
        return True
    return path.startswith(_STDLIB) and "-packages" not in path
