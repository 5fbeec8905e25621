"""Review of a submission: what a change asks of a registry, and whether a person must look at it.

A submission adds releases of plugins, and for a new plugin its `plugin.toml`. Nothing here merges or
signs; the workflows in `workflows/` do, after what this says.
"""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from kindling.errors import UsageError
from kindling_plugin_registry.check.findings import Finding, is_failed, of_error
from kindling_plugin_registry.check.reviewing import Reviewed, review_release
from kindling_plugin_registry.operator.validation import validate
from kindling_plugin_registry.records import PluginRecord, Release

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kindling_plugin_registry.check.reviewing import Workshop
    from kindling_plugin_registry.operator.source import Source

_DISPUTES = ("KDL-REG-020", "KDL-REG-022")
"""Faults of the validation that only a person can settle: names that look alike, a capability of two."""
_PART = 3  # plugins, name, and what stands below


class Review(Struct, frozen=True, kw_only=True):
    """What a review found.

    Attributes:
        decision: `accept`, `ask` a person, or `refuse`.
        findings: What keeps it out.
        questions: What a person must decide: first submission, new permission, publisher, name, other files.
        releases: The releases and their evidence.
    """

    decision: str
    findings: tuple[Finding, ...]
    questions: tuple[Finding, ...]
    releases: tuple[Reviewed, ...]

    @property
    def exit_code(self) -> int:
        """0 accepted, 1 refused, 3 a person must look."""
        return {"accept": 0, "refuse": 1}.get(self.decision, 3)


class Change(Struct, frozen=True, kw_only=True):
    """One changed file: its path in the registry, or in the repository where it stands outside of it."""

    path: str
    is_new: bool
    is_inside: bool


def review(source: Source, base: str, workshop: Workshop, *, is_approved: bool = False) -> Review:
    """Review what differs between a commit of the registry's repository and the folder as it is.

    Args:
        source: The registry with the submission.
        base: The commit to compare with.
        workshop: Where and how wheels are checked.
        is_approved: A person has looked: questions are answered, findings still count.

    Raises:
        UsageError: KDL-REG-250, there is no repository or no such commit.
    """
    before = _Before(source, base)
    changes = before.changes()
    findings = list(_forged(changes))
    questions = list(_other_files(changes))
    for fault in validate(source).faults:
        asked = fault.code in _DISPUTES
        (questions if asked else findings).extend(of_error(fault, "KDL-REG-263" if asked else fault.code))
    done = []
    if not findings:
        for name in sorted({name for change in changes if (name := _plugin_of(change))}):
            record = source.record(name)
            questions += _questions_of(record, before.record(name))
            for release in _new_releases(source, name, changes):
                questions += _permissions(release, before.newest(name))
                done.append(review_release(source, release, workshop))
                findings += done[-1].findings
    decision = "refuse" if is_failed(findings) else "ask" if questions and not is_approved else "accept"
    return Review(
        decision=decision, findings=tuple(findings), questions=tuple(questions), releases=tuple(done)
    )


