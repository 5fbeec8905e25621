"""Find the line of the user's own code in a traceback. It formats nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

_KERNEL = os.path.dirname(os.path.dirname(__file__)) + os.sep


def user_place(error: BaseException, project: str) -> tuple[str, bool]:
    """Return (`file:line` of the innermost frame of the project's code, whether the error is its own).

    An error is the code's own when no frame of an installed library of the engine raised it: the
    innermost frame lies in the project, in the standard library or in a file outside of site-packages.
    """
    place, last = "", ""
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        last = trace.tb_frame.f_code.co_filename
        is_user = not last.startswith((_KERNEL, "<")) and "site-packages" not in last
        if is_user and (last.startswith(project) or not _is_library(last)):
            relative = os.path.relpath(last)
            place = f"{last if relative.startswith('..') else relative}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place, bool(place) and "site-packages" not in last


def _is_library(path: str) -> bool:
    return path.startswith(os.path.dirname(os.__file__))
