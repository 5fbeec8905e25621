"""What a registry runs on a plugin, and its author too: static checks, import, conformance, evidence."""

from __future__ import annotations
