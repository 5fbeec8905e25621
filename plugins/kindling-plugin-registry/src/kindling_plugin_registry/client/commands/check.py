"""`kindling plugins check`: what a registry runs on a plugin, for its author."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from kindling_plugin_registry.client.kernel import document

if TYPE_CHECKING:
    from kindling_plugin_registry.check.checking import Checked

SCHEMA = "kindling.plugins-check/1"


@click.command("check")
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option("--tests", type=click.Path(path_type=Path), help="For a wheel: its project or source archive.")
@click.option("--static", "is_static", is_flag=True, help="Only look at the wheel.")
@click.option("--kernel", default="", envvar="KINDLING_REGISTRY_KERNEL", help="Requirement, wheel or folder.")
@click.option("--find-links", multiple=True, envvar="KINDLING_REGISTRY_LINKS", help="Folder with wheels.")
@click.option("--no-index", "is_offline", is_flag=True, help="Install from --find-links alone.")
@click.option("--names", "names", multiple=True, help="Names of other plugins, which must not look alike.")
@click.option("--service", "services", multiple=True, help="A service for which tests may be skipped.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write the JSON to a file too.")
@click.option("--log", "log", type=click.Path(path_type=Path), help="Write what tests printed to a file.")
@click.option("--json", "is_json", is_flag=True, help=f"Print it as JSON (schema {SCHEMA}).")
def command(
    path: Path,
    tests: Path | None,
    is_static: bool,
    kernel: str,
    find_links: tuple[str, ...],
    is_offline: bool,
    names: tuple[str, ...],
    services: tuple[str, ...],
    output: Path | None,
    log: Path | None,
    is_json: bool,
) -> int:
    """Check the plugin in PATH, a project or a wheel, as a registry does. Exits with 1 if that refuses it.

    It is built, looked at, installed into a clean environment, and, with the network cut, imported under
    watch and tested by the kernel's contracts. This is evidence, not a sandbox.
    """
    from kindling_plugin_registry.check.checking import Request, check
    from kindling_plugin_registry.check.rooms import Sources

    request = Request(
        path=path.absolute(),
        tests=tests.absolute() if tests else None,
        sources=Sources(kernel=kernel, find_links=find_links, is_offline=is_offline),
        names=names,
        services=services,
        is_static=is_static,
    )
    with tempfile.TemporaryDirectory(prefix="kindling-check-") as folder:
        checked = check(request, Path(folder))
    text = document(SCHEMA, **plain_of(checked))
    if output:
        output.write_text(text, encoding="utf-8")
    if log:
        log.write_text(checked.log, encoding="utf-8")
    sys.stdout.write(text if is_json else text_of(checked))
    return checked.exit_code


def plain_of(checked: Checked) -> dict[str, object]:
    """Return a check as JSON types."""
    wheel = checked.wheel
    return {
        "wheel": wheel.filename if wheel else "",
        "sha256": wheel.sha256 if wheel else "",
        "name": wheel.name if wheel else "",
        "version": wheel.version if wheel else "",
        "findings": msgspec.to_builtins(checked.findings),
        "result": msgspec.to_builtins(checked.result),
        "level": checked.level,
        "network_cut": checked.is_cut,
        "exit_code": checked.exit_code,
    }


def text_of(checked: Checked) -> str:
    """Return a check as people read it."""
    lines = [finding.text() for finding in checked.findings]
    wheel, result = checked.wheel, checked.result
    if wheel is not None:
        lines.append(f"{wheel.filename}  sha256 {wheel.sha256[:12]}")
    if result is not None:
        lines += [
            f"{capability}: {count.passed} passed, {count.failed} failed, {count.skipped} left out"
            for capability, count in result.capabilities.items()
        ]
        cut = "without a network" if checked.is_cut else "the network could not be cut on this machine"
        lines.append(f"imported in {result.import_ms} ms, {cut}")
    failed = sum(finding.severity == "fail" for finding in checked.findings)
    if failed:
        lines.append(f"{failed} findings would keep it out of a registry")
    elif checked.level:
        lines.append(f"a registry that sees the same would list it as {checked.level}")
    return "\n".join(lines) + "\n"
