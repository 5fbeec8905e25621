from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Author
    from kindling_plugin_registry.check.checking import Checked

PLUGIN = "src/kindling_plugin_attic/plugin.py"
MANIFEST = "src/kindling_plugin_attic/kindling.json"


def missing_module(author: Author) -> Checked:
    author.put("pyproject.toml", "kindling_plugin_attic.plugin", "kindling_plugin_attic.plugins")
    return author.looked_at()


def misspelt_hook(author: Author) -> Checked:
    author.put(PLUGIN, "def kindling_sink_offers", "def kindling_sink_offer")
    return author.looked_at()


def disagreeing_manifest(author: Author) -> Checked:
    author.put(MANIFEST, '"sink:attic"', '"sink:loft"')
    return author.looked_at()


def wrong_manifest(author: Author) -> Checked:
    author.put(MANIFEST, '"durable"', '"durabel"')
    return author.looked_at()


def stray_file(author: Author) -> Checked:
    return author.looked_at({"kindling/errors.py": "", "setup.py": ""})


def path_file(author: Author) -> Checked:
    return author.looked_at({"attic.pth": "import os"})


def alike_name(author: Author) -> Checked:
    return author.looked_at(None, "kindling-plugin-attlc", "kindling-plugin-delta")


def no_licence(author: Author) -> Checked:
    author.put("pyproject.toml", 'license = "Apache-2.0"\nlicense-files = ["LICENSE"]\n', "")
    return author.looked_at()


def engine_at_the_top(author: Author) -> Checked:
    author.begin(PLUGIN, "try:\n    import pyarrow.compute\nexcept ImportError:\n    pass")
    return author.looked_at()


def no_kernel(author: Author) -> Checked:
    author.put("pyproject.toml", '"kindling-core>=0.1,<0.2"', '"click"')
    return author.looked_at()


