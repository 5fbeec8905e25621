"""All mutants as test classes. Not collected by itself: `test_mutants.py` runs it and reads the results."""

from __future__ import annotations

import exchange_mutants
import executor_mutants
import key_mutants
import lineage_mutants
import masking_mutants
import platform_mutants
import record_mutants
import storage_mutants
import trace_mutants
from mutation import suite

MODULES = (
    platform_mutants,
    exchange_mutants,
    storage_mutants,
    key_mutants,
    executor_mutants,
    record_mutants,
    lineage_mutants,
    trace_mutants,
    masking_mutants,
)

for module in MODULES:
    found = suite(vars(module))
    assert not found.keys() & globals().keys(), "two mutants have one name"
    globals().update(found)
