"""Imports a plugin's modules under watch and calls its hooks: `python watch.py SPEC.json RESULT.json`."""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from audit import Watch  # type: ignore[import-not-found]  # stands beside this file, where it runs


def main() -> None:
    """Read what to import, import it, write what happened."""
    with open(sys.argv[1], encoding="utf-8") as file:
        spec = json.load(file)
    for kind in spec["kinds"]:
        importlib.import_module(f"kindling.hooks.{kind}")  # the kernel's share is not the plugin's
    engines_before = {name for name in spec["engines"] if name in sys.modules}
    watch = Watch()
    watch.start()
    began = time.perf_counter()
    errors = [*imported(spec["modules"])]
    took = time.perf_counter() - began
    result: dict[str, object] = {"observed": watch.result(), "import_ms": round(took * 1000)}
    result["engines"] = sorted({name for name in spec["engines"] if name in sys.modules} - engines_before)
    result["errors"] = errors or [*offered(spec["capabilities"])]
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(result, file)


def imported(modules: list[str]) -> list[list[str]]:
    """Import modules; return name and reason of each that fails."""
    errors = []
    for name in modules:
        try:
            importlib.import_module(name)
        except BaseException:  # noqa: BLE001  # whatever foreign code raises is what is asked for
            errors.append([name, traceback.format_exc(limit=-2).strip().splitlines()[-1]])
    return errors


def offered(capabilities: dict[str, str]) -> list[list[str]]:
    """Call hooks; return capability and reason where none offers it."""
    errors = []
    for capability, module in capabilities.items():
        kind, _, name = capability.partition(":")
        try:
            offers = getattr(importlib.import_module(module), f"kindling_{kind}_offers")()
            if name not in {offer.name for offer in offers}:
                errors.append([capability, f"{module} does not offer it"])
        except BaseException:  # noqa: BLE001  # the same
            errors.append([capability, traceback.format_exc(limit=-2).strip().splitlines()[-1]])
    return errors


main()
