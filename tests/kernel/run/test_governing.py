from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone

import polars as pl
import pytest
from workbench import Bench

import kindling as k
from kindling.config.secrets import Redactor
from kindling.errors import ConfigError, KindlingError, PluginError, RunError
from kindling.events import TaskTraced
from kindling.hooks.platform import SessionSpec
from kindling.plan.rights import MaskRule
from kindling.run.governing import Governed, Masks, governed, without_keys
from kindling.secret import Secret
from kindling.testing.memory_platform import MemoryPlatform, MemorySession
from kindling.testing.rows import rows_of

Frame = pl.LazyFrame
CANARY = "canary-0f6e@x.org"
KEY = "key-canary-73b1d0"
PEOPLE = "n bigint, mail string"


def same(*frames: Frame) -> Frame:
    return frames[0]


class KeyedSession(MemorySession):
    """Notes which keys it was handed, and forgets them when told.

    Attributes:
        given: Key names and values, as they were handed over.
        dropped: How often they were dropped.
    """

    def __init__(self) -> None:
        super().__init__(MemoryPlatform({}), SessionSpec("t"))
        self.features = frozenset({"share", "keys"})
        self.given: dict[str, bytes] = {}
        self.dropped = 0

    def select_with_keys(
        self, frame: object, columns: Sequence[tuple[str, str]], keys: Mapping[str, bytes]
    ) -> object:
        self.given.update(keys)
        marked = frame.with_columns(pl.lit("there").alias(name) for name in keys)  # type: ignore[attr-defined]  # a LazyFrame
        return self.select(marked, columns)

    def drop_keys(self) -> None:
        self.dropped += 1


@pytest.fixture
def masks(bench: Bench) -> Masks:
    bench.use(k.App("shop"))
    return Masks(bench.project, lambda _: Secret(KEY, "v1"), lambda _: None)


def people() -> Frame:
    return pl.LazyFrame({"n": [1], "mail": [CANARY], "Name": ["ann"]})


def rule(mask: str = "blank", name: str = "r", glob: str = "pii.*", **facts: object) -> MaskRule:
    return MaskRule(name, glob, mask, **facts)  # type: ignore[arg-type]  # a test's own


CLASSES = {"MAIL": ("pii.email",), "name": ("pii.name", "hr"), "gone": ("pii.x",)}


def test_classified_columns_are_masked_under_their_own_names(masks: Masks) -> None:
    session = KeyedSession()
    found = governed(session, masks, people(), CLASSES, (rule(options=(("text", "x"),)),))
    assert rows_of(session, found.frame) == [(1, "x", "x")]
    assert session.schema(found.frame).names == ("n", "mail", "Name")
    assert found.masked == (("mail", "blank"), ("Name", "blank"))
    assert (found.keys, found.is_keyed) == ((), False)


def test_a_masked_column_no_longer_carries_what_it_was_masked_for(masks: Masks) -> None:
    found = governed(KeyedSession(), masks, people(), CLASSES, (rule(),))
    assert found.classes == {"name": ("hr",), "gone": ("pii.x",)}


def test_a_frame_that_no_rule_is_about_is_handed_on_as_it_is(masks: Masks) -> None:
    frame = people()
    for rules in ((), (rule(glob="fin.*"),)):
        assert governed(KeyedSession(), masks, frame, CLASSES, rules) == Governed(frame, CLASSES)
    assert governed(KeyedSession(), None, frame, CLASSES, ()) == Governed(frame, CLASSES)


def test_classes_of_unknown_columns_are_every_columns(masks: Masks) -> None:
    session = KeyedSession()
    found = governed(session, masks, people(), {"*": ("pii.x",)}, (rule(),))
    assert rows_of(session, found.frame) == [(None, None, None)]
    assert governed(session, None, people(), {"*": ("pii.x",)}, ()).classes == {
        "n": ("pii.x",),
        "mail": ("pii.x",),
        "Name": ("pii.x",),
    }


def test_what_happened_to_a_row_is_no_value_of_it(masks: Masks) -> None:
    frame = people().with_columns(pl.lit("insert").alias("_change"))
    found = governed(KeyedSession(), masks, frame, {"*": ("pii.x",)}, (rule(),))
    assert [column for column, _ in found.masked] == ["n", "mail", "Name"]


