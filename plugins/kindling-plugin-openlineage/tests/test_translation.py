from __future__ import annotations

import copy
import json

import pytest
from kindling_plugin_openlineage.translation import Translator, columns_of, split_key
from published import facets_of, faults
from run_events import HOUR, RUN, facet, run_events, told

from kindling.addresses import Slice
from kindling.events import TaskFinished

Json = dict[str, object]
SOURCE = {"namespace": "s3://lake", "name": "raw/people"}


def part(event: Json, *path: str) -> object:
    found: object = event
    for step in path:
        assert isinstance(found, dict)
        found = found[step]
    return found


def ended(name: str) -> Json:
    (found,) = (
        event
        for event in told()
        if part(event, "job", "name") == f"shop.{name}" and event["eventType"] != "START"
    )
    return found


def test_all_events_are_as_they_are_published() -> None:
    assert [fault for event in told() for fault in faults(event)] == []
    assert len({str(found["_schemaURL"]) for event in told() for _, _, found in facets_of(event)}) == 15


def test_what_is_not_published_is_noticed() -> None:
    event = copy.deepcopy(ended("silver.people"))
    event["extra"] = event["outputs"][0]["facets"]["schema"]["more"] = 1  # type: ignore[index]  # JSON
    event["run"]["runId"] = "1"  # type: ignore[index]  # JSON
    event["eventTime"] = "2026-01-02T03:04:05"
    del event["inputs"][0]["facets"]["version"]["datasetVersion"]  # type: ignore[attr-defined]  # JSON
    event["job"]["facets"]["own"] = {"_schemaURL": "x"}  # type: ignore[index]  # JSON
    assert sorted(faults(event)) == [
        "$.eventTime: '2026-01-02T03:04:05' is not a 'date-time'",
        "$.run.runId: '1' is not a 'uuid'",
        "$: Additional properties are not allowed ('extra' was unexpected)",
        "dataset.schema $: Additional properties are not allowed ('more' was unexpected)",
        "dataset.version $: 'datasetVersion' is a required property",
        "job.own: x is not published",
    ]


def test_each_run_of_a_job_begins_once_and_ends_once() -> None:
    assert [(event["eventType"], part(event, "job", "name")) for event in told()] == [
        ("START", "shop"),
        ("START", "shop.silver.people"),
        ("COMPLETE", "shop.silver.people"),
        ("START", "shop.gold.daily"),
        ("COMPLETE", "shop.gold.daily"),
        ("START", "shop.silver.bad"),
        ("START", "shop.silver.late"),
        ("START", "shop.silver.hung"),
        ("FAIL", "shop.silver.bad"),
        ("ABORT", "shop.silver.late"),
        ("ABORT", "shop.silver.hung"),
        ("FAIL", "shop"),
    ]


def test_times_are_those_of_the_events() -> None:
    assert told()[2]["eventTime"] == "2026-01-02T03:04:06.000Z"


def test_a_replay_tells_the_same() -> None:
    first = Translator(RUN, "n")
    one_by_one = [line for event in run_events() for line in first.translated([event])]
    assert json.dumps(one_by_one) == json.dumps(told(namespace="n"))


def test_tasks_name_the_run_as_their_parent() -> None:
    start, *_ = told()
    for event in told():
        if part(event, "job", "name") == "shop":
            assert part(event, "run", "runId") == part(start, "run", "runId")
            assert facet(event, "run", "parent") is None
        else:
            parent = facet(event, "run", "parent")
            assert parent is not None
            assert parent["run"] == {"runId": part(start, "run", "runId")}
            assert parent["job"] == {"namespace": "kindling-dev", "name": "shop"}


def test_a_task_tells_what_it_read_and_wrote() -> None:
    event = ended("silver.people")
    (source,), (target,) = event["inputs"], event["outputs"]  # type: ignore[misc]  # JSON
    assert {key: source[key] for key in SOURCE} == SOURCE
    assert (target["namespace"], target["name"]) == ("file", "/lake/silver/people")
    assert facet(event, "inputs", "version") == {"datasetVersion": "7"}
    assert facet(event, "inputs", "schema") == {
        "fields": [{"name": "id", "type": "bigint"}, {"name": "Mail", "type": "string"}]
    }
    assert facet(event, "outputs", "outputStatistics") == {"rowCount": 3}
    assert facet(event, "outputs", "lifecycleStateChange") == {"lifecycleStateChange": "OVERWRITE"}
    assert facet(event, "outputs", "storage") == {"storageLayer": "delta"}
    assert facet(event, "outputs", "symlinks") == {
        "identifiers": [{"namespace": "kindling-dev", "name": "silver.people", "type": "TABLE"}]
    }


