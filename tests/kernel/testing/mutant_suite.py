"""All mutants as test classes. Not collected by itself: `test_mutants.py` runs it and reads the results."""

from __future__ import annotations

import key_mutants
import other_mutants
import platform_mutants
import storage_mutants
from mutation import suite

for module in (platform_mutants, storage_mutants, key_mutants, other_mutants):
    found = suite(vars(module))
    assert not found.keys() & globals().keys(), "two mutants have one name"
    globals().update(found)
