"""Small documents of every kind, for the tests of this folder and those below."""

from __future__ import annotations

import pytest

SHA = "ab" * 32
NOW = "2026-11-25T00:00:00Z"


class Samples:
    """Makes documents as JSON types; keyword arguments replace or add keys."""

    SHA = SHA
    NOW = NOW

    def record(self, name: str = "kindling-plugin-sample", **changes: object) -> dict[str, object]:
        return {
            "schema": "kindling.plugin-record/1",
            "name": name,
            "summary": "Sample tables.",
            "license": "Apache-2.0",
            "lifecycle": "stable",
            "maintainers": [{"name": "Ann"}],
            "publisher": {"kind": "none"},
            **changes,
        }

    def provided(self, capability: str = "storage:sample", **changes: object) -> dict[str, object]:
        return {
            "capability": capability,
            "api": "1.0",
            "features": ["reads"],
            "entry_point": "sample.plugin",
            "needs": {"read": [{"session": ["arrow-in"], "mode": "emulated"}]},
            "config": {"folder": {"type": "string", "default": "x", "doc": "where"}},
            "help": "",
            **changes,
        }

    def artifact(self, **changes: object) -> dict[str, object]:
        return {
            "filename": "kindling_plugin_sample-1.0.0-py3-none-any.whl",
            "url": "https://files.example/kindling_plugin_sample-1.0.0-py3-none-any.whl",
            "sha256": SHA,
            "size": 12,
            "publisher": {"kind": "none", "repository": "", "workflow": ""},
            "sbom_sha256": "",
            **changes,
        }

    def observed(self) -> dict[str, object]:
        return {"files": [], "network": [], "process": []}

    def release(
        self, name: str = "kindling-plugin-sample", version: str = "1.0.0", **changes: object
    ) -> dict[str, object]:
        return {
            "schema": "kindling.release/1",
            "name": name,
            "version": version,
            "released_at": NOW,
            "summary": "Sample tables.",
            "requires_python": ">=3.11",
            "requires_kernel": ">=0.1,<0.2",
            "requires_dist": ["packaging>=24"],
            "extras": {},
            "provides": [self.provided()],
            "permissions": ["files"],
            "conflicts": [],
            "manifest_sha256": SHA,
            "artifacts": [self.artifact()],
            "import_ms": 0,
            "observed": self.observed(),
            "yanked": None,
            **changes,
        }

    def result(self, **changes: object) -> dict[str, object]:
        return {
            "suite": "kindling-conformance",
            "suite_version": "1.0",
            "kernel": "0.1.0",
            "python": "3.11",
            "os": "linux",
            "sha256": SHA,
            "at": NOW,
            "runner": "registry",
            "log_sha256": "",
            "import_ms": 3,
            "observed": self.observed(),
            "undeclared": [],
            "capabilities": {"storage:sample": {"passed": 5, "failed": 0, "skipped": 0}},
            "failures": [],
            **changes,
        }

    def conformance(self, **changes: object) -> dict[str, object]:
        return {
            "schema": "kindling.conformance/1",
            "name": "kindling-plugin-sample",
            "version": "1.0.0",
            "results": [self.result()],
            **changes,
        }

    def advisory(self, **changes: object) -> dict[str, object]:
        return {
            "schema_version": "1.7.0",
            "id": "KINDSA-2026-0001",
            "published": NOW,
            "modified": NOW,
            "summary": "Reads too much.",
            "details": "It reads the neighbour's rows.",
            "affected": [
                {
                    "package": {"ecosystem": "PyPI", "name": "kindling-plugin-sample"},
                    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.2"}]}],
                }
            ],
            **changes,
        }


@pytest.fixture(scope="session")
def samples() -> Samples:
    return Samples()
