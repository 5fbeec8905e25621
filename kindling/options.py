"""Checks of what one pipe's declaration gives: options, expectations, parameters. It declares nothing.

Faults are added to a list and a usable value is returned in place of a wrong one, so that one look at an
app finds everything.
"""

from __future__ import annotations

from collections.abc import Mapping

from kindling.entity import StorageChoice
from kindling.errors import DeclarationError
from kindling.intents import Incremental, Intent
from kindling.names import did_you_mean
from kindling.pipe import DRIFT, ON_FAIL, Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kindling.entity import Entity, Place

_DEFAULTS: dict[str, object] = {
    "name": "",
    "write": Intent("overwrite"),
    "incremental": None,
    "expect": {},
    "on_fail": "warn",
    "schema": None,
    "classify": None,
    "storage": None,
    "tags": (),
    "drift": "fail",
    "partition_by": (),
    "timeout_s": None,
    "retries": None,
    "version": "",
    "platform": "",
}
_TYPES: dict[str, tuple[type, ...]] = {
    "name": (str,),
    "write": (Intent,),
    "incremental": (Incremental, type(None)),
    "expect": (Mapping,),
    "on_fail": (str,),
    "classify": (Mapping, type(None)),
    "storage": (StorageChoice, type(None)),
    "drift": (str,),
    "timeout_s": (int, float, type(None)),
    "retries": (int, type(None)),
    "version": (str,),
    "platform": (str,),
}
_TAKES_ANY_NUMBER = 0x04
"""The flag of code objects with `*args`. Source: Python's `inspect.CO_VARARGS`."""


class PipeChecks:
    """The checks of one declaration.

    Args:
        pipe: The pipe's name, for messages.
        place: Where it is declared.
        faults: Where faults are added.
    """

    def __init__(self, pipe: str, place: Place, faults: list[DeclarationError]) -> None:
        self._pipe = pipe
        self._place = place
        self._faults = faults

    def settle(self, options: Mapping[str, object], storage: StorageChoice) -> dict[str, object]:
        """Check keyword arguments and fill in the defaults, the app's storage among them."""
        settled = dict(_DEFAULTS, storage=storage)
        for key, value in options.items():
            if key not in _DEFAULTS:
                what = f"the pipe {self._pipe!r} has an unknown option {key!r}"
                self._fault("KDL-DECL-034", what, why=did_you_mean(key, _DEFAULTS))
            elif key in _TYPES and not isinstance(value, _TYPES[key]):
                expected = " or ".join(kind.__name__ for kind in _TYPES[key])
                what = f"the option {key!r} of the pipe {self._pipe!r} is {value!r}"
                self._fault("KDL-DECL-035", what, why=f"expected {expected}")
            elif not (key == "storage" and value is None):
                settled[key] = value
        self._check_words(settled)
        self._check_lists(settled)
        self._check_numbers(settled)
        return settled

    def _check_words(self, settled: dict[str, object]) -> None:
        for key, known in (("on_fail", ON_FAIL), ("drift", DRIFT)):
            if settled[key] not in known:
                what = f"{key}={settled[key]!r} of the pipe {self._pipe!r} is unknown"
                self._fault("KDL-DECL-036", what, why=did_you_mean(str(settled[key]), known))
                settled[key] = _DEFAULTS[key]

    def _check_lists(self, settled: dict[str, object]) -> None:
        for key in ("tags", "partition_by"):
            if isinstance(settled[key], str):
                what = f"{key} of the pipe {self._pipe!r} is the text {settled[key]!r}"
                self._fault("KDL-DECL-037", what, hint=f"write {key}=[{settled[key]!r}]")
                settled[key] = ()

    def _check_numbers(self, settled: dict[str, object]) -> None:
        for key, least in (("timeout_s", "more than 0"), ("retries", "0 or more")):
            value = settled[key]
            if isinstance(value, (int, float)) and (value < 0 or (key == "timeout_s" and value == 0)):
                what = f"the option {key!r} of the pipe {self._pipe!r} is {value!r}"
                self._fault("KDL-DECL-035", what, why=f"expected {least}")
                settled[key] = None

    def rules(self, settled: Mapping[str, object]) -> dict[str, Rule]:
        """Return the expectations by name, each with its consequence."""
        rules = {}
        expect: Mapping[str, object] = settled["expect"]  # type: ignore[assignment]  # settle checked it
        for label, given in expect.items():
            made = Rule(given) if isinstance(given, str) else given
            if not isinstance(made, Rule) or (made.on_fail and made.on_fail not in ON_FAIL):
                why = f"expected a condition, or k.rule(condition, on_fail=...) with {', '.join(ON_FAIL)}"
                what = f"the expectation {label!r} of the pipe {self._pipe!r} is {given!r}"
                self._fault("KDL-DECL-038", what, why=why)
                continue
            rules[label] = made if made.on_fail else Rule(made.condition, str(settled["on_fail"]))
        return rules

    def placeholders(self, inputs: object) -> dict[str, Entity]:
        """Return the inputs of an SQL text by placeholder."""
        if isinstance(inputs, Mapping):
            return dict(inputs)
        self._fault(
            "KDL-DECL-032",
            f"the inputs of the SQL pipe {self._pipe!r} are {inputs!r}",
            why="expected handles by placeholder",
            hint='write inputs={"flights": flights} and {flights} in the text',
        )
        return {}

    def parameters(self, function: object, inputs: int, *, context: bool) -> None:
        """Compare the number of inputs with what the function takes, without `inspect` (17 ms)."""
        code = getattr(function, "__code__", None)
        if code is None or code.co_flags & _TAKES_ANY_NUMBER:  # a partial or an object with __call__
            return
        bound = hasattr(function, "__self__")  # a method: its first parameter is given already
        positional = code.co_varnames[bound : code.co_argcount]
        required = len(positional) - len(getattr(function, "__defaults__", None) or ())
        keyword_only = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
        optional = getattr(function, "__kwdefaults__", None) or {}
        needed = [f"{word}=" for word in keyword_only if word not in optional]
        if required <= inputs + context <= len(positional) and not needed:
            return
        given = f"{inputs} input{'' if inputs == 1 else 's'}{' and a context' if context else ''}"
        takes = ", ".join((*positional, *needed)) or "nothing"
        self._fault(
            "KDL-DECL-031",
            f"the pipe {self._pipe!r} has {given}, its function takes {takes}",
            why="each input, after the context if there is one, is one positional parameter",
        )

    def _fault(self, code: str, what: str, *, why: str = "", hint: str = "") -> None:
        self._faults.append(
            DeclarationError(code, what, why=why, where=str(self._place), hint=hint, entity=self._pipe)
        )
