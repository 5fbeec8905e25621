from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from kindling_plugin_registry.formats import Schemas, source_bytes, write_file
from kindling_plugin_registry.operator.source import MOMENT, now

from kindling.errors import Faults, PluginError, PolicyError

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE = "kindling-plugin-sample"
BUILD = """
import pathlib, sys
from datetime import datetime, timezone
from kindling_plugin_registry.operator.building import build
from kindling_plugin_registry.operator.source import Source
source = Source(pathlib.Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
build(source, datetime.now(timezone.utc))
"""


def test_an_index_holds_what_its_schemas_say(shop: Any, samples: Any) -> None:
    shop.add(conflicts=["other"], permissions=["network", "files"])
    shop.add(version="1.1.0b1")
    (shop.source.plugin(SAMPLE) / "README.md").write_text("# Sample\n", encoding="utf-8")
    write_file(shop.source.folder / "advisories/KINDSA-2026-0001.json", source_bytes(samples.advisory()))
    built = shop.build()
    assert (built.plugins, built.rebuilt, built.removed) == (1, (SAMPLE,), ())
    schemas = Schemas()
    for name in ("index", "capabilities", "files", "advisories", "policy"):
        assert schemas.check(shop.document(f"targets/{name}.json"), name, "") == []
    assert schemas.check(shop.document(f"plugins/{SAMPLE}.json"), "plugin-page", "") == []
    (entry,) = shop.document("targets/index.json")["plugins"]
    assert entry == {
        "n": SAMPLE, "s": "Sample tables.", "v": "1.0.0", "py": ">=3.11", "k": ">=0.1,<0.2",
        "c": ["storage:sample"], "lv": "listed", "st": False, "lf": "stable", "lic": "Apache-2.0",
        "p": ["files", "network"], "adv": ["KINDSA-2026-0001"], "kw": [], "upd": "2026-11-25",
    }  # fmt: skip
    assert shop.document("targets/capabilities.json")["capabilities"] == {
        "storage:sample": [{"n": SAMPLE, "v": "1.0.0", "api": "1.0", "f": ["reads"], "lv": "listed"}]
    }
    files = shop.document("targets/files.json")["files"]
    assert sorted(files) == [f"plugins/{SAMPLE}.json", f"readme/{SAMPLE}.md"]
    page = shop.document(f"plugins/{SAMPLE}.json")
    assert [release["version"] for release in page["releases"]] == ["1.1.0b1", "1.0.0"]
    assert page["levels"]["1.0.0"]["why"] == "the registry has not tested this release"
    assert page["readme_sha256"] == files[f"readme/{SAMPLE}.md"][0]