FAULTS: dict[str, tuple[Callable[[Author], Checked], tuple[str, ...]]] = {
    "missing module": (
        missing_module,
        (
            (
                "fail  KDL-REG-205: 'sink:attic' stands in a module that the wheel does not hold\n"
                "  why: its entry point says 'kindling_plugin_attic.plugins'\n"
                "  where: kindling_plugin_attic-0.1.0.dist-info/entry_points.txt\n"
                "  do: write kindling_plugin_attic/plugins.py, or correct the entry point in pyproject.toml"
            ),
        ),
    ),
    "misspelt hook": (
        misspelt_hook,
        (
            (
                "fail  KDL-REG-206: 'sink:attic' has no hook 'kindling_sink_offers'\n"
                "  why: did you mean 'kindling_sink_offer'?\n"
                "  where: kindling_plugin_attic/plugin.py\n"
                "  do: @hookimpl above def kindling_sink_offers() in kindling_plugin_attic/plugin.py"
            ),
        ),
    ),
    "disagreeing manifest": (
        disagreeing_manifest,
        (
            (
                "fail  KDL-REG-204: manifest and entry points of 'kindling-plugin-attic' 0.1.0"
                " disagree on 'sink:loft'\n"
                "  why: KDL-PLUG-012: no entry point 'loft' in the group 'kindling.sink'\n"
                "  where: kindling_plugin_attic/kindling.json\n"
                '  do: add loft = "module" under [project.entry-points."kindling.sink"]'
            ),
            (
                "fail  KDL-REG-204: manifest and entry points of 'kindling-plugin-attic' 0.1.0"
                " disagree on 'sink:attic'\n"
                "  why: KDL-PLUG-012: an entry point without a capability in the manifest\n"
                "  where: kindling_plugin_attic/kindling.json\n"
                "  do: add 'sink:attic' to its capabilities"
            ),
        ),
    ),
    "wrong manifest": (
        wrong_manifest,
        (
            (
                "fail  KDL-REG-203: the manifest of 'kindling-plugin-attic' 0.1.0 is wrong at"
                " 'capabilities.sink:attic.features'\n"
                "  why: KDL-PLUG-011: 'durabel' is unknown, did you mean 'durable'?\n"
                "  where: kindling_plugin_attic/kindling.json\n"
                "  do: correct kindling_plugin_attic/kindling.json"
            ),
        ),
    ),
    "files outside of the package": (
        stray_file,
        tuple(
            f"fail  KDL-REG-207: the wheel holds {name!r}, outside of its package\n"
            "  why: expected only kindling_plugin_attic/ and kindling_plugin_attic-0.1.0.dist-info/;"
            " others may replace foreign files\n"
            f"  where: {name}\n"
            "  do: move it into src/kindling_plugin_attic/, or leave it out of the wheel"
            for name in ("kindling/errors.py", "setup.py")
        ),
    ),
    "a .pth file": (
        path_file,
        (
            (
                "fail  KDL-REG-208: the wheel holds 'attic.pth'\n"
                "  why: Python would run its lines at every start, with or without Kindling\n"
                "  where: attic.pth\n"
                "  do: take it out; do at the first use what it does"
            ),
        ),
    ),
    "a name like another": (
        alike_name,
        (
            (
                "fail  KDL-REG-209: the names 'kindling-plugin-attic' and 'kindling-plugin-attlc'"
                " are too alike\n"
                "  why: they are one typing error apart\n"
                "  do: take another name"
            ),
            (
                "fail  KDL-REG-209: the names 'kindling-plugin-attic' and 'kindling-plugin-attlc'"
                " are too alike\n"
                "  why: they look the same\n"
                "  do: take another name"
            ),
        ),
    ),
    "no licence": (
        no_licence,
        (
            (
                "fail  KDL-REG-210: 'kindling-plugin-attic' names no licence\n"
                "  why: nobody may use what has none\n"
                "  where: kindling_plugin_attic-0.1.0.dist-info/METADATA\n"
                '  do: license = "Apache-2.0", or another SPDX expression, in pyproject.toml'
            ),
        ),
    ),
    "an engine at module level": (
        engine_at_the_top,
        (
            (
                "fail  KDL-REG-211: 'kindling_plugin_attic/plugin.py' imports 'pyarrow.compute'"
                " at module level\n"
                "  why: listing and loading plugins would start an engine's import\n"
                "  where: kindling_plugin_attic/plugin.py:5\n"
                "  do: move the import into the function that needs it"
            ),
        ),
    ),
    "no kernel": (
        no_kernel,
        (
            (
                "fail  KDL-REG-212: 'kindling-plugin-attic' does not say which kernel it needs\n"
                "  why: no requirement on 'kindling-core' with a range\n"
                "  where: kindling_plugin_attic-0.1.0.dist-info/METADATA\n"
                '  do: dependencies = ["kindling-core>=0.1,<0.2"] in pyproject.toml'
            ),
        ),
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_of_a_wheel_is_named_with_its_place_and_a_way_out(author: Author, case: str) -> None:
    act, texts = FAULTS[case]
    done = act(author)
    assert {finding.text() for finding in done.findings} == set(texts)
    assert (done.exit_code, done.result) == (1, None)


def test_all_faults_of_a_wheel_are_told_at_once(author: Author) -> None:
    author.put(PLUGIN, "def kindling_sink_offers", "def kindling_sink_offer")
    done = author.looked_at({"attic.pth": "", "setup.py": ""}, "kindling-plugin-attlc")
    codes = {finding.code for finding in done.findings}
    assert codes == {"KDL-REG-206", "KDL-REG-207", "KDL-REG-208", "KDL-REG-209"}


def test_an_import_that_hints_at_a_permission_is_a_warning(author: Author) -> None:
    author.begin("src/kindling_plugin_attic/sink.py", "import subprocess  # noqa: F401\nimport urllib.parse")
    done = author.looked_at()
    assert [finding.text() for finding in done.findings] == [
        (
            "warn  KDL-REG-213: 'kindling_plugin_attic/sink.py' imports 'subprocess', and the permission"
            " 'process' is not declared\n"
            "  where: kindling_plugin_attic/sink.py:4\n"
            '  do: add "process" to "permissions" in kindling.json, if it is used'
        )
    ]
    assert done.exit_code == 0


def test_what_is_only_imported_for_type_checkers_is_no_engine(author: Author) -> None:
    author.begin(PLUGIN, "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    import pyarrow")
    assert author.looked_at().findings == ()
