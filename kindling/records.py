"""What state remembers: task records, run records, leases. Plain values, light to import."""

from __future__ import annotations

from kindling.values import Value


class TaskRecord(Value):
    """The newest success of one task.

    Attributes:
        entity: Logical name.
        slice: `str(Slice)`.
        fingerprint: Digest of all `parts`.
        parts: Sorted `(name, digest)` pairs that the fingerprint was made from, for explanations; names
            are `code`, `sql`, `options`, `settings`, `python`, `rights` and `input:<entity>`.
        version: Version of the target after the commit; "" for memory entities.
        cursors: Sorted `(source entity, token)` pairs of the commit.
        run_id: The run that made it.
        finished: RFC 3339 UTC.
        seconds: Wall time of the attempt.
        rows: Rows written, or None.
    """

    entity: str
    slice: str
    fingerprint: str
    parts: tuple[tuple[str, str], ...]
    version: str
    cursors: tuple[tuple[str, str], ...] = ()
    run_id: str = ""
    finished: str = ""
    seconds: float = 0.0
    rows: int | None = None


class RunRecord(Value):
    """One run.

    Attributes:
        run_id: Chosen by the submitter; the idempotency key.
        app: App name.
        environment: Environment name.
        status: `running`, `done`, `failed`, `cancelled` or `interrupted` (its process died).
        request: JSON text of the RunRequest.
        pid: Process that executes it.
        host: Host of that process.
        started: RFC 3339 UTC.
        ended: RFC 3339 UTC, or "".
        exit_code: Exit code, or None while it runs.
        counts: Sorted `(status, number of tasks)` pairs.
    """

    run_id: str
    app: str
    environment: str
    status: str
    request: str
    pid: int
    host: str
    started: str
    ended: str = ""
    exit_code: int | None = None
    counts: tuple[tuple[str, int], ...] = ()


class Lease(Value):
    """A held lease.

    Attributes:
        key: What is held, for example `flights/dev`.
        token: Fencing token; grows with each acquisition of the key.
        expires: Unix time in seconds.
    """

    key: str
    token: int
    expires: float
