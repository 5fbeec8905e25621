from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kindling_plugin_openlineage.naming import Name, dataset_name, run_uuid

JOB = Name("n", "shop")
RUN = "20260102T030405Z-0a1b2c3d"

PLACES = {
    "/lake/raw/people": ("file", "/lake/raw/people"),
    "/lake/./raw//people/": ("file", "/lake/raw/people"),
    "file:///lake/raw/people": ("file", "/lake/raw/people"),
    "s3://Lake/raw/people": ("s3://lake", "raw/people"),
    "s3a://lake/raw/../raw/people/": ("s3://lake", "raw/people"),
    "s3://key:pass@lake/raw/people?x=1": ("s3://lake", "raw/people"),
    "gs://lake": ("gs://lake", "/"),
    "abfss://box@acc.dfs.core.windows.net/raw/people": ("abfss://box@acc.dfs.core.windows.net", "raw/people"),
    "https://me:pass@example.com/a%20b.csv?token=1": ("https://example.com", "a b.csv"),
    "postgresql://me:pass@db.example/marts/silver/people": (
        "postgres://db.example:5432",
        "marts.silver.people",
    ),
    "postgres://db.example:6000/marts/people": ("postgres://db.example:6000", "marts.public.people"),
    "postgresql://db.example/marts": ("postgres://db.example:5432", "marts.public.raw.people"),
    "": ("n", "main.raw.people"),
}


@pytest.mark.parametrize("uri", PLACES)
def test_a_dataset_is_named_by_its_place(uri: str) -> None:
    parts = ["main", "raw", "people"] if not uri else ["raw", "people"]
    address = {"uri": uri, "parts": parts}
    assert dataset_name("raw.people", address, "n") == PLACES[uri]


def test_a_dataset_in_memory_is_named_by_its_entity() -> None:
    assert dataset_name("raw.people", {}, "n") == ("n", "raw.people")


def test_a_run_has_one_uuid_whose_time_is_the_runs() -> None:
    found = UUID(run_uuid(RUN, JOB))
    assert found.version == 7
    assert (found.int >> 80) == 1767323045000
    assert run_uuid(RUN, JOB) == str(found)
    assert UUID(run_uuid("nightly-7", JOB)).version == 5


@given(st.lists(st.tuples(st.text(), st.text(), st.text(), st.text()), min_size=2, max_size=2, unique=True))
def test_runs_of_other_jobs_tasks_and_ids_have_other_uuids(pair: list[tuple[str, str, str, str]]) -> None:
    if any("\0" in text for names in pair for text in names):
        return
    one, two = (run_uuid(run, Name(space, job), part) for run, space, job, part in pair)
    assert one != two
    one, two = (run_uuid(f"{RUN}{run}", Name(space, job), part) for run, space, job, part in pair)
    assert one != two
