"""The registry's documents as frozen values: records, releases, results, pages, index. Not their reading.

Fields are the keys of `docs/registry/format.md`. Decoding by msgspec checks shape and patterns at a few
microseconds each, which is what lets a registry of 100,000 releases be built; the JSON schemas accept and
refuse the same and are asked when all faults of a document must be told (`formats`).
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Struct, convert

RECORD: Final = "kindling.plugin-record/1"
RELEASE: Final = "kindling.release/1"
CONFORMANCE: Final = "kindling.conformance/1"
REVOKED: Final = "kindling.revoked/1"
NAMES: Final = "kindling.names/1"
REGISTRY: Final = "kindling.registry/1"
INDEX: Final = "kindling.index/1"
CAPABILITIES: Final = "kindling.capabilities/1"
FILES: Final = "kindling.files/1"
ADVISORIES: Final = "kindling.advisories/1"
POLICY: Final = "kindling.policy/1"
PAGE: Final = "kindling.plugin-page/1"

# "$" alone also matches before a final line break in Python, and only at the end in JSON Schema's dialect.
_END = r"$(?!\n)"

Name: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*" + _END, max_length=100)]
Version: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9][0-9A-Za-z.!+_-]*" + _END, max_length=60)]
Sha256: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}" + _END)]
MaybeSha256: TypeAlias = Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?" + _END)]
Moment: TypeAlias = Annotated[
    str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z" + _END)
]
Day: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}" + _END)]
CapabilityId: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z]+:[a-z0-9][a-z0-9_-]*" + _END)]
Line: TypeAlias = Annotated[str, Meta(pattern=r"^[^\r\n]*" + _END, max_length=300)]
FullLine: TypeAlias = Annotated[str, Meta(pattern=r"^[^\r\n]*" + _END, min_length=1, max_length=300)]
Some: TypeAlias = Annotated[str, Meta(min_length=1)]
Reason: TypeAlias = Annotated[str, Meta(min_length=1, max_length=1000)]
Link: TypeAlias = Annotated[str, Meta(pattern=r"^(https?://[^\s\"'<>]+)?" + _END, max_length=500)]
Place: TypeAlias = Annotated[str, Meta(pattern=r"^[^\s\"'<>]*" + _END, max_length=1000)]
Filename: TypeAlias = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+!-]*\.(whl|tar\.gz)" + _END, max_length=250)
]
Api: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9]+\.[0-9]+" + _END)]
Whole: TypeAlias = Annotated[int, Meta(ge=0)]
AdvisoryId: TypeAlias = Annotated[str, Meta(pattern=r"^KINDSA-[0-9]{4}-[0-9]{4,}" + _END)]
Permission: TypeAlias = Literal["files", "network", "process"]
Lifecycle: TypeAlias = Literal["incubation", "stable", "mature", "deprecated", "archived"]
LevelName: TypeAlias = Literal["listed", "loadable", "conformant", "verified"]
Severity: TypeAlias = Literal["critical", "high", "low"]
PublisherKind: TypeAlias = Literal["none", "github", "gitlab", "google", "activestate"]


class Document(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Base of all values here: frozen, compared by fields, closed for unknown keys, without cycles."""


class Publisher(Document, frozen=True, kw_only=True):
    """Whose automation publishes a plugin: the identity of PEP 740 provenance; kind `none` without one."""

    kind: PublisherKind
    repository: Line = ""
    workflow: Line = ""


class Maintainer(Document, frozen=True, kw_only=True):
    """Someone who answers for a plugin."""

    name: FullLine
    github: Line = ""


class Links(Document, frozen=True, kw_only=True):
    """Addresses of a plugin's project; "" where there is none."""

    repository: Link = ""
    documentation: Link = ""
    issues: Link = ""
    homepage: Link = ""
    changelog: Link = ""


