"""The hand-written loop: each table of `work.json` in turn, or those that are named as arguments."""

from __future__ import annotations

import sys

from tables import PIPES, make

for name in sys.argv[1:] or PIPES:
    make(name)