def test_keys_go_beside_the_expressions_under_names_that_no_column_has(masks: Masks) -> None:
    session = KeyedSession()
    frame = people().with_columns(pl.lit(1).alias("KDL_KEY_0_pad"))
    rules = (rule("stamp", key="secret://env/K"),)
    found = governed(session, masks, frame, CLASSES, rules)
    assert session.given == {"_kdl_key_0_pad": KEY.encode()}
    assert rows_of(session, found.frame) == [(1, len(CANARY), 3, 1)]
    assert (found.keys, found.is_keyed) == (("secret://env/K",), True)


def test_rules_with_other_keys_have_other_key_columns(masks: Masks) -> None:
    session = KeyedSession()
    rules = (
        rule("stamp", "a", "pii.email", key="secret://env/A"),
        rule("stamp", "b", "pii.name", key="secret://env/B"),
    )
    found = governed(session, masks, people(), CLASSES, rules)
    assert sorted(session.given) == ["kdl_key_0_pad", "kdl_key_1_pad"]
    assert found.keys == ("secret://env/A", "secret://env/B")


def test_what_a_mask_makes_of_a_key_is_redacted(bench: Bench) -> None:
    bench.use(k.App("shop"))
    redactor = Redactor()
    masks = Masks(bench.project, lambda _: Secret(KEY, "v1"), redactor.add)
    masks.keys(rule("stamp", key="secret://env/K"))
    assert redactor.redact(f"x'{KEY.encode().hex()}'") == "x'***'"


def test_pipe_code_gets_rows_and_no_keys() -> None:
    session = KeyedSession()
    kept = without_keys(session, people(), "r_m1")
    assert (rows_of(session, kept), session.dropped) == ([(1, CANARY, "ann")], 1)


def test_a_session_that_cannot_hide_keys_is_refused(masks: Masks) -> None:
    session = MemorySession(MemoryPlatform({}), SessionSpec("t"))
    session.features = frozenset()
    with pytest.raises(RunError) as caught:
        governed(session, masks, people(), CLASSES, (rule("stamp", key="secret://env/K"),))
    assert str(caught.value).splitlines() == [
        "KDL-GOV-006: a keyed mask cannot act on the platform 'memory'",
        "  why: its sessions lack the feature 'keys'",
        "  do: use a mask without a key, or another platform",
    ]


def test_a_session_that_cannot_share_is_refused_where_pipe_code_runs() -> None:
    class Bare:
        platform = "bare"

    with pytest.raises(RunError) as caught:
        without_keys(Bare(), people(), "x")  # type: ignore[arg-type]  # it lacks almost everything
    assert str(caught.value).splitlines() == [
        "KDL-GOV-006: a keyed mask cannot act on a Python pipe on the platform 'bare'",
        "  why: its sessions lack the feature 'share': pipe code could reach the key",
        "  do: use a mask without a key, SQL, or another platform",
    ]


def test_a_mask_that_says_it_is_keyed_must_give_keys(masks: Masks) -> None:
    with pytest.raises(PluginError) as caught:
        governed(KeyedSession(), masks, people(), CLASSES, (rule("keyless", key="secret://env/K"),))
    assert str(caught.value).splitlines() == [
        "KDL-GOV-005: the mask 'keyless' gives no keys",
        "  why: its plugin declares the feature 'keyed', and has no keys()",
        "  where: policy.masks.r, column 'mail'",
        "  do: tell the plugin's author: its conformance suite shows it",
    ]


def test_a_column_that_cannot_be_masked_is_told_with_its_rule(masks: Masks) -> None:
    with pytest.raises(ConfigError) as caught:
        governed(KeyedSession(), masks, people(), {"n": ("pii",)}, (rule("picky", glob="pii"),))
    assert str(caught.value).splitlines() == [
        "KDL-GOV-100: the type 'bigint' cannot be masked",
        "  where: policy.masks.r, column 'n'",
    ]


# --- whole runs ----------------------------------------------------------------------------------