def test_columns_tell_their_origins_and_masks() -> None:
    assert facet(ended("silver.people"), "outputs", "columnLineage") == {
        "fields": {
            "id": {
                "inputFields": [
                    {
                        **SOURCE,
                        "field": "id",
                        "transformations": [{"type": "DIRECT", "subtype": "IDENTITY", "masking": False}],
                    }
                ]
            },
            "mail": {
                "inputFields": [
                    {
                        **SOURCE,
                        "field": "Mail",
                        "transformations": [
                            {
                                "type": "DIRECT",
                                "subtype": "TRANSFORMATION",
                                "description": "masked by keyed_hash",
                                "masking": True,
                            }
                        ],
                    }
                ]
            },
            "n": {"inputFields": []},
        },
        "dataset": [
            {**SOURCE, "field": "id", "transformations": [{"type": "INDIRECT", "masking": False}]},
        ],
    }


def test_classes_are_tags_of_columns() -> None:
    assert facet(ended("silver.people"), "outputs", "tags") == {
        "tags": [
            {"key": "classification", "value": kind, "source": "KINDLING", "field": "id"}
            for kind in ("pii.id", "secret")
        ]
    }


def test_an_opaque_task_tells_that_its_columns_are_unknown() -> None:
    event = ended("gold.daily")
    assert facet(event, "outputs", "columnLineage") is None
    assert facet(event, "run", "extractionError") == {
        "totalTasks": 1,
        "failedTasks": 1,
        "errors": [
            {
                "errorMessage": "where the columns come from is unknown: the step cannot be traced",
                "task": HOUR,
            }
        ],
    }
    assert facet(ended("silver.people"), "run", "extractionError") is None


def test_an_interval_is_a_nominal_time() -> None:
    assert facet(ended("gold.daily"), "run", "nominalTime") == {
        "nominalStartTime": "2026-01-01T00:00:00Z",
        "nominalEndTime": "2026-01-02T00:00:00Z",
    }
    assert facet(ended("silver.people"), "run", "nominalTime") is None


def test_what_is_not_known_is_not_told() -> None:
    event = ended("gold.daily")
    for name in ("version", "tags", "lifecycleStateChange", "outputStatistics"):
        assert facet(event, "outputs", name) is None


def test_a_failed_task_tells_its_error_and_a_cancelled_one_that_it_was_cancelled() -> None:
    assert facet(ended("silver.bad"), "run", "errorMessage") == {
        "message": "KDL-RUN-001: 'silver.bad' raised ValueError\n  why: größe",
        "programmingLanguage": "PYTHON",
    }
    message = facet(ended("silver.late"), "run", "errorMessage")
    assert message is not None
    assert message["message"] == "'silver.late' ended as cancelled"


def test_no_credential_and_no_person_is_told() -> None:
    text = json.dumps(told())
    assert "secret://" not in text
    assert "hannah-7" not in text


@pytest.mark.parametrize("status", ["failed", "timed_out", "lost", "odd"])
def test_each_other_end_is_a_failure(status: str) -> None:
    event = TaskFinished(run_id=RUN, seq=1, at="2026-01-02T03:04:05.000Z", key="a", status=status,
                         attempt=1, seconds=1.0)  # fmt: skip
    assert [line["eventType"] for line in told([event])] == ["START", "FAIL"]
    assert [fault for line in told([event]) for fault in faults(line)] == []


def test_a_namespace_may_name_app_and_environment() -> None:
    assert part(told(namespace="{app}/{environment}/x")[1], "job", "namespace") == "shop/dev/x"


def test_a_key_or_a_schema_of_a_newer_form_is_no_error() -> None:
    assert split_key("a[b") == ("a", Slice())
    assert split_key("a[key:x]")[1].key == "x"
    assert columns_of("`a` newtype") == []
