"""Platforms whose lineage or whose keys have one fault each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
from full_platform import FullPlatform, FullSession
from platform_mutants import session_mutant

from kindling.hooks import Frame
from kindling.lineage import ColumnLineage, Origin
from kindling.testing.memory_platform import lazy

Lineage = ColumnLineage | None


@session_mutant("columns_and_rows_come_from_what_a_query_says")
class ForgetsWhatDecidesAboutRows(FullSession):
    def lineage(self, frame: Frame, inputs: Mapping[str, Frame]) -> Lineage:
        found = super().lineage(frame, inputs)
        return found and found.replace(rows=())


@session_mutant("columns_and_rows_come_from_what_a_query_says")
class CallsAllTheSame(FullSession):
    def lineage(self, frame: Frame, inputs: Mapping[str, Frame]) -> Lineage:
        found = super().lineage(frame, inputs)
        if found is None:
            return None
        columns = tuple(
            (name, tuple(one.replace(how="transformation") for one in origins))
            for name, origins in found.columns
        )
        return ColumnLineage(columns, found.rows)


@session_mutant("lineage_goes_through_each_step_of_a_session")
class TracesQueriesOnly(FullSession):
    def select(self, frame: Frame, columns: Sequence[tuple[str, str]]) -> Frame:
        return lazy(super().select(frame, columns)).select(pl.all())


@session_mutant("tracing_stops_at_inputs_however_they_were_made")
class TracesThroughInputs(FullSession):
    def lineage(self, frame: Frame, inputs: Mapping[str, Frame]) -> Lineage:
        sources = {name: self._source(given) for name, given in inputs.items()}
        return super().lineage(frame, sources)

    def _source(self, given: Frame) -> Frame:
        made = self._made.get(id(given))
        return self._source(next(iter(made[2].values()))) if made and made[2] else given


@session_mutant("an_input_that_is_returned_is_its_own_origin")
class KnowsNoUntouchedInput(FullSession):
    def lineage(self, frame: Frame, inputs: Mapping[str, Frame]) -> Lineage:
        return None if any(frame is given for given in inputs.values()) else super().lineage(frame, inputs)


@session_mutant("inputs_of_equal_rows_are_told_apart")
class TellsInputsByTheirRows(FullSession):
    def lineage(self, frame: Frame, inputs: Mapping[str, Frame]) -> Lineage:
        found = super().lineage(frame, inputs)
        if found is None:
            return None
        first: dict[str, str] = {}
        for name, given in inputs.items():
            first[name] = next(
                one
                for one, other in inputs.items()
                if set(lazy(other).collect().rows()) == set(lazy(given).collect().rows())
            )
        columns = tuple(
            (name, tuple(one.replace(entity=first[one.entity]) for one in origins))
            for name, origins in found.columns
        )
        return ColumnLineage(columns, tuple(one.replace(entity=first[one.entity]) for one in found.rows))


@session_mutant("columns_are_told_in_their_own_spelling")
class TellsLowerCase(FullSession):
    def lineage(self, frame: Frame, inputs: Mapping[str, Frame]) -> Lineage:
        found = super().lineage(frame, inputs)
        if found is None:
            return None
        columns = tuple(
            (name, tuple(one.replace(column=one.column.lower()) for one in origins))
            for name, origins in found.columns
        )
        return ColumnLineage(columns, found.rows)


@session_mutant("lineage_computes_nothing")
class ComputesForLineage(FullSession):
    def lineage(self, frame: Frame, inputs: Mapping[str, Frame]) -> Lineage:
        lazy(frame).collect()
        return super().lineage(frame, inputs)


@session_mutant("a_frame_from_elsewhere_is_opaque_or_of_no_input")
class GuessesAnInput(FullSession):
    def lineage(self, frame: Frame, inputs: Mapping[str, Frame]) -> Lineage:
        found = super().lineage(frame, inputs)
        entity = next(iter(inputs))
        if found is None:
            return ColumnLineage(tuple((name, (Origin(entity, name),)) for name in self.schema(frame).names))
        columns = tuple((name, origins or (Origin(entity, name),)) for name, origins in found.columns)
        return ColumnLineage(columns, found.rows)


Columns = Sequence[tuple[str, str]]
Keys = Mapping[str, bytes]


@session_mutant("expressions_may_name_key_columns")
class TakesOneKeyOnly(FullSession):
    def select_with_keys(self, frame: Frame, columns: Columns, keys: Keys) -> Frame:
        (name, value), *more = keys.items()
        if more:
            raise ValueError(name)
        return super().select_with_keys(frame, columns, {name: value})


@session_mutant("keys_are_binary_and_frames_of_several_keys_live_side_by_side")
class KeepsTheLastKeys(FullSession):
    def select_with_keys(self, frame: Frame, columns: Columns, keys: Keys) -> Frame:
        made = super().select_with_keys(frame, columns, keys)
        last = self._keys[next(reversed(self._keys))]
        for name in self._keys:
            self._keys[name] = last
        return made


@session_mutant(
    "keys_stand_in_no_plan_and_no_column_name", "frames_cannot_be_computed_once_their_keys_were_dropped"
)
class WritesKeysIntoThePlan(FullSession):
    def select_with_keys(self, frame: Frame, columns: Columns, keys: Keys) -> Frame:
        row = [pl.lit(value.decode("latin-1")).cast(pl.Binary).alias(name) for name, value in keys.items()]
        return self.select(lazy(frame).with_columns(row), columns)


@session_mutant("keys_stand_in_no_error")
class TellsKeysInErrors(FullSession):
    def select_with_keys(self, frame: Frame, columns: Columns, keys: Keys) -> Frame:
        try:
            return super().select_with_keys(frame, columns, keys)
        except Exception as error:
            raise ValueError(f"with {dict(keys)}: {error}") from error


@session_mutant(
    "frames_cannot_be_computed_once_their_keys_were_dropped", "closing_a_session_drops_its_keys_and_no_others"
)
class DropsNothing(FullSession):
    def drop_keys(self) -> None:
        pass


@session_mutant("closing_a_session_drops_its_keys_and_no_others")
class DropsKeysOfOthers(FullSession):
    def __init__(self, owner: FullPlatform, spec: object) -> None:
        super().__init__(owner, spec)  # type: ignore[arg-type]  # handed on
        self._keys = vars(owner).setdefault("all_keys", self._keys)
