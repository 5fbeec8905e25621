"""One thing that a check found, and how it is shown. Not an exception: all findings are told together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from kindling.errors import Faults, KindlingError, PluginError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Finding(Struct, frozen=True, kw_only=True):
    """One finding.

    Attributes:
        code: Stable, `KDL-REG-2xx`; `kindling explain CODE` shows its page.
        what: What is wrong, in the author's own names.
        why: What was found and expected, or "".
        where: File of the wheel, with a line where there is one, or "".
        hint: An exact command or edit, or "".
        severity: `fail` keeps a plugin out of a registry, `warn` does not.
    """

    code: str
    what: str
    why: str = ""
    where: str = ""
    hint: str = ""
    severity: Literal["fail", "warn"] = "fail"

    def text(self) -> str:
        """Return the finding as errors are shown, with its severity before it."""
        error = PluginError(self.code, self.what, why=self.why, where=self.where, hint=self.hint)
        return f"{self.severity}  {error}"


def of_error(error: KindlingError, code: str) -> Iterator[Finding]:
    """Yield the findings in an error, or in several ones that were raised together.

    Args:
        error: What was raised.
        code: Code of the findings; the error's own one comes before its reason.
    """
    for fault in error.faults if isinstance(error, Faults) else (error,):
        yield Finding(
            code=code,
            what=fault.what,
            why=f"{fault.code}: {fault.why}" if fault.why else fault.code,
            where=fault.where,
            hint=fault.hint,
        )


def is_failed(findings: Iterable[Finding]) -> bool:
    """Tell whether a finding keeps the plugin out."""
    return any(finding.severity == "fail" for finding in findings)
