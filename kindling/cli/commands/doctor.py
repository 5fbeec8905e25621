"""`kindling doctor`: what is wrong with this machine, and what to do about it."""

from __future__ import annotations

import sys

import click

from kindling.cli.checkup import findings
from kindling.cli.documents import document
from kindling.cli.finding import FAIL, WARN
from kindling.cli.tables import table_text
from kindling.errors import worst_exit_code


@click.command("doctor")
@click.option("--env", "-e", "environment", metavar="NAME", help="Environment to work in.")
@click.option("--start/--no-start", "starts", default=True, help="Start the chosen engine, or only load it.")
@click.option("--json", "is_json", is_flag=True, help="Print it as JSON (schema kindling.doctor/1).")
def command(environment: str | None, starts: bool, is_json: bool) -> int:
    """Look at this machine: Python, plugins, engines, state, project. Every fault has its fix.

    Exits with 4 if the chosen platform is unusable, and with 0 where there are only warnings.
    """
    found = findings(environment, starts=starts)
    code = worst_exit_code(finding.exit_code for finding in found)
    if is_json:
        plain = [finding.to_plain() for finding in found]
        sys.stdout.write(document("kindling.doctor/1", findings=plain, exit_code=code))
        return code
    rows = []
    for finding in found:
        rows.append((finding.status, finding.name, finding.text))
        rows += [("", "", f"do: {finding.fix}")] if finding.fix else []
    counts = {status: sum(finding.status == status for finding in found) for status in (FAIL, WARN)}
    last = ", ".join(f"{count} {status}" for status, count in counts.items() if count) or "nothing is wrong"
    sys.stdout.write(f"{table_text(rows)}\n{last}\n")
    return code
