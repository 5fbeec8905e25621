"""The RunRequest: JSON, and the only input of a run. The CLI builds it, later servers do."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from typing import TypeVar

from kindling.errors import UsageError
from kindling.names import did_you_mean
from kindling.values import Plain  # msgspec reads it

T = TypeVar("T")
SCHEMA = "kindling.run-request/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What to run.

    Attributes:
        app: Reference `module:object`; "" where the app is an object of this process.
        project: Absolute path of the project's folder.
        environment: Environment name.
        run_id: Chosen by the submitter; the idempotency key.
        select: Selection expressions; () for everything.
        exclude: Selection expressions to leave out.
        start: First instant of slices to run, or "".
        end: End of slices to run, or "".
        max_slices: Most slices per entity; 0 for no limit.
        full_refresh: Start over.
        resume: Id of the run to continue, or "".
        overrides: Settings by dotted key.
        workers: Tasks at once; 0 for the setting `run.workers`.
        submitter: Who asked.
        principal: Workload principal the data is read as; "" for the app's name.
        schema: Always `kindling.run-request/1`.
    """

    app: str
    project: str
    environment: str
    run_id: str
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    start: str = ""
    end: str = ""
    max_slices: int = 0
    full_refresh: bool = False
    resume: str = ""
    overrides: dict[str, Plain] = field(default_factory=dict)
    workers: int = 0
    submitter: str = ""
    principal: str = ""
    schema: str = SCHEMA

    def to_json(self) -> str:
        """Return the request as one line of JSON."""
        return encoded(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> RunRequest:
        """Return the request of a JSON text.

        Raises:
            UsageError: KDL-USE-020, it is no request: the text says which key.
        """
        made = decoded(cls, text, "a run request")
        if made.schema != SCHEMA:
            raise _misfit("a run request", f"its schema is {made.schema!r}, expected {SCHEMA!r}")
        known = [place.name for place in fields(cls)]
        for key in decoded(dict, text, "a run request"):
            if key not in known:  # left out in silence, a misspelt wish would not be granted
                raise _misfit("a run request", f"unknown key {key!r}; {did_you_mean(key, known)}")
        return made


def encoded(document: object) -> str:
    """Return a frozen dataclass of JSON types (RunRequest, TaskSpec, Outcome) as one line of JSON."""
    import msgspec

    return msgspec.json.encode(document).decode()


def decoded(cls: type[T], text: str | bytes, what: str) -> T:
    """Decode JSON into a frozen dataclass, strictly.

    Raises:
        UsageError: KDL-USE-020, the JSON does not fit; the text says where.
    """
    import msgspec

    try:
        return msgspec.json.decode(text, type=cls)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise _misfit(what, str(error)) from error


def _misfit(what: str, why: str) -> UsageError:
    return UsageError("KDL-USE-020", f"this is not {what}", why=why)


def new_run_id() -> str:
    """Return a new run id: UTC time to the second and eight random hex digits; ids sort by time."""
    moment = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    return f"{moment}-{os.urandom(4).hex()}"


def utc_now() -> str:
    """Return the present instant as RFC 3339 UTC with milliseconds."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