class PluginRecord(Document, frozen=True, kw_only=True):
    """`plugin.toml`: what people say about a plugin."""

    schema: Literal["kindling.plugin-record/1"]
    name: Name
    summary: FullLine
    license: Annotated[str, Meta(min_length=1, max_length=200)]
    lifecycle: Lifecycle
    maintainers: Annotated[tuple[Maintainer, ...], Meta(min_length=1)]
    publisher: Publisher
    keywords: tuple[Annotated[str, Meta(min_length=1, max_length=40)], ...] = ()
    replaced_by: Annotated[str, Meta(pattern=r"^([a-z0-9]+(-[a-z0-9]+)*)?" + _END, max_length=100)] = ""
    alternative_of: tuple[CapabilityId, ...] = ()
    links: Links = Links()


class Alternative(Document, frozen=True, kw_only=True):
    """One way in which a storage is used: features that the session needs, and the mode it gives."""

    session: tuple[Some, ...]
    mode: Literal["native", "emulated"]


class Setting(Document, frozen=True, kw_only=True):
    """One setting that a capability reads, as `kindling.json` has it; `Provided.config` is checked by it."""

    type: Some = "string"
    default: object = None
    doc: str = ""
    choices: tuple[object, ...] = ()
    least: float = 0
    required: bool = False


class Provided(Document, frozen=True, kw_only=True):
    """One capability that a release offers, from its wheel's `kindling.json` and entry points."""

    capability: CapabilityId
    api: Api
    features: tuple[Some, ...]
    entry_point: Some
    needs: dict[str, tuple[Alternative, ...]]
    config: dict[str, dict[str, object]]
    help: str

    def __post_init__(self) -> None:
        """Refuse settings of another shape; they are kept as the manifest has them, without defaults."""
        for setting in self.config.values():
            convert(setting, type=Setting)


class ArtifactPublisher(Document, frozen=True, kw_only=True):
    """The publisher that a file's provenance was verified to come from; kind `none` if there is no proof."""

    kind: PublisherKind
    repository: Line
    workflow: Line


class Artifact(Document, frozen=True, kw_only=True):
    """One file of a release. `url` is absolute, relative to the plugin's page, or "": in the index."""

    filename: Filename
    url: Place
    sha256: Sha256
    size: Annotated[int, Meta(ge=1)]
    publisher: ArtifactPublisher
    sbom_sha256: MaybeSha256


class Observed(Document, frozen=True, kw_only=True):
    """What was seen to be used while tests ran: evidence, not a limit."""

    files: tuple[str, ...]
    network: tuple[str, ...]
    process: tuple[str, ...]


class Yank(Document, frozen=True, kw_only=True):
    """Why and when a release was withdrawn; it can still be installed by an exact pin."""

    reason: Reason
    at: Moment


class Release(Document, frozen=True, kw_only=True):
    """`releases/<version>.json`: what a release's wheels say. Immutable but for `yanked`."""

    schema: Literal["kindling.release/1"]
    name: Name
    version: Version
    released_at: Moment
    summary: str
    requires_python: Line
    requires_kernel: Line
    requires_dist: tuple[Some, ...]
    extras: dict[str, tuple[Some, ...]]
    provides: tuple[Provided, ...]
    permissions: tuple[Permission, ...]
    conflicts: tuple[Name, ...]
    manifest_sha256: Sha256
    artifacts: Annotated[tuple[Artifact, ...], Meta(min_length=1)]
    import_ms: Whole
    observed: Observed
    yanked: Yank | None


class Count(Document, frozen=True, kw_only=True):
    """Tests of one capability. `skipped` counts those skipped without a reason that the suite accepts."""

    passed: Whole
    failed: Whole
    skipped: Whole


class Failure(Document, frozen=True, kw_only=True):
    """A failed test; the test `import` stands for importing the plugin's modules."""

    test: Some
    message: str


class Result(Document, frozen=True, kw_only=True):
    """One run of the conformance suite against one wheel."""

    suite: Some
    suite_version: Some
    kernel: Version
    python: Api
    os: Some
    sha256: Sha256
    at: Moment
    runner: Literal["registry", "author"]
    log_sha256: MaybeSha256
    import_ms: Whole
    observed: Observed
    undeclared: tuple[str, ...]
    capabilities: dict[CapabilityId, Count]
    failures: tuple[Failure, ...]


class Conformance(Document, frozen=True, kw_only=True):
    """`conformance/<version>.json`: results of one release, newest last."""

    schema: Literal["kindling.conformance/1"]
    name: Name
    version: Version
    results: tuple[Result, ...]