def shop(**options: object) -> k.App:
    """Declare raw -> silver -> gold."""
    app = k.App("shop")
    raw = app.source("raw", k.storage("scratch"), schema=PEOPLE, classify={"mail": "pii.email"})
    silver = app.sql("silver", "SELECT n, mail AS address FROM {raw}", inputs={"raw": raw}, **options)
    app.sql("gold", "SELECT address, count(*) AS c FROM {s} GROUP BY address", inputs={"s": silver})
    return app


def masking(name: str = "mails", **facts: object) -> dict[str, object]:
    told = {"class": "pii.*", "mask": "blank", "options__text": "***", **facts}
    return {f"policy__masks__{name}__{key}": value for key, value in told.items()}


def parts(bench: Bench, name: str) -> dict[str, str]:
    return dict(bench.state.tasks("shop", "dev")[name, "*"].parts)


def test_classes_go_on_to_what_is_made_and_are_remembered(bench: Bench) -> None:
    bench.use(shop()).put("raw", PEOPLE, (1, CANARY))
    bench.run()
    assert (parts(bench, "silver")["classes"], parts(bench, "gold")["classes"]) == (
        "address=pii.email",
        "address=pii.email",
    )
    assert not bench.plan().changes
    assert bench.rows("gold") == [(CANARY, 1)]


def test_a_rule_masks_what_its_pipes_read_and_reruns_exactly_them(bench: Bench) -> None:
    bench.use(shop()).put("raw", PEOPLE, (1, CANARY))
    bench.run()
    for key, value in masking(entities=["gold"]).items():
        bench.set(*key.split("__"), value=value)
    assert bench.reasons("silver")[0][0] == "unchanged"
    assert bench.reasons("gold") == [
        ("rights", "the effective rights or masks, or the classes of what it reads, changed")
    ]
    assert bench.ran() == {"gold": "done"}
    assert (bench.rows("silver"), bench.rows("gold")) == ([(1, CANARY)], [("***", 1)])
    assert "classes" not in parts(bench, "gold")
    assert not bench.plan().changes


def test_what_is_made_of_masked_columns_inherits_nothing(bench: Bench) -> None:
    bench.use(shop(), **masking(entities=["silver"]), run__trace=True).put("raw", PEOPLE, (1, CANARY))
    bench.run()
    traces = {event.key: event for event in bench.heard if isinstance(event, TaskTraced)}
    assert (traces["silver"].masked, traces["silver"].classes) == ((("raw", "mail", "blank"),), {})
    assert (bench.rows("silver"), traces["gold"].masked) == ([(1, "***")], ())
    told = "".join(map(str, bench.heard)) + str(bench.state.tasks("shop", "dev"))
    assert CANARY not in told


def test_the_pipe_that_reads_decides_be_memory_entities_inlined_or_shared(bench: Bench) -> None:
    for others in (0, 1):
        app = k.App("shop")
        raw = app.source("raw", k.storage("scratch"), schema=PEOPLE, classify={"mail": "pii.email"})
        middle = app.sql("middle", "SELECT mail FROM {a}", inputs={"a": raw}, storage=k.memory())
        app.sql("gold", "SELECT length(mail) AS l, mail FROM {m}", inputs={"m": middle})
        app.sql("free", "SELECT mail FROM {m}", inputs={"m": middle})
        if others:
            bench.drop("gold")
        bench.use(app, **masking(entities=["gold"])).put("raw", PEOPLE, (1, CANARY))
        bench.run(select=() if others else ("gold",))
        assert bench.rows("gold") == [(3, "***")]
    assert bench.rows("free") == [(CANARY,)]


def test_pipes_of_exempt_workloads_see_the_raw_values(bench: Bench) -> None:
    given = masking(entities=["gold"], unless=["role:trusted"])
    given["policy__roles__trusted"] = ["workload:etl"]
    bench.use(shop(), **given).put("raw", PEOPLE, (1, CANARY))
    bench.run(principal="etl")
    assert bench.rows("gold") == [(CANARY, 1)]
    bench.run()
    assert bench.rows("gold") == [("***", 1)]


