"""The operator's commands, one in a module; each has the name `command`."""

from __future__ import annotations
