"""Platforms with one fault each."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
from full_platform import FullPlatform, FullSession, OfFullPlatform
from mutation import mutant

from kindling.errors import EngineLostError
from kindling.frames import FrameApi
from kindling.hooks import Frame
from kindling.hooks.platform import Rows, SessionSpec, SharedRef
from kindling.schemas import Schema
from kindling.testing.memory_platform import lazy

if TYPE_CHECKING:
    from kindling.testing.offers import Contract


def session_mutant(*kills: str) -> Callable[[type[FullSession]], type[Contract]]:
    def build(broken: type[FullSession]) -> type[Contract]:
        platform = type(broken.__name__, (FullPlatform,), {"sessions": broken})
        return mutant(OfFullPlatform, "made", *kills)(platform)

    return build


def platform_mutant(*kills: str) -> Callable[[type[FullPlatform]], type[Contract]]:
    return mutant(OfFullPlatform, "made", *kills)


@session_mutant("frames_of_the_session_are_told_from_other_objects")
class TakesAnythingForAFrame(FullSession):
    def is_frame(self, candidate: object) -> bool:
        return True


@session_mutant("the_frame_api_makes_columns_that_frames_take")
class HasNoFunctions(FullSession):
    @property
    def frames(self) -> FrameApi:
        return FrameApi(functions=object(), window=object(), types=object())


@session_mutant("aggregates_have_the_types_that_spark_gives", "expressions_have_the_types_that_spark_gives")
class KeepsTheEnginesTypes(FullSession):
    def schema(self, frame: Frame) -> Schema:
        fields = super().schema(frame).fields
        other = {"bigint": "decimal(38,0)", "int": "bigint"}
        return Schema(tuple(field.replace(type=other.get(field.type, field.type)) for field in fields))


@session_mutant("a_schema_is_found_without_computing")
class ComputesForASchema(FullSession):
    def schema(self, frame: Frame) -> Schema:
        lazy(frame).collect()
        return super().schema(frame)


@session_mutant("select_keeps_the_order_of_its_aliases")
class SortsColumns(FullSession):
    def select(self, frame: Frame, columns: Sequence[tuple[str, str]]) -> Frame:
        return super().select(frame, sorted(columns))


@session_mutant("select_takes_spark_sql_expressions")
class MisreadsBetween(FullSession):
    def select(self, frame: Frame, columns: Sequence[tuple[str, str]]) -> Frame:
        return super().select(frame, [(a, text.replace(" BETWEEN ", " NOT BETWEEN ")) for a, text in columns])


@session_mutant("where_keeps_only_rows_whose_condition_is_true")
class WhereKeepsNulls(FullSession):
    def where(self, frame: Frame, condition: str) -> Frame:
        return super().where(frame, f"coalesce({condition}, TRUE)")


@session_mutant("cast_gives_exactly_the_columns_asked_for_in_their_order")
class CastKeepsOtherColumns(FullSession):
    def cast(self, frame: Frame, schema: Schema) -> Frame:
        return lazy(frame).with_columns(
            lazy(super().cast(frame, schema)).collect().to_struct().struct.unnest()
        )


@session_mutant("a_value_that_does_not_fit_its_type_fails_and_never_becomes_null")
class CastGivesNull(FullSession):
    def cast(self, frame: Frame, schema: Schema) -> Frame:
        types = lazy(super().cast(frame, schema)).collect_schema()
        return lazy(frame).select(pl.col(name).cast(kind, strict=False) for name, kind in types.items())


@session_mutant("casting_a_fraction_to_a_whole_number_cuts_it_or_is_refused")
class CastRounds(FullSession):
    def cast(self, frame: Frame, schema: Schema) -> Frame:
        floats = [n for n, kind in lazy(frame).collect_schema().items() if kind.is_float()]
        return super().cast(lazy(frame).with_columns(pl.col(floats).round()), schema)


@session_mutant("cast_keeps_nulls")
class CastFillsNulls(FullSession):
    def cast(self, frame: Frame, schema: Schema) -> Frame:
        return lazy(super().cast(frame, schema)).fill_null(0)


@session_mutant("text_is_cast_to_dates_and_instants")
class CastShiftsInstants(FullSession):
    def cast(self, frame: Frame, schema: Schema) -> Frame:
        made = lazy(super().cast(frame, schema))
        instants = [name for name, kind in made.collect_schema().items() if isinstance(kind, pl.Datetime)]
        return made.with_columns(pl.col(instants) - pl.duration(hours=2))


@session_mutant("aggregate_gives_values_by_alias")
class AggregatesInUpperCase(FullSession):
    def aggregate(self, frame: Frame, columns: Sequence[tuple[str, str]]) -> Mapping[str, object]:
        return {name.upper(): value for name, value in super().aggregate(frame, columns).items()}


@session_mutant("an_aggregate_of_no_rows_counts_zero_and_sums_null")
class SumsNothingToZero(FullSession):
    def aggregate(self, frame: Frame, columns: Sequence[tuple[str, str]]) -> Mapping[str, object]:
        return {name: value or 0 for name, value in super().aggregate(frame, columns).items()}


@session_mutant("sql_joins_groups_and_nests")
class JoinsOuter(FullSession):
    def sql(self, text: str, frames: Mapping[str, Frame]) -> Frame:
        return super().sql(re.sub(r"(?<!CROSS )JOIN", "LEFT JOIN", text), frames)


@session_mutant("one_table_name_may_stand_for_different_frames_in_two_queries")
class KeepsTheFirstTable(FullSession):
    def sql(self, text: str, frames: Mapping[str, Frame]) -> Frame:
        known = vars(self).setdefault("known", {})
        return super().sql(
            text, {name: known.setdefault((name, text), frame) for name, frame in frames.items()}
        )


@session_mutant(
    "nulls_come_first_in_ascending_and_last_in_descending_order", "windows_order_nulls_like_queries_do"
)
class SortsNullsLast(FullSession):
    def sql(self, text: str, frames: Mapping[str, Frame]) -> Frame:
        return super().sql(re.sub(r"ORDER BY name(?! DESC)", "ORDER BY name NULLS LAST", text), frames)


@session_mutant("fail_when_lets_good_rows_pass")
class FailWhenKeepsItsColumns(FullSession):
    def fail_when(self, frame: Frame, rules: Mapping[str, str]) -> Frame:
        return lazy(super().fail_when(frame, rules)).with_columns(bad=False)


@session_mutant("fail_when_fails_while_computing_and_names_the_marker")
class FailWhenHidesTheMarker(FullSession):
    def fail_when(self, frame: Frame, rules: Mapping[str, str]) -> Frame:
        return super().fail_when(frame, {f"rule {place}": text for place, text in enumerate(rules.values())})


@session_mutant("fail_when_reaches_through_later_steps")
class FailWhenLooksAtTheEndOnly(FullSession):
    def fail_when(self, frame: Frame, rules: Mapping[str, str]) -> Frame:
        vars(self).setdefault("guarded", {})[id(frame)] = (frame, super().fail_when(frame, rules))
        return frame

    def preview(self, frame: Frame, limit: int) -> Rows:
        return super().preview(vars(self).get("guarded", {}).get(id(frame), (frame, frame))[1], limit)


@session_mutant("a_condition_that_is_null_is_not_bad")
class FailWhenNullIsBad(FullSession):
    def fail_when(self, frame: Frame, rules: Mapping[str, str]) -> Frame:
        return super().fail_when(frame, {m: f"coalesce({text}, TRUE)" for m, text in rules.items()})


@session_mutant("preview_brings_no_more_rows_than_asked")
class PreviewBringsAll(FullSession):
    def preview(self, frame: Frame, limit: int) -> Rows:
        return super().preview(frame, 10**9)


@session_mutant("columns_and_values_of_any_script_survive")
class SelectSpeaksAscii(FullSession):
    def select(self, frame: Frame, columns: Sequence[tuple[str, str]]) -> Frame:
        ascii_only = [(alias.encode("ascii", "replace").decode(), text) for alias, text in columns]
        return super().select(frame, [(f"{alias}{n}", text) for n, (alias, text) in enumerate(ascii_only)])


@session_mutant("an_empty_frame_keeps_its_schema")
class ForgetsColumnsOfEmptyFrames(FullSession):
    def preview(self, frame: Frame, limit: int) -> Rows:
        found = super().preview(frame, limit)
        return found if found.rows else Rows((), ())


@session_mutant("decimals_stay_exact")
class DecimalsBecomeFloats(FullSession):
    def preview(self, frame: Frame, limit: int) -> Rows:
        found = super().preview(frame, limit)
        rows = [tuple(float(v) if isinstance(v, Decimal) else v for v in row) for row in found.rows]
        return Rows(found.columns, tuple(rows))


@session_mutant("instants_are_shown_in_utc")
class LivesInBerlin(FullSession):
    def select(self, frame: Frame, columns: Sequence[tuple[str, str]]) -> Frame:
        shown = [(alias, text.replace("hour(t)", "(hour(t) + 2) % 24")) for alias, text in columns]
        return super().select(frame, shown)


@session_mutant("closing_a_session_twice_leaves_the_others_alive")
class ClosesOnce(FullSession):
    def close(self) -> None:
        if vars(self).setdefault("closed", 0):
            raise RuntimeError("the session is closed")
        vars(self)["closed"] = 1


@session_mutant("a_session_has_the_features_that_are_declared")
class HidesAFeature(FullSession):
    def __init__(self, owner: FullPlatform, spec: SessionSpec) -> None:
        super().__init__(owner, spec)
        self.features = owner.features - {"arrow-out"}


@session_mutant("a_declared_feature_is_implemented")
class LacksToArrow(FullSession):
    to_arrow = None  # type: ignore[assignment]  # the fault


class OfLessDeclared(OfFullPlatform):
    features = OfFullPlatform.features - {"share"}


TestDeclaresLess = mutant(OfLessDeclared, "made", "an_implemented_protocol_is_declared")(
    type("DeclaresLess", (FullPlatform,), {})
)


@session_mutant("sessions_name_their_platform_and_their_engine")
class HasAnEngineOfItsOwn(FullSession):
    def __init__(self, owner: FullPlatform, spec: SessionSpec) -> None:
        super().__init__(owner, spec)
        self.engine = f"{owner.engine}-{spec.tag}"


@session_mutant("a_session_sees_its_own_tables_under_a_shared_name")
class SharesTablesByName(FullSession):
    def sql(self, text: str, frames: Mapping[str, Frame]) -> Frame:
        known = vars(self.owner).setdefault("known", {})
        if text == "SELECT n FROM t":
            frames = {name: known.setdefault(name, frame) for name, frame in frames.items()}
        return super().sql(text, frames)


@session_mutant("a_table_of_another_session_is_unknown")
class SeesTablesOfOthers(FullSession):
    def sql(self, text: str, frames: Mapping[str, Frame]) -> Frame:
        known = vars(self.owner).setdefault("known", {})
        known.update(frames)
        return super().sql(text, {**known, **frames})


@session_mutant("sessions_work_side_by_side_in_threads")
class HandsFramesOverInTheOpen(FullSession):
    def sql(self, text: str, frames: Mapping[str, Frame]) -> Frame:
        if "t" not in frames:
            return super().sql(text, frames)
        vars(self.owner)["open"] = frames
        time.sleep(0.005)
        return super().sql(text, vars(self.owner)["open"])


@platform_mutant("a_running_platform_is_healthy")
class NeverHealthy(FullPlatform):
    def is_healthy(self) -> bool:
        return False


@platform_mutant("a_platform_is_not_healthy_before_its_start_nor_after_its_end")
class AlwaysHealthy(FullPlatform):
    def is_healthy(self) -> bool:
        return True


@platform_mutant("a_mistake_in_a_query_is_explained_in_two_lines")
class ExplainsNothing(FullPlatform):
    def explain(self, error: BaseException) -> str:
        return "something went wrong"


@platform_mutant("a_mistake_in_a_query_is_not_transient")
class CallsAllTransient(FullPlatform):
    def is_transient(self, error: BaseException) -> bool:
        return True


@platform_mutant("a_lost_engine_is_transient")
class CallsNothingTransient(FullPlatform):
    def is_transient(self, error: BaseException) -> bool:
        return False


@platform_mutant("closing_a_platform_twice_ends_quickly")
class PlatformClosesOnce(FullPlatform):
    def close(self) -> None:
        if not self.is_healthy():
            raise RuntimeError("it is closed")
        super().close()


@platform_mutant("cancelling_ends_a_long_query_and_other_sessions_work_on")
class CancelIsIgnored(FullPlatform):
    def cancel(self, tag: str, grace_s: float) -> bool:
        return True


@platform_mutant("cancelling_an_idle_session_says_that_nothing_runs")
class CancelNeverSure(FullPlatform):
    def cancel(self, tag: str, grace_s: float) -> bool:
        super().cancel(tag, grace_s)
        return False


@session_mutant("a_shared_frame_is_attached_by_another_session")
class SharesDieWithTheirSession(FullSession):
    def share(self, frame: Frame, name: str) -> SharedRef:
        vars(self)["mine"] = name
        return super().share(frame, name)

    def close(self) -> None:
        self.owner.shared.pop(vars(self).get("mine", ""), None)


@session_mutant("a_shared_frame_is_computed_once", "sharing_computes_at_once")
class SharesThePlan(FullSession):
    def share(self, frame: Frame, name: str) -> SharedRef:
        self.owner.shared[name] = lazy(frame)
        return SharedRef(self.engine, name)


@session_mutant("a_shared_frame_of_a_lost_engine_is_refused")
class AttachesNothing(FullSession):
    def attach(self, ref: SharedRef) -> Frame:
        try:
            return super().attach(ref)
        except EngineLostError:
            return pl.LazyFrame()