def test_added_rows_leave_the_classes_of_older_ones(bench: Bench) -> None:
    def declared(column: str) -> k.App:
        app = k.App("shop")
        raw = app.source("raw", k.storage("scratch"), schema=PEOPLE, classify={"mail": "pii.email"})
        app.sql("log", f"SELECT {column} AS v FROM {{a}}", inputs={"a": raw}, write=k.append())
        return app

    bench.use(declared("mail")).put("raw", PEOPLE, (1, CANARY))
    bench.run()
    bench.use(declared("'x'"))
    bench.run()
    assert parts(bench, "log")["classes"] == "v=pii.email"
    bench.run(full_refresh=True)
    assert "classes" not in parts(bench, "log")


def test_a_commit_of_which_nothing_is_recorded_is_made_again_where_classes_matter(bench: Bench) -> None:
    bench.use(shop()).put("raw", PEOPLE, (1, CANARY))
    bench.run()
    bench.state.forget("shop", "dev", ["silver"])
    assert bench.reasons("silver")[0][0] == "recovered"
    assert bench.decided("silver").action == "run"


def test_classes_of_another_apps_table_are_said_where_it_is_named(bench: Bench) -> None:
    app = k.App("shop")
    people = app.ref("crm", "people", classify={"mail": "pii.email"})
    app.sql("out", "SELECT mail FROM {p}", inputs={"p": people})
    bench.use(app, **masking()).put("people", PEOPLE, (1, CANARY), app="crm")
    bench.run()
    assert bench.rows("out") == [("***",)]


def test_masks_that_slices_were_made_without_are_told(bench: Bench) -> None:
    app = k.App("shop")
    columns = "at timestamp, mail string"
    raw = app.source("raw", k.storage("scratch"), schema=columns, classify={"mail": "pii.email"})
    query = "SELECT at, mail FROM {r}"
    app.sql("daily", query, inputs={"r": raw}, incremental=k.by_time("at", every="1d"))
    moments = [datetime(2024, 1, day, tzinfo=timezone.utc) for day in (1, 2)]
    bench.use(app).put("raw", columns, *((moment, CANARY) for moment in moments))
    bench.run()
    assert bench.plan().warnings == ()
    for key, value in masking().items():
        bench.set(*key.split("__"), value=value)
    (warning,) = bench.plan().warnings
    assert warning == (
        "2 finished slices of 'daily' were made by another version of its code, options or masks; "
        "--full-refresh, or --from and --to, make them again"
    )
    bench.run(full_refresh=True)
    assert [mail for _, mail in bench.rows("daily")] == ["***", "***"]
    assert bench.plan().warnings == ()


def test_an_opaque_pipe_hands_on_every_class(bench: Bench) -> None:
    app = k.App("shop")
    raw = app.source("raw", k.storage("scratch"), schema=PEOPLE, classify={"mail": "pii.email"})

    @app.pipe(raw, name="rows", context=True)
    def rows(context: k.Context, df: Frame) -> Frame:
        values = [(row[0],) for row in df.collect().rows()]
        return context.frame(values, "n bigint")

    bench.use(app).put("raw", PEOPLE, (1, CANARY))
    bench.run()
    assert parts(bench, "rows")["classes"] == "n=pii.email"


def test_a_mask_that_fails_fails_its_task_alone(bench: Bench) -> None:
    bench.use(shop(), **masking(mask="picky", entities=["gold"])).put("raw", PEOPLE, (1, CANARY))
    result = bench.run()
    assert {key: outcome.status for key, outcome in result.outcomes.items()} == {
        "silver": "done",
        "gold": "failed",
    }
    error = result.outcomes["gold"].error
    assert (error["code"], error["where"]) == ("KDL-GOV-100", "policy.masks.mails, column 'address'")
    with pytest.raises(KindlingError, match="KDL-PLUG-002"):
        bench.use(shop(), **masking(mask="nowhere")).plan()


# --- errors tell no classified value -------------------------------------------------------------


def failing(bench: Bench, function: object, **options: object) -> tuple[dict[str, object], str]:
    """Run one pipe over classified rows; return its error, and all that the run left in its folder."""
    app = k.App("shop")
    raw = app.source("raw", k.storage("scratch"), schema=PEOPLE, classify={"mail": "pii.email"})
    app.pipe(raw, name="out", **options)(function)  # type: ignore[arg-type]  # a test's own
    bench.use(app).put("raw", PEOPLE, (1, CANARY))
    result = bench.run()
    left = "".join(file.read_text(encoding="utf-8") for file in bench.run_dir(result).iterdir())
    return dict(result.outcomes["out"].error), left + str(bench.state.outcomes(result.run_id))


