"""The operator's side: a registry's source, its build, its signatures, its copies."""

from __future__ import annotations
