"""A plugin for the tests of the kernel: capabilities over the fakes of `kindling.testing`, kept in files."""

from __future__ import annotations

__version__ = "1.0"