def test_an_engine_that_cites_a_value_is_not_cited(bench: Bench) -> None:
    error, left = failing(bench, lambda df: df.with_columns(pl.col("mail").cast(pl.Int64)))
    assert (error["code"], error["why"], error["hint"]) == (
        "KDL-RUN-002",
        "InvalidOperationError; its text is left out: it may hold values of classified columns",
        "call the pipe with rows of your own, in a test: the whole text is shown there",
    )
    assert CANARY not in left
    assert "test_governing" in left or "polars" in left  # the traceback's lines are kept


def test_an_analysis_that_fails_is_told_and_what_pipe_code_cites_is_hidden(bench: Bench) -> None:
    error, left = failing(bench, lambda df: df.select("nowhere").collect().lazy())
    assert "nowhere" in str(error["why"])

    def cites(df: Frame) -> Frame:
        raise ValueError(f"bad mail {df.collect()['mail'][0]!r}")

    bench.drop("raw")
    error, left = failing(bench, cites)
    assert error["why"] == "bad mail '***'"
    assert CANARY not in left


# --- keyed masks ---------------------------------------------------------------------------------


class Vaulted:
    """A shop whose mails are masked with a key from the scratch vault."""

    def __init__(self, bench: Bench, function: object = same) -> None:
        self.bench = bench
        self.file = bench.path / "vault.json"
        self.rotate(KEY)
        app = k.App("shop")
        raw = app.source("raw", k.storage("scratch"), schema=PEOPLE, classify={"mail": "pii.email"})
        app.pipe(raw, name="out")(function)  # type: ignore[arg-type]  # a test's own
        rule = masking(mask="stamp", key="secret://vault/k")
        bench.use(app, **rule, secrets__vault__file=str(self.file), run__trace=True)
        bench.put("raw", PEOPLE, (1, CANARY))

    def rotate(self, key: str) -> None:
        self.file.write_text(json.dumps({"k": key}), encoding="utf-8")

    def told(self) -> str:
        """Return everything that is left of a run besides its table and its vault."""
        runs = self.bench.path / ".kindling"
        files = [file.read_bytes() for file in runs.rglob("*") if file.is_file()]
        state = self.bench.state
        return (
            b"".join(files).decode(errors="replace") + str(self.bench.heard) + str(state.tasks("shop", "dev"))
        )


def test_a_keyed_mask_masks_and_its_key_is_found_nowhere(bench: Bench) -> None:
    seen: list[str] = []

    def out(df: Frame) -> Frame:
        seen.append(df.explain())
        return df

    shop = Vaulted(bench, out)
    plan = str(bench.plan().to_plain())
    assert bench.ran() == {"out": "done"}
    assert bench.rows("out") == [(1, len(CANARY))]
    told = shop.told() + plan + "".join(seen)
    for text in (KEY, KEY.encode().hex(), CANARY):
        assert text not in told
    assert "secret:secret://vault/k" in parts(bench, "out")


def test_pipe_code_gets_a_frame_without_the_key(bench: Bench) -> None:
    frames: list[Frame] = []

    def out(df: Frame) -> Frame:
        frames.append(df)
        return df

    Vaulted(bench, out)
    bench.run()
    (frame,) = frames
    assert frame.collect().rows() == [(1, len(CANARY))]  # its session is closed, and its keys are gone
    assert "pad" not in frame.explain()


def test_a_rotated_key_makes_the_rows_anew(bench: Bench) -> None:
    shop = Vaulted(bench)
    bench.run()
    assert not bench.plan().changes
    shop.rotate("another-key-91d2")
    assert bench.reasons("out") == [
        ("settings", "the secret 'secret://vault/k', which the pipe reads, changed")
    ]
    assert bench.ran() == {"out": "done"}
    assert not bench.plan().changes


def test_a_missing_key_fails_the_task_before_it_reads(bench: Bench) -> None:
    shop = Vaulted(bench)
    shop.file.write_text("{}", encoding="utf-8")
    error = bench.run().outcomes["out"].error
    assert error["code"] == "KDL-CONF-020"
    assert bench.columns("out") == ()
