from __future__ import annotations

from kindling.hooks import lineage, sink


def test_each_feature_is_stated_once() -> None:
    assert len(set(lineage.FEATURES)) == len(lineage.FEATURES)


def test_a_lineage_sink_is_a_sink() -> None:
    assert lineage.EventSink is sink.EventSink
