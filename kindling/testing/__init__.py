"""What plugin authors and pipeline authors test with."""

from __future__ import annotations