@pytest.mark.parametrize("is_quick", [False, True])
def test_only_what_changed_is_made_again(shop: Any, *, is_quick: bool) -> None:
    names = [f"kindling-plugin-{word}" for word in ("north", "south", "upper")]
    for name in names:
        shop.add(name)
    assert shop.build(is_quick=is_quick).rebuilt == tuple(names)
    first = (shop.source.dist / "targets/index.json").read_bytes()
    assert shop.build(is_quick=is_quick).rebuilt == ()
    shop.add(names[1], "1.1.0")
    assert shop.build(is_quick=is_quick).rebuilt == (names[1],)
    assert (shop.source.dist / "targets/index.json").read_bytes() != first
    for path in sorted(shop.source.plugin(names[0]).rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    shop.source.plugin(names[0]).rmdir()
    built = shop.build(is_quick=is_quick)
    assert (built.plugins, built.removed) == (2, (names[0],))
    assert not (shop.source.dist / f"plugins/{names[0]}.json").exists()


def test_what_nothing_changed_keeps_its_bytes_and_its_date(shop: Any) -> None:
    shop.add()
    shop.build()
    before = {path: path.stat().st_mtime_ns for path in shop.source.dist.rglob("*") if path.is_file()}
    shop.build(now() + timedelta(hours=1))
    assert before == {path: path.stat().st_mtime_ns for path in shop.source.dist.rglob("*") if path.is_file()}


def test_a_build_from_nothing_makes_the_same_pages_as_steps_do(shop: Any, samples: Any) -> None:
    shop.add("kindling-plugin-north")
    shop.build()
    shop.add("kindling-plugin-south", requires_dist=["kindling_plugin.north>=1"])
    shop.build()
    write_file(
        shop.source.folder / "advisories/KINDSA-2026-0001.json",
        source_bytes(samples.advisory(affected=[_all_of("kindling-plugin-north")])),
    )
    shop.build()
    stepwise = shop.copy("stepwise")
    page = shop.document("plugins/kindling-plugin-north.json")
    assert page["dependents"] == ["kindling-plugin-south"]
    assert page["advisories"] == ["KINDSA-2026-0001"]
    (shop.source.folder / ".build" / "cache.msgpack").unlink()
    assert shop.build().rebuilt == ("kindling-plugin-north", "kindling-plugin-south")
    for path in (shop.source.dist / "plugins").iterdir():
        assert path.read_bytes() == (stepwise / "plugins" / path.name).read_bytes()


def test_levels_sink_when_results_get_old(shop: Any, samples: Any) -> None:
    shop.add()
    folder = shop.source.plugin(SAMPLE) / "conformance"
    at = now()
    result = samples.result(at=at.strftime(MOMENT))
    write_file(folder / "1.0.0.json", source_bytes(samples.conformance(results=[result])))
    shop.build()
    assert shop.document("targets/index.json")["plugins"][0]["lv"] == "conformant"
    assert shop.build(at + timedelta(days=89)).rebuilt == ()
    assert shop.build(at + timedelta(days=91)).rebuilt == (SAMPLE,)
    (entry,) = shop.document("targets/index.json")["plugins"]
    assert (entry["lv"], entry["st"]) == ("loadable", True)


def test_a_plugin_without_a_release_is_named_and_not_listed(shop: Any) -> None:
    shop.add().unlink()
    built = shop.build()
    assert (built.plugins, built.without_release) == (0, (SAMPLE,))


def test_what_is_yanked_is_offered_no_more(shop: Any, samples: Any) -> None:
    shop.add(yanked={"reason": "broken", "at": samples.NOW})
    shop.build()
    assert shop.document("targets/capabilities.json")["capabilities"] == {}
    assert shop.document("targets/index.json")["plugins"][0]["v"] == "1.0.0"


def test_kept_wheels_get_pages_for_pip(shop: Any, samples: Any, make_wheel: Any) -> None:
    from kindling_plugin_registry.operator.adding import add_wheels

    add_wheels(shop.source, [make_wheel(), make_wheel(version="1.1.0")], samples.NOW)
    from kindling_plugin_registry.operator.changing import yank

    yank(shop.source, SAMPLE, "1.0.0", 'it "breaks" <all>', samples.NOW)
    shop.build()
    text = (shop.source.dist / f"simple/{SAMPLE}/index.html").read_text(encoding="utf-8")
    digest = shop.document(f"plugins/{SAMPLE}.json")["releases"][0]["artifacts"][0]["sha256"]
    assert f'<a href="../../wheels/kindling_plugin_sample-1.1.0-py3-none-any.whl#sha256={digest}"' in text
    assert 'data-requires-python="&gt;=3.11,&lt;4"' in text
    assert 'data-yanked="it &quot;breaks&quot; &lt;all&gt;"' in text
    assert (shop.source.dist / "wheels/kindling_plugin_sample-1.1.0-py3-none-any.whl").is_file()
    (shop.source.wheels / "kindling_plugin_sample-1.1.0-py3-none-any.whl").write_bytes(b"other")
    with pytest.raises(PolicyError) as caught:
        shop.build()
    path = shop.source.wheels / "kindling_plugin_sample-1.1.0-py3-none-any.whl"
    assert caught.value.what == f"the wheel {path.name!r} is not the one of its release"
    assert caught.value.why.endswith(f", expected {digest}")


def test_all_faults_of_all_plugins_are_told_and_nothing_is_written(shop: Any) -> None:
    shop.add("kindling-plugin-north")
    shop.add("kindling-plugin-south", requires_python=3)
    (shop.source.plugin("kindling-plugin-north") / "releases/1.0.0.json").rename(
        shop.source.plugin("kindling-plugin-north") / "releases/2.0.0.json"
    )
    with pytest.raises(Faults) as caught:
        shop.build()
    assert [fault.code for fault in caught.value.faults] == ["KDL-REG-021", "KDL-REG-002"]
    assert str(caught.value.faults[0]) == (
        "KDL-REG-021: a document does not fit its place\n"
        "  why: a release says version '1.0.0', expected a file '1.0.0.json'\n"
        f"  where: {shop.source.plugin('kindling-plugin-north')}\n"
        "  do: git mv, or mend the document"
    )
    assert not shop.source.dist.exists()


def test_a_page_that_speaks_for_another_plugin_is_refused(shop: Any) -> None:
    path = shop.add("kindling-plugin-north")
    path.write_text(path.read_text().replace('"kindling-plugin-north"', '"kindling-plugin-south"'))
    with pytest.raises(PluginError) as caught:
        shop.build()
    assert caught.value.why == "name is 'kindling-plugin-south', expected 'kindling-plugin-north'"


def test_a_dry_run_writes_nothing(shop: Any) -> None:
    shop.add()
    assert shop.build(is_dry=True).rebuilt == (SAMPLE,)
    assert not shop.source.dist.exists()


def test_a_killed_build_leaves_the_signed_index_whole(shop: Any) -> None:
    names = [f"kindling-plugin-{word}{end}" for word in ("north", "south", "upper") for end in "abcdefgh"]
    for name in names:
        shop.add(name)
    shop.publish()
    old = shop.verify()
    expected = {name: old.read(name) for name in old.files}
    for round_, delay_ms in enumerate((0, 2, 5, 10, 20, 40)):
        for name in names:
            shop.add(name, f"1.{round_ + 1}.0")
        _build_and_kill(shop.source.folder, delay_ms / 1000)
        found = shop.verify()
        assert {name: found.read(name) for name in found.files} == expected
    shop.publish(1)
    found = shop.verify()
    for name in names:
        releases = json.loads(found.read(f"plugins/{name}.json"))["releases"]
        assert releases[0]["version"] == "1.6.0"
    assert not list(shop.source.dist.rglob("*.new"))


def _build_and_kill(folder: Path, delay_s: float) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", BUILD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "ready\n"
        process.stdin.write("go\n")
        process.stdin.flush()
        try:
            process.wait(delay_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)


def _all_of(name: str) -> dict[str, object]:
    return {
        "package": {"ecosystem": "PyPI", "name": name},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}],
    }
