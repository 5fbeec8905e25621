"""`kindling registry review`: what a submission asks for, and whether a person must look at it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from kindling_plugin_registry.check.reviewing import Workshop, keep_results
from kindling_plugin_registry.check.rooms import Sources
from kindling_plugin_registry.check.submission import review
from kindling_plugin_registry.client.kernel import document
from kindling_plugin_registry.operator.options import json_option, registry_option, source_at

if TYPE_CHECKING:
    from kindling_plugin_registry.check.submission import Review

SCHEMA = "kindling.registry-review/1"
WORKFLOWS = Path(__file__).parent / "workflows"


@click.command("review")
@click.option("--base", default="HEAD", show_default=True, help="The commit before the submission.")
@click.option("--approved", "is_approved", is_flag=True, help="A person has looked; questions are answered.")
@click.option("--apply", "is_applied", is_flag=True, help="If it is accepted, keep the tests' results.")
@click.option("--wheels", type=click.Path(path_type=Path), help="Folder with wheels and source archives.")
@click.option("--kernel", default="", envvar="KINDLING_REGISTRY_KERNEL", help="Requirement, wheel or folder.")
@click.option("--find-links", multiple=True, envvar="KINDLING_REGISTRY_LINKS", help="Folder with wheels.")
@click.option("--workflows", type=click.Path(path_type=Path), help="Only write the workflows to a folder.")
@registry_option
@json_option
def command(
    *,
    base: str,
    is_approved: bool,
    is_applied: bool,
    wheels: Path | None,
    kernel: str,
    find_links: tuple[str, ...],
    workflows: Path | None,
    folder: Path | None,
    is_json: bool,
) -> int:
    """Review what changed since BASE. Exits with 0 if it is accepted, 1 if not, 3 if a person must decide.

    Each new release is compared with its wheels, which are checked as `kindling plugins check` does.
    """
    if workflows:
        shutil.copytree(WORKFLOWS, workflows, dirs_exist_ok=True)
        return 0
    source = source_at(folder)
    workshop = Workshop(sources=Sources(kernel=kernel, find_links=find_links), wheels=wheels)
    done = review(source, base, workshop, is_approved=is_approved)
    if is_applied and done.decision == "accept":
        for item in done.releases:
            keep_results(source, item)
    sys.stdout.write(document(SCHEMA, **_plain(done)) if is_json else _text(done))
    return done.exit_code


def _plain(done: Review) -> dict[str, object]:
    return {
        "decision": done.decision,
        "findings": msgspec.to_builtins(done.findings),
        "questions": msgspec.to_builtins(done.questions),
        "releases": [
            {"name": item.name, "version": item.version, "levels": [one.level for one in item.checked]}
            for item in done.releases
        ],
    }


def _text(done: Review) -> str:
    lines = [finding.text() for finding in done.findings]
    lines += [
        f"ask   {item.code}: {item.what}" + (f": {item.why}" if item.why else "") for item in done.questions
    ]
    for item in done.releases:
        levels = ", ".join(one.level or "not tested" for one in item.checked) or "not checked"
        lines.append(f"{item.name} {item.version}: {levels}")
    lines.append({"accept": "accepted", "refuse": "refused"}.get(done.decision, "a person must decide"))
    return "\n".join(lines) + "\n"
