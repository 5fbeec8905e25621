from __future__ import annotations

import json
from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from kindling.hooks import storage
from kindling.hooks.storage import CommitInfo

texts = st.text(max_size=5)
infos = st.builds(
    CommitInfo,
    app=texts,
    environment=texts,
    entity=texts,
    slice=texts,
    run_id=texts,
    fingerprint=texts,
    cursors=st.dictionaries(texts, texts, max_size=3),
)


@given(infos)
def test_who_committed_is_read_back_from_the_commit(info: CommitInfo) -> None:
    assert CommitInfo.from_json(info.to_json()) == info


@given(infos, st.randoms())
def test_the_text_in_a_commit_depends_on_no_order(info: CommitInfo, random: object) -> None:
    cursors = list(info.cursors.items())
    random.shuffle(cursors)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    given_again = {part.name: getattr(info, part.name) for part in fields(info)}
    assert CommitInfo(**{**given_again, "cursors": dict(cursors)}).to_json() == info.to_json()
    assert list(json.loads(info.to_json())) == sorted(given_again)


def test_each_feature_of_a_store_is_stated_once() -> None:
    assert len(set(storage.FEATURES)) == len(storage.FEATURES)
    assert storage.COMMIT_KEY == "kindling"
