"""The facets of OpenLineage that Kindling fills, as plain JSON. What they say is decided elsewhere.

Source: OpenLineage specification 2-0-2 and its facets, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from kindling_plugin_openlineage import __version__
from kindling_plugin_openlineage.naming import Name

Json: TypeAlias = dict[str, object]

PRODUCER = f"urn:kindling:kindling-plugin-openlineage:{__version__}"
EVENT_SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_FACETS = "https://openlineage.io/spec/facets"
_SOURCE = "KINDLING"
_DIRECT = {"identity": "IDENTITY", "transformation": "TRANSFORMATION", "aggregation": "AGGREGATION"}


def _facet(revision: str, kind: str, /, **fields: object) -> Json:
    url = f"{_FACETS}/{revision}/{kind}.json#/$defs/{kind}"
    return {"_producer": PRODUCER, "_schemaURL": url, **fields}


def job_type(kind: str) -> Json:
    """Return the facet `jobType`; kind is `RUN` or `TASK`."""
    return _facet("2-0-4", "JobTypeJobFacet", processingType="BATCH", integration=_SOURCE, jobType=kind)


def processing_engine(version: str) -> Json:
    """Return the facet `processing_engine`."""
    return _facet(
        "1-1-1",
        "ProcessingEngineRunFacet",
        name="Kindling",
        version=version,
        openlineageAdapterVersion=__version__,
    )


def parent(run: str, job: Name) -> Json:
    """Return the facet `parent` of a task."""
    named = {"namespace": job.namespace, "name": job.name}
    root = {"run": {"runId": run}, "job": named}
    return _facet("1-2-0", "ParentRunFacet", run={"runId": run}, job=named, root=root)


def nominal_time(start: str, end: str) -> Json:
    """Return the facet `nominalTime` of a task that makes an interval."""
    return _facet("1-0-1", "NominalTimeRunFacet", nominalStartTime=start, nominalEndTime=end)


def error_message(text: str) -> Json:
    """Return the facet `errorMessage`."""
    return _facet("1-0-1", "ErrorMessageRunFacet", message=text, programmingLanguage="PYTHON")


def extraction_error(task: str, text: str) -> Json:
    """Return the facet `extractionError`: the columns of a task's output are not known."""
    errors = [{"errorMessage": text, "task": task}]
    return _facet("1-1-2", "ExtractionErrorRunFacet", totalTasks=1, failedTasks=1, errors=errors)


def run_tags(tags: Mapping[str, str]) -> Json:
    """Return the facet `tags` of a run."""
    listed = [{"key": key, "value": value, "source": _SOURCE} for key, value in tags.items()]
    return _facet("1-0-0", "TagsRunFacet", tags=listed)


def class_tags(classes: Iterable[tuple[str, str]]) -> Json:
    """Return the facet `tags` of a dataset: (column, class) pairs."""
    listed = [
        {"key": "classification", "value": kind, "source": _SOURCE, "field": column}
        for column, kind in classes
    ]
    return _facet("1-0-0", "TagsDatasetFacet", tags=listed)


def schema(columns: Iterable[tuple[str, str]]) -> Json:
    """Return the facet `schema`: (name, type) pairs."""
    fields = [{"name": name, "type": kind} for name, kind in columns]
    return _facet("1-2-0", "SchemaDatasetFacet", fields=fields)


def version(token: str) -> Json:
    """Return the facet `version`."""
    return _facet("1-0-1", "DatasetVersionDatasetFacet", datasetVersion=token)


def storage(layer: str) -> Json:
    """Return the facet `storage`."""
    return _facet("1-0-1", "StorageDatasetFacet", storageLayer=layer)


def symlinks(other: Name) -> Json:
    """Return the facet `symlinks`: the logical name of a dataset that is named by its place."""
    names = [{"namespace": other.namespace, "name": other.name, "type": "TABLE"}]
    return _facet("1-0-1", "SymlinksDatasetFacet", identifiers=names)


def overwritten() -> Json:
    """Return the facet `lifecycleStateChange` of a table whose rows were replaced."""
    return _facet("1-0-1", "LifecycleStateChangeDatasetFacet", lifecycleStateChange="OVERWRITE")


def output_statistics(rows: int) -> Json:
    """Return the facet `outputStatistics`."""
    return _facet("1-0-2", "OutputStatisticsOutputDatasetFacet", rowCount=rows)


def input_field(source: Name, column: str, how: str, mask: str = "") -> Json:
    """Return one column that another depends on.

    Args:
        source: The dataset that has it.
        column: The column.
        how: One of `kindling.lineage.HOWS`.
        mask: The mask that it was read through, or "".
    """
    step: Json = {"type": "DIRECT", "subtype": _DIRECT[how]} if how in _DIRECT else {"type": "INDIRECT"}
    if mask:
        if how == "identity":  # a masked value is another value
            step["subtype"] = "TRANSFORMATION"
        step["description"] = f"masked by {mask}"
    step["masking"] = bool(mask)
    return {"namespace": source.namespace, "name": source.name, "field": column, "transformations": [step]}


def column_lineage(columns: Mapping[str, Sequence[Json]], rows: Sequence[Json]) -> Json:
    """Return the facet `columnLineage`.

    Args:
        columns: Input fields by column; none for a constant.
        rows: Input fields that decide which rows there are.
    """
    fields = {name: {"inputFields": list(inputs)} for name, inputs in columns.items()}
    return _facet("1-2-0", "ColumnLineageDatasetFacet", fields=fields, dataset=list(rows))
