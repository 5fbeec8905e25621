"""Masks with one fault each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from fakes import OfMemoryMask
from mutation import mutant

from kindling.errors import ConfigError
from kindling.hooks.masking import MaskRequest, Secret
from kindling.testing.memory_masking import MemoryMask

if TYPE_CHECKING:
    from kindling.testing.offers import Contract


def mask_mutant(*kills: str) -> Callable[[type], type[Contract]]:
    return mutant(OfMemoryMask, "made", *kills)


@mask_mutant("it_can_be_asked_for_an_expression")
class SaysNothing(MemoryMask):
    def expression(self, request: MaskRequest) -> str:
        return ""


@mask_mutant("nulls_stay_null")
class MasksNullToo(MemoryMask):
    def expression(self, request: MaskRequest) -> str:
        return f"coalesce({super().expression(request)}, {'0' if request.type == 'bigint' else repr('none')})"


@mask_mutant("no_text_is_found_in_a_mask")
class KeepsTheText(MemoryMask):
    def expression(self, request: MaskRequest) -> str:
        made = super().expression(request)
        return made if request.type == "bigint" else f"concat({made}, ' ', {request.column})"


@mask_mutant("a_column_may_have_any_name")
class QuotesNothing(MemoryMask):
    def expression(self, request: MaskRequest) -> str:
        return super().expression(replace(request, column=request.column.strip("`")))


@mask_mutant("the_same_request_has_the_same_expression")
class NumbersItsExpressions(MemoryMask):
    def __init__(self) -> None:
        self.numbers = count()

    def expression(self, request: MaskRequest) -> str:
        return f"coalesce({super().expression(request)}, nullif({next(self.numbers)}, 0))"


@mask_mutant("an_unknown_option_is_refused_by_its_name")
class IgnoresOptions(MemoryMask):
    def expression(self, request: MaskRequest) -> str:
        return super().expression(replace(request, options={}))


@mask_mutant("an_unknown_option_is_refused_by_its_name")
class CitesOptions(MemoryMask):
    def expression(self, request: MaskRequest) -> str:
        try:
            return super().expression(request)
        except ConfigError as error:
            error.why = f"found {dict(request.options)}"
            raise


@mask_mutant("other_types_are_refused_by_their_name")
class TakesAnyType(MemoryMask):
    def expression(self, request: MaskRequest) -> str:
        return super().expression(replace(request, type="bigint"))


@mask_mutant("a_masked_column_keeps_its_type")
class GivesTexts(MemoryMask):
    def expression(self, request: MaskRequest) -> str:
        return f"CAST({super().expression(request)} AS STRING)"


@mask_mutant("equal_values_have_equal_masks")
class MasksEachRowAnew(MemoryMask):
    def expression(self, request: MaskRequest) -> str:
        made, row = super().expression(request), request.columns["id"]
        return f"{made} + {row}" if request.type == "bigint" else f"concat({made}, CAST({row} AS STRING))"


@mask_mutant("keys_are_bytes_under_plain_names_and_made_of_the_secret_alone")
class NamesKeysOddly(MemoryMask):
    def keys(self, secret: Secret) -> Mapping[str, bytes]:
        return {"the factor": super().keys(secret)["factor"]}


@mask_mutant("keys_are_bytes_under_plain_names_and_made_of_the_secret_alone")
class GivesTextKeys(MemoryMask):
    def keys(self, secret: Secret) -> Mapping[str, bytes]:
        return {"factor": super().keys(secret)["factor"].decode()}  # type: ignore[dict-item]  # the fault


@mask_mutant("another_key_gives_other_masks")
class HasOneKey(MemoryMask):
    def keys(self, secret: Secret) -> Mapping[str, bytes]:
        super().keys(secret)
        return super().keys(Secret("the key of every rule of everybody"))


@mask_mutant("a_key_stands_in_no_expression_and_in_no_mask")
class WritesItsKeyIntoExpressions(MemoryMask):
    def keys(self, secret: Secret) -> Mapping[str, bytes]:
        self.factor = super().keys(secret)["factor"]
        return {"factor": self.factor}

    def expression(self, request: MaskRequest) -> str:
        made = super().expression(request)
        return made.replace(request.keys["factor"], f"'{self.factor.decode()}'")


@mask_mutant("a_key_stands_in_no_expression_and_in_no_mask")
class WritesItsKeyIntoMasks(MemoryMask):
    def expression(self, request: MaskRequest) -> str:
        made, key = super().expression(request), request.keys["factor"]
        return made if request.type == "bigint" else f"concat({made}, CAST({key} AS STRING))"


@mask_mutant("a_short_key_is_refused_and_not_told")
class TakesShortKeys(MemoryMask):
    def keys(self, secret: Secret) -> Mapping[str, bytes]:
        return super().keys(Secret(secret.reveal() * 9))


@mask_mutant("a_short_key_is_refused_and_not_told")
class TellsShortKeys(MemoryMask):
    def keys(self, secret: Secret) -> Mapping[str, bytes]:
        try:
            return super().keys(secret)
        except ConfigError as error:
            error.why = f"found {secret.reveal()}"
            raise


@mask_mutant("nothing_is_printed_or_logged_of_a_key")
class LogsKeys(MemoryMask):
    def keys(self, secret: Secret) -> Mapping[str, bytes]:
        logging.getLogger("masks").debug("the key is %s", secret.reveal())
        return super().keys(secret)
