"""`kindling explain`: what an error code means, and what to do."""

from __future__ import annotations

import sys

import click

from kindling.cli.documents import document
from kindling.cli.pages import codes, page, title
from kindling.cli.tables import table_text


@click.command("explain")
@click.argument("code", default="", shell_complete=lambda _c, _p, typed: [c for c in codes() if typed in c])
@click.option("--list", "is_list", is_flag=True, help="List all codes.")
@click.option("--json", "is_json", is_flag=True, help="Print it as JSON (schema kindling.explain/1).")
def command(code: str, is_list: bool, is_json: bool) -> None:
    """Explain an error CODE such as KDL-PLAN-020."""
    if not code and not is_list:
        msg = "say which code, or --list"
        raise click.UsageError(msg)
    listed = codes() if is_list else [page(code)[0]]
    if is_json:
        pages = [{"code": name, "title": title(name), "text": page(name)[1]} for name in listed]
        text = document("kindling.explain/1", pages=pages)
    elif is_list:
        text = table_text([(name, title(name)) for name in listed])
    else:
        text = page(code)[1]
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
