"""One line of `kindling doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kindling.errors import KindlingError

OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found.

    Attributes:
        name: What was looked at.
        status: `ok`, `warn` or `fail`.
        text: What was found.
        fix: An exact command or edit; "" for `ok`.
        exit_code: What a failure makes of the command's exit code.
    """

    name: str
    status: str
    text: str
    fix: str = ""
    exit_code: int = 0

    def to_plain(self) -> dict[str, object]:
        """Return the finding as JSON types."""
        return {"name": self.name, "status": self.status, "text": self.text, "fix": self.fix}


def of_error(name: str, status: str, error: KindlingError) -> Finding:
    """Return the finding that an error is."""
    faults = getattr(error, "faults", ())
    first: KindlingError = faults[0] if faults else error
    where = f" ({first.where})" if first.where else ""
    why = f": {first.why}" if first.why else ""
    text = f"{first.code}: {first.what}{why}{where}"
    code = error.exit_code if status == FAIL else 0
    return Finding(name, status, text, first.hint or f"kindling explain {first.code}", code)
