from __future__ import annotations

import fakes
import full_platform


class TestMemoryPlatform(fakes.OfMemoryPlatform):
    pass


class TestMemoryStorage(fakes.OfMemoryStorage):
    pass


class TestInlineExecutor(fakes.OfInlineExecutor):
    pass


class TestMemoryState(fakes.OfMemoryState):
    pass


class TestMemorySecrets(fakes.OfMemorySecrets):
    pass


class TestMemoryMask(fakes.OfMemoryMask):
    pass


class TestListSink(fakes.OfListSink):
    pass


class TestListLineage(fakes.OfListLineage):
    pass


class TestFullPlatform(full_platform.OfFullPlatform):
    pass
