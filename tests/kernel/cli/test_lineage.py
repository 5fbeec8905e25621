"""What `kindling lineage` answers, over traces of runs on the scratch plugin."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from rich.console import Console
from terminal import SCHEMAS

import kindling as k
from kindling.cli.ancestry import Ancestry, Edge, Tracker, lineage_plain, parse_spot
from kindling.cli.documents import document
from kindling.cli.graphs import Node, declared_graph
from kindling.cli.lineage_svg import lineage_svg
from kindling.cli.lineage_text import lineage_text, rich_tree
from kindling.cli.traces import Traces, last_traces
from kindling.errors import KindlingError, PlanError, UsageError

if TYPE_CHECKING:
    from workbench import Bench

COLUMNS = "n bigint, name string"


def shop(*, name: str = "name") -> k.App:
    """Declare raw -> silver -> gold, an opaque pipe behind raw, and a memory entity on the way."""
    app = k.App("shop")
    raw = app.source("raw", k.storage("scratch"), schema=COLUMNS, classify={"name": "pii.name"})
    twice = app.sql("twice", "SELECT n * 2 AS n2, name FROM {r}", inputs={"r": raw}, storage=k.memory())
    silver = app.sql("silver.a", f"SELECT n2, {name} AS who FROM {{t}} WHERE n2 > 0", inputs={"t": twice})
    app.sql("gold.a", "SELECT sum(n2) AS total, who FROM {s} GROUP BY who", inputs={"s": silver})
    app.sql("dim", "SELECT (SELECT max(n2) FROM {s}) AS most, 1 AS one", inputs={"s": silver})
    app.sql("opaque", "SELECT n FROM {r} LATERAL VIEW explode(array(n)) t AS x", inputs={"r": raw})
    return app


class Asked:
    """Answers over what the runs of a bench traced."""

    def __init__(self, bench: Bench) -> None:
        project = bench.project
        self.nodes: dict[str, Node] = declared_graph(project)
        assert bench.state is not None
        self.traces: Traces = last_traces(bench.state, project.state_dir, "shop", "dev", self.nodes)
        declared = {name: one.classes for name, one in project.app.entities().items() if one.classes}
        self.tracker = Tracker(self.nodes, self.traces, declared)

    def up(self, text: str) -> Ancestry:
        return self.tracker.upstream(*parse_spot(text, self.nodes))

    def down(self, text: str) -> Ancestry:
        return self.tracker.downstream(*parse_spot(text, self.nodes))

    def tree(self, text: str) -> list[str]:
        return lineage_text(self.up(text), self.tracker, is_downstream=False).splitlines()


@pytest.fixture
def asked(bench: Bench) -> Asked:
    bench.use(shop(), run__trace=True).put("raw", COLUMNS, (1, "x"))
    bench.run(select=("gold.a", "silver.a"))
    return Asked(bench)


def test_a_column_is_followed_to_its_sources(asked: Asked) -> None:
    assert asked.tree("gold.a.TOTAL") == [
        "gold.a.total",
        "└─ silver.a.n2  (aggregation)",
        "   └─ raw.n  (transformation)",
        "rows decided by silver.a.who",
    ]


def test_an_entity_is_asked_column_by_column(asked: Asked) -> None:
    assert asked.tree("gold.a") == [
        "gold.a.total",
        "└─ silver.a.n2  (aggregation)",
        "   └─ raw.n  (transformation)",
        "gold.a.who  [pii.name]",
        "└─ silver.a.who  (identity)  [pii.name]",
        "   └─ raw.name  (identity)  [pii.name]",
        "rows decided by silver.a.who",
    ]


def test_what_is_made_of_a_column_is_found_from_its_source(asked: Asked) -> None:
    found = asked.down("raw.n")
    assert lineage_text(found, asked.tracker, is_downstream=True).splitlines() == [
        "raw.n",
        "└─ silver.a.n2  (transformation)",
        "   └─ gold.a.total  (aggregation)",
    ]


def test_an_opaque_pipe_is_shown_as_one(bench: Bench) -> None:
    app = k.App("shop")
    raw = app.source("raw", k.storage("scratch"))
    blind = app.pipe(raw, name="blind")(lambda df: df.collect().lazy())
    app.sql("gold", "SELECT n FROM {b}", inputs={"b": blind})
    bench.use(app, run__trace=True).put("raw", COLUMNS, (1, "x"))
    bench.run()
    asked = Asked(bench)
    assert asked.tree("gold.n") == ["gold.n", "└─ blind.n  (identity)", "   └─ raw.*  (opaque)"]
    note = "'blind' is opaque: its columns may come from any column that it reads"
    assert asked.up("gold.n").notes == [note]
    down = asked.down("raw.n")
    assert [(edge.target, edge.how) for edge in down.edges] == [
        (("blind", "*"), "opaque"),
        (("gold", "n"), "identity"),
    ]


def test_masks_stand_on_the_way(bench: Bench) -> None:
    rule = {"class": "pii.*", "mask": "blank", "entities": ["silver.a", "twice"]}
    given = {f"policy__masks__m__{key}": value for key, value in rule.items()}
    bench.use(shop(), run__trace=True, **given).put("raw", COLUMNS, (1, "x"))
    bench.run(select=("silver.a",))
    assert Asked(bench).tree("silver.a.who") == [
        "silver.a.who",
        "└─ raw.name  (identity, masked by blank)  [pii.name]",
        "rows decided by raw.n",
    ]


def test_what_was_drawn_is_not_drawn_again(bench: Bench) -> None:
    app = k.App("shop")
    raw = app.source("raw", k.storage("scratch"))
    one = app.sql("one", "SELECT n AS a FROM {r}", inputs={"r": raw})
    app.sql("two", "SELECT a, a + 1 AS b FROM {o}", inputs={"o": one})
    bench.use(app, run__trace=True).put("raw", COLUMNS, (1, "x"))
    bench.run()
    assert Asked(bench).tree("two") == [
        "two.a",
        "└─ one.a  (identity)",
        "   └─ raw.n  (identity)",
        "two.b",
        "└─ one.a  (transformation)  ...",
    ]


def test_a_terminal_gets_a_tree(asked: Asked) -> None:
    console = Console(width=80, record=True, file=None, force_terminal=False, color_system=None)
    with console.capture() as caught:
        console.print(rich_tree(asked.up("gold.a.who"), asked.tracker, is_downstream=False))
    assert caught.get().splitlines() == [
        "made of",
        "├── gold.a.who  [pii.name]",
        "│   └── silver.a.who  (identity)  [pii.name]",
        "│       └── raw.name  (identity)  [pii.name]",
        "└── rows decided by silver.a.who",
    ]


def test_the_drawing_is_sound_and_escapes_names(asked: Asked) -> None:
    tree = ET.fromstring(lineage_svg(asked.up("gold.a"), "a <b> & c"))  # noqa: S314  # our own text
    texts = {"".join(node.itertext()) for node in tree.iter("{http://www.w3.org/2000/svg}text")}
    assert texts == {"gold.a", "silver.a", "raw", "total", "who", "n2", "n", "name"}
    titles = ["".join(node.itertext()) for node in tree.iter("{http://www.w3.org/2000/svg}title")]
    assert titles[0] == "a <b> & c"
    assert "silver.a.n2 → gold.a.total: aggregation" in titles
    assert len(list(tree.iter("{http://www.w3.org/2000/svg}path"))) == len(asked.up("gold.a").edges)


def test_an_entity_is_drawn_next_to_its_first_reader() -> None:
    ways = [("far", "mid"), ("mid", "gold"), ("near", "gold")]
    edges = [Edge((source, "x"), (target, "x"), "identity") for source, target in ways]
    tree = ET.fromstring(lineage_svg(Ancestry((("gold", "x"),), edges), "x"))  # noqa: S314  # our own text
    left = {text.text: text.get("x") for text in tree.iter("{http://www.w3.org/2000/svg}text")}
    assert left["near"] == left["mid"] != left["far"]


def test_the_answer_as_json_fits_its_schema(asked: Asked) -> None:
    for found, direction in ((asked.up("gold.a.total"), "upstream"), (asked.down("raw"), "downstream")):
        plain = lineage_plain(found, asked.tracker, asked.nodes)
        head = {"app": "shop", "environment": "dev", "direction": direction}
        told = json.loads(document("kindling.lineage/1", **head, **plain))
        jsonschema.validate(told, json.loads((SCHEMAS / "lineage.json").read_text(encoding="utf-8")))
        assert told["edges"]


def test_the_newest_trace_counts_and_an_older_one_says_so(bench: Bench) -> None:
    bench.use(shop(), run__trace=True).put("raw", COLUMNS, (1, "x"))
    traced = bench.run(select=("silver.a",))
    bench.use(shop(name="'x'"), run__trace=False)
    newer = bench.run(select=("silver.a",))
    asked = Asked(bench)
    (note,) = asked.up("silver.a.who").notes
    assert note == (
        f"'silver.a' was made again in run {newer.run_id} without being traced: "
        f"what is told of it is of run {traced.run_id}"
    )
    bench.set("run", "trace", value=True)
    bench.run(select=("silver.a",), full_refresh=True)
    assert Asked(bench).tree("silver.a.who") == ["silver.a.who", "rows decided by raw.n"]


def test_a_run_that_finds_nothing_new_says_nothing_about_columns(bench: Bench) -> None:
    app = k.App("shop")
    raw = app.source("raw", k.storage("scratch"))
    app.sql("log", "SELECT n FROM {r}", inputs={"r": raw}, write=k.append(), incremental=k.changes())
    bench.use(app, run__trace=True).put("raw", COLUMNS, (1, "x"))
    first = bench.run()
    bench.put("raw", COLUMNS, (1, "x"))  # another version of the same rows
    bench.run()
    assert Asked(bench).traces.by_entity["log"].run_id == first.run_id


def refused(asked: Asked, text: str) -> list[str]:
    with pytest.raises(KindlingError) as caught:
        asked.up(text)
    assert isinstance(caught.value, (UsageError, PlanError))
    return str(caught.value).splitlines()


def test_questions_that_cannot_be_answered_say_what_to_do(bench: Bench, asked: Asked) -> None:
    places = {name: node.where for name, node in asked.nodes.items()}
    assert refused(asked, "gold.b.total") == [
        "KDL-PLAN-001: there is no entity 'gold.b.total'",
        "  why: did you mean 'gold.a'?",
        "  do: write ENTITY or ENTITY.COLUMN; kindling graph lists the entities",
    ]
    assert refused(asked, "gold.a.totl") == [
        "KDL-LINE-001: 'gold.a' has no column 'totl'",
        "  why: did you mean 'total'?",
        f"  where: {places['gold.a']}",
        "  do: kindling lineage gold.a",
    ]
    assert refused(asked, "dim") == [
        "KDL-LINE-002: nothing is known of 'dim': it was never made, or its runs are forgotten",
        f"  where: {places['dim']}",
        "  do: kindling run -s +dim --full-refresh --set run.trace=true",
    ]
    assert refused(asked, "twice.n2") == [
        "KDL-LINE-004: 'twice' is a memory entity: it is computed inside of what reads it",
        f"  where: {places['twice']}",
        "  do: ask for what reads it",
    ]
    bench.set("run", "trace", value=False)
    run = bench.run(select=("dim",))
    assert refused(Asked(bench), "dim") == [
        "KDL-LINE-003: 'dim' was made without being traced",
        f"  why: run {run.run_id} had neither run.trace nor run.lineage set",
        f"  where: {places['dim']}",
        "  do: kindling run -s dim --full-refresh --set run.trace=true",
    ]


def test_a_source_that_nothing_traced_reads_is_unknown(bench: Bench) -> None:
    bench.use(shop()).put("raw", COLUMNS, (1, "x"))
    asked = Asked(bench)
    assert refused(asked, "raw") == [
        "KDL-LINE-002: nothing that reads 'raw' was traced",
        f"  where: {asked.nodes['raw'].where}",
        "  do: kindling run -s raw+ --full-refresh --set run.trace=true",
    ]