class Revocation(Document, frozen=True, kw_only=True):
    """Releases that must not be used; `versions` is a PEP 440 specifier, or `*` for all."""

    name: Name
    versions: Some
    reason: Reason
    severity: Severity
    at: Moment


class Revoked(Document, frozen=True, kw_only=True):
    """`policy/revoked.json`."""

    schema: Literal["kindling.revoked/1"]
    revoked: tuple[Revocation, ...]


class Names(Document, frozen=True, kw_only=True):
    """`policy/names.toml`: names nobody may take, names let off the rules, pairs that may be alike."""

    schema: Literal["kindling.names/1"]
    reserved: tuple[Some, ...] = ()
    exceptions: tuple[Name, ...] = ()
    alike: tuple[tuple[Name, Name], ...] = ()


class Role(Document, frozen=True, kw_only=True):
    """How many keys must sign a role, and for how many days a signature counts."""

    threshold: Annotated[int, Meta(ge=1, le=20)]
    expires_days: Annotated[int, Meta(ge=1, le=3650)]


class Roles(Document, frozen=True, kw_only=True):
    """The four roles of The Update Framework."""

    root: Role
    targets: Role
    snapshot: Role
    timestamp: Role


class RegistrySettings(Document, frozen=True, kw_only=True):
    """`registry.toml`. `kernel` and `pythons` say against what levels are counted."""

    schema: Literal["kindling.registry/1"]
    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]*" + _END, max_length=60)]
    title: FullLine
    url: str
    package_index: str
    roles: Roles
    kernel: Version = "0.1.0"
    pythons: tuple[Api, ...] = ("3.11",)


class Entry(Document, frozen=True, kw_only=True):
    """One plugin in `index.json`: name, summary, newest version, Python and kernel ranges, capabilities.

    Then level, stale, lifecycle, license, permissions, advisories, keywords and the day of the release.
    """

    n: Name
    s: str
    v: Version
    py: str
    k: str
    c: tuple[CapabilityId, ...]
    lv: LevelName
    st: bool
    lf: Lifecycle
    lic: str
    p: tuple[Permission, ...]
    adv: tuple[AdvisoryId, ...]
    kw: tuple[str, ...]
    upd: Day


class Index(Document, frozen=True, kw_only=True):
    """`index.json`: one entry for each plugin, sorted by name."""

    schema: Literal["kindling.index/1"]
    registry: Some
    title: str
    generated: Moment
    package_index: str
    plugins: tuple[Entry, ...]


class Offering(Document, frozen=True, kw_only=True):
    """Who offers a capability: name, newest version, API, features, level."""

    n: Name
    v: Version
    api: str
    f: tuple[str, ...]
    lv: LevelName


class Capabilities(Document, frozen=True, kw_only=True):
    """`capabilities.json`: who offers what."""

    schema: Literal["kindling.capabilities/1"]
    capabilities: dict[CapabilityId, Annotated[tuple[Offering, ...], Meta(min_length=1)]]


class Files(Document, frozen=True, kw_only=True):
    """`files.json`: SHA-256 and size of what the signature covers through this list."""

    schema: Literal["kindling.files/1"]
    files: dict[str, tuple[Sha256, Whole]]


class Policy(Document, frozen=True, kw_only=True):
    """`policy.json`: revocations."""

    schema: Literal["kindling.policy/1"]
    revoked: tuple[Revocation, ...]


class Level(Document, frozen=True, kw_only=True):
    """A derived level; `stale` if it was counted one less for its age, `why` it is not higher."""

    level: LevelName
    stale: bool
    why: str


class Page(Document, frozen=True, kw_only=True):
    """`plugins/<name>.json`: everything about one plugin. Advisories are ids; `releases` newest first."""

    schema: Literal["kindling.plugin-page/1"]
    record: PluginRecord
    releases: tuple[Release, ...]
    conformance: dict[str, tuple[Result, ...]]
    levels: dict[str, Level]
    advisories: tuple[AdvisoryId, ...]
    dependents: tuple[Name, ...]
    readme_sha256: MaybeSha256
