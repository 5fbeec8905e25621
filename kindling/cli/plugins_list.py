"""The text of `kindling plugins list`, for the fast path and the ordinary command. No click, no plugin."""

from __future__ import annotations

from kindling.cli.permitted import permitted
from kindling.plugins.listing import list_text, listing


def plugins_text(cwd: str, *, is_json: bool) -> str:
    """Return what is installed, as a table or as JSON (schema `kindling.plugins/1`).

    Inside of a project its `[plugins]` settings count. Where they cannot be read, only environment
    variables do, and the table says so: a list of plugins must work when all else is broken.

    Args:
        cwd: Folder to look for a project from.
        is_json: JSON instead of a table.
    """
    found = permitted(cwd)
    if is_json:
        import json

        return json.dumps(listing(found.cache, found.policy), indent=2, ensure_ascii=False) + "\n"
    text = list_text(found.cache, found.policy)
    if found.fault is not None:
        text += f"\nnote: [plugins] settings are left out: {str(found.fault).partition(chr(10))[0]}\n"
    return text
