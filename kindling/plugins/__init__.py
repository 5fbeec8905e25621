"""Finding and loading plugins: what is installed, which of it may be used, and its offers.

`catalog` answers what is installed and imports no plugin; `loader` imports one module, the first time
that one of its capabilities is needed; `policy` is asked by both.
"""

from __future__ import annotations
