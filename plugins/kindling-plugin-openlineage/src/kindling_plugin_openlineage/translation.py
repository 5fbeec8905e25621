"""From the events of one run to OpenLineage run events. It writes and sends nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from kindling import __version__ as kindling_version
from kindling.addresses import Slice
from kindling.errors import KindlingError
from kindling.events import Event, RunFinished, RunStarted, TaskFinished, TaskStarted, TaskTraced
from kindling.schemas import parse_schema
from kindling_plugin_openlineage import facets
from kindling_plugin_openlineage.facets import Json
from kindling_plugin_openlineage.naming import Name, dataset_name, run_uuid

ENDS = {"done": "COMPLETE", "cancelled": "ABORT"}
"""Event types by status; every other end is a FAIL."""
OPAQUE = "where the columns come from is unknown: the step cannot be traced"


class Translator:
    """Translates the events of one run, in their order; the same events give the same answers.

    Args:
        run_id: Kindling's id of the run.
        namespace: Of the jobs; `{app}` and `{environment}` are filled in.
    """

    def __init__(self, run_id: str, namespace: str) -> None:
        self._run_id = run_id
        self._template = namespace
        self._app = "kindling"
        self._job = Name(self._filled(""), self._app)
        self._tags: dict[str, str] = {}
        self._traced: dict[str, TaskTraced] = {}
        self._open: dict[str, None] = {}  # keys of tasks that began and did not end, in order

    def _filled(self, environment: str) -> str:
        return self._template.replace("{app}", self._app).replace("{environment}", environment)

    def translated(self, events: Iterable[Event]) -> list[Json]:
        """Return what a collector is told of some events."""
        return [told for event in events for told in self._told(event)]

    def _told(self, event: Event) -> Iterator[Json]:
        if isinstance(event, RunStarted):
            self._app = event.app
            self._job = Name(self._filled(event.environment), event.app)
            self._tags = {
                "kindling.run": event.run_id,
                "kindling.environment": event.environment,
                "kindling.platform": event.platform,
            }
            yield self._run_event(event, "START")
        elif isinstance(event, TaskStarted):
            yield from self._begun(event, event.key)
        elif isinstance(event, TaskTraced):
            self._traced[event.key] = event
        elif isinstance(event, TaskFinished):
            yield from self._begun(event, event.key)
            yield self._ended(event)
        elif isinstance(event, RunFinished):
            for key in list(self._open):
                del self._open[key]
                yield self._task_event(event, key, "ABORT")
            yield self._run_event(event, ENDS.get(event.status, "FAIL"))

    def _begun(self, event: Event, key: str) -> Iterator[Json]:
        """Tell once that a task begins: its later attempts belong to the same run of its job."""
        if key not in self._open:
            self._open[key] = None
            yield self._task_event(event, key, "START")

    def _run_event(self, event: Event, kind: str) -> Json:
        run: Json = {"processing_engine": facets.processing_engine(kindling_version)}
        if self._tags:
            run["tags"] = facets.run_tags(self._tags)
        uuid = run_uuid(self._run_id, self._job)
        return _event(event, kind, {"runId": uuid, "facets": run}, _job(self._job, "RUN"))

    def _task_event(self, event: Event, key: str, kind: str, extra: Mapping[str, Json] | None = None) -> Json:
        entity, part = split_key(key)
        run: Json = {
            "processing_engine": facets.processing_engine(kindling_version),
            "parent": facets.parent(run_uuid(self._run_id, self._job), self._job),
            **(extra or {}),
        }
        if part.kind == "interval":
            run["nominalTime"] = facets.nominal_time(part.start, part.end)
        job = Name(self._job.namespace, f"{self._job.name}.{entity}")
        uuid = run_uuid(self._run_id, self._job, key)
        return _event(event, kind, {"runId": uuid, "facets": run}, _job(job, "TASK"))

    def _ended(self, event: TaskFinished) -> Json:
        del self._open[event.key]
        kind = ENDS.get(event.status, "FAIL")
        traced = self._traced.pop(event.key, None)
        extra: dict[str, Json] = {}
        if kind != "COMPLETE":
            extra["errorMessage"] = facets.error_message(error_text(event))
        if traced is None:
            return self._task_event(event, event.key, kind, extra)
        if not traced.lineage and traced.inputs:
            extra["extractionError"] = facets.extraction_error(event.key, OPAQUE)
        made = self._task_event(event, event.key, kind, extra)
        made["inputs"] = [self._dataset(one) for one in traced.inputs]
        made["outputs"] = [self._output(traced, event)]
        return made

    def _name(self, one: Mapping[str, object]) -> Name:
        address = one.get("address")
        known = address if isinstance(address, dict) else {}
        return dataset_name(str(one["entity"]), known, self._job.namespace)

    def _dataset(self, one: Mapping[str, object], more: Mapping[str, Json] | None = None) -> Json:
        """Return a dataset: `{"entity", "address", "version", "schema"}` of a `TaskTraced`."""
        name, address = self._name(one), one.get("address")
        logical = Name(self._job.namespace, str(one["entity"]))
        known: Json = {}
        if columns := columns_of(str(one.get("schema") or "")):
            known["schema"] = facets.schema(columns)
        if token := str(one.get("version") or ""):
            known["version"] = facets.version(token)
        if isinstance(address, dict) and address.get("storage"):
            known["storage"] = facets.storage(str(address["storage"]))
        if name != logical:
            known["symlinks"] = facets.symlinks(logical)
        return {"namespace": name.namespace, "name": name.name, "facets": {**known, **(more or {})}}

    def _output(self, traced: TaskTraced, event: TaskFinished) -> Json:
        more: dict[str, Json] = {}
        if traced.lineage and traced.inputs:
            more["columnLineage"] = self._column_lineage(traced)
        if classes := [(column, kind) for column, some in traced.classes.items() for kind in some]:
            more["tags"] = facets.class_tags(classes)
        if traced.intent == "overwrite":
            more["lifecycleStateChange"] = facets.overwritten()
        made = self._dataset(traced.target, more)
        if event.rows is not None:
            made["outputFacets"] = {"outputStatistics": facets.output_statistics(event.rows)}
        return made

    def _column_lineage(self, traced: TaskTraced) -> Json:
        sources = {str(one["entity"]): self._name(one) for one in traced.inputs}
        masks = {(entity, column.lower()): mask for entity, column, mask in traced.masked}

        def fields(origins: object) -> list[Json]:
            listed = origins if isinstance(origins, list) else []
            return [
                facets.input_field(
                    sources.get(entity, Name(self._job.namespace, entity)),
                    column,
                    how,
                    masks.get((entity, column.lower()), ""),
                )
                for entity, column, how in listed
            ]

        columns = traced.lineage.get("columns")
        known = columns if isinstance(columns, dict) else {}
        return facets.column_lineage(
            {name: fields(origins) for name, origins in known.items()}, fields(traced.lineage.get("rows"))
        )


def _job(name: Name, level: str) -> Json:
    return {
        "namespace": name.namespace,
        "name": name.name,
        "facets": {"jobType": facets.job_type(level)},
    }


def _event(event: Event, kind: str, run: Json, job: Json) -> Json:
    return {
        "eventType": kind,
        "eventTime": event.at,
        "producer": facets.PRODUCER,
        "schemaURL": facets.EVENT_SCHEMA,
        "run": run,
        "job": job,
        "inputs": [],
        "outputs": [],
    }


def split_key(key: str) -> tuple[str, Slice]:
    """Return entity and slice of a task's key as text."""
    entity, bracket, rest = key.partition("[")
    if not bracket:
        return key, Slice()
    try:
        return entity, Slice.parse(rest.removesuffix("]"))
    except KindlingError:  # a form that a newer kernel knows
        return entity, Slice()


def columns_of(ddl: str) -> list[tuple[str, str]]:
    """Return (name, type) of each column; none where the text is no schema that this kernel knows."""
    if not ddl:
        return []
    try:
        return [(field.name, field.type) for field in parse_schema(ddl).fields]
    except KindlingError:
        return []


def error_text(event: TaskFinished) -> str:
    """Return a task's error in one text; the kernel has left values of classified columns out of it."""
    error = event.error
    code, what, why = (str(error.get(name) or "") for name in ("code", "what", "why"))
    text = ": ".join(part for part in (code, what or f"{event.key!r} ended as {event.status}") if part)
    return f"{text}\n  why: {why}" if why else text
