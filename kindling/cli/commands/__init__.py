"""One module per command, imported when it is called."""

from __future__ import annotations