class _Before:
    """The registry as it was."""

    def __init__(self, source: Source, base: str) -> None:
        self.source = source
        self.base = base
        top = self._git("rev-parse", "--show-prefix")
        if top is None or self._git("rev-parse", "--verify", f"{base}^{{commit}}") is None:
            raise UsageError(
                "KDL-REG-250",
                f"nothing can be compared with {base!r}",
                why="the registry is in no git repository" if top is None else "git knows no such commit",
                where=str(source.folder),
                hint="kindling registry review --base origin/main, in a clone with its history",
            )
        self.prefix = top.strip()

    def _git(self, *arguments: str) -> str | None:
        command = ["git", "-C", str(self.source.folder), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # git of the operator's PATH
        return done.stdout if done.returncode == 0 else None

    def changes(self) -> list[Change]:
        listed = self._git("diff", "--name-status", "--no-renames", "-z", self.base, "--", ":/") or ""
        words = listed.split("\0")
        found = {path: state == "A" for state, path in zip(words[::2], words[1::2], strict=False)}
        extra = self._git("ls-files", "--others", "--exclude-standard", "--full-name", "-z", "--", ":/") or ""
        found.update(dict.fromkeys(filter(None, extra.split("\0")), True))
        return [self._change(path, is_new=is_new) for path, is_new in sorted(found.items())]

    def _change(self, path: str, *, is_new: bool) -> Change:
        is_inside = path.startswith(self.prefix)
        return Change(
            path=path.removeprefix(self.prefix) if is_inside else path, is_new=is_new, is_inside=is_inside
        )

    def record(self, name: str) -> PluginRecord | None:
        text = self._git("show", f"{self.base}:./plugins/{name}/plugin.toml")
        return msgspec.convert(tomllib.loads(text), PluginRecord) if text is not None else None

    def newest(self, name: str) -> Release | None:
        listed = self._git("ls-tree", "-z", "--name-only", self.base, f"plugins/{name}/releases/") or ""
        texts = [self._git("show", f"{self.base}:./{path}") for path in listed.split("\0") if path]
        found = [msgspec.json.decode(text.encode(), type=Release) for text in texts if text]
        return max(found, key=lambda item: item.released_at, default=None)


def _plugin_of(change: Change) -> str:
    parts = PurePosixPath(change.path).parts
    return parts[1] if change.is_inside and len(parts) >= _PART and parts[0] == "plugins" else ""


def _is_submitted(change: Change) -> bool:
    """Tell whether a file may come with a submission without a question."""
    parts = PurePosixPath(change.path).parts
    if not change.is_inside:
        return False
    if parts[0] == "wheels":
        return change.is_new
    if not _plugin_of(change):
        return False
    return parts[2] in ("plugin.toml", "README.md") or (parts[2] == "releases" and change.is_new)


def _is_result(change: Change) -> bool:
    parts = PurePosixPath(change.path).parts
    return bool(_plugin_of(change)) and parts[2] == "conformance"


def _other_files(changes: list[Change]) -> Iterator[Finding]:
    others = [change.path for change in changes if not _is_submitted(change) and not _is_result(change)]
    if others:
        yield Finding(
            code="KDL-REG-264",
            what="other files than those of a submission are changed",
            why=", ".join(others[:5]),
            hint="put them into a change of their own",
        )


def _forged(changes: list[Change]) -> Iterator[Finding]:
    for change in changes:
        if _is_result(change):
            yield Finding(
                code="KDL-REG-265",
                what="a submission brings results of tests",
                why="they come from the registry's own runs alone",
                where=change.path,
                hint=f"git rm {change.path}",
            )


def _new_releases(source: Source, name: str, changes: list[Change]) -> list[Release]:
    new = {
        PurePosixPath(change.path).stem for change in changes if change.is_new and "/releases/" in change.path
    }
    return [item for item in source.releases(name) if item.version in new]


def _questions_of(record: PluginRecord, before: PluginRecord | None) -> Iterator[Finding]:
    if before is None:
        yield Finding(
            code="KDL-REG-260",
            what=f"{record.name!r} is submitted for the first time",
            why="a person looks at name, purpose and people once",
        )
        return
    for key in ("publisher", "maintainers"):
        if getattr(record, key) != getattr(before, key):
            yield Finding(
                code="KDL-REG-262",
                what=f"the {key} of {record.name!r} changed",
                why=f"from {_shown(getattr(before, key))} to {_shown(getattr(record, key))}",
            )


def _shown(value: object) -> str:
    return str(msgspec.json.encode(value), "utf-8")


def _permissions(release: Release, before: Release | None) -> Iterator[Finding]:
    new = sorted({*release.permissions} - {*(before.permissions if before else ())})
    if new and before is not None:
        yield Finding(
            code="KDL-REG-261",
            what=f"{release.name!r} {release.version} asks for {', '.join(new)}",
            why=f"{before.version} asked for {', '.join(before.permissions) or 'nothing'}",
        )
