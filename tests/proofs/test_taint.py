"""Canary secrets are pushed through every way that a secret can take; then everything is searched."""

from __future__ import annotations

import base64
import hmac
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from kindling_plugin_masking.date_shift import PURPOSE
from kindling_plugin_masking.keyed import pads

from kindling.secret import Secret

sys.path.insert(0, str(Path(__file__).parent / "chaos"))  # importlib mode adds no folder for these modules
from processes import MARK, command_line, marked  # found through the line above
from world import PASSWORD, USER, World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
CANARIES = {
    "vault password": "cnry/Vault+pass?word&1=é~7f3a",
    "key of masks": "cnry-mask-KEY+of/32&bytes=or?more~é-2b7e",
    "vault key": "cnry:Key\"with'quotes\\and\ttab-91b2",
    "token of the environment": "cnry-env-TOKEN-5d0c~77/+",
    "setting of .secrets.toml": "cnry-file-SECRET-48aa//++==",
    "setting of a plugin": "cnry-plugin-SETTING-3c3c??&&",
    "setting of the engine": "cnry-spark-SETTING-10fe<>#%",
    "login of PostgreSQL": PASSWORD,
}
OF_THE_ENVIRONMENT = ("token of the environment", "setting of the engine")
"""Given to the run by its environment, which its processes inherit; all others must not be there."""

APP = """
from __future__ import annotations

import base64
import datetime
import os
import sys

import kindling as k

app = k.App("taint")
REFERENCES = ("secret://vault/team/db#password", "secret://vault/team/key#pem", "secret://env/TAINT_TOKEN")
SCHEMA = "id bigint"


def all_of(context):
    return [context.secret(one).reveal() for one in REFERENCES] + [context.setting("hidden")]


@app.pipe(name="raw.rows", context=True)
def rows(context: k.Context) -> k.DataFrame:
    assert all(all_of(context))
    return context.frame([(1,), (2,)], SCHEMA)


@app.pipe(name="raw.printed", context=True)
def printed(context: k.Context) -> k.DataFrame:
    for text in all_of(context):
        print("stdout", text, base64.b64encode(text.encode()).decode())
        print("stderr", text.encode().hex(), repr(text), file=sys.stderr)
        if "TAINT_DESCRIPTORS" in os.environ:
            os.write(1, f"descriptor {text}\\n".encode())
        context.log.warning("logged " + text, value=text, nested={"deep": [text]})
    print(context.secret(REFERENCES[0]), repr(context), vars(context) if hasattr(context, "__dict__") else "")
    return context.frame([(1,)], SCHEMA)


@app.pipe(name="raw.raised", context=True)
def raised(context: k.Context) -> k.DataFrame:
    local, also = all_of(context)[:2]
    try:
        raise KeyError(local)
    except KeyError as error:
        raise ValueError(f"login {also} as {base64.urlsafe_b64encode(local.encode()).decode()}") from error


@app.pipe(name="raw.exited", context=True)
def exited(context: k.Context) -> k.DataFrame:
    sys.exit("leaving with " + " ".join(all_of(context)))


@app.pipe(name="raw.mistyped", context=True)
def mistyped(context: k.Context) -> k.DataFrame:
    return context.frame([(all_of(context)[0],)], SCHEMA)


@app.pipe(rows, name="raw.no_such_column", context=True)
def no_such_column(context: k.Context, df: k.DataFrame) -> k.DataFrame:
    return df.select(k.F.col(all_of(context)[2]))


@app.pipe(rows, name="raw.missing_field", context=True)
def missing_field(context: k.Context, df: k.DataFrame) -> k.DataFrame:
    context.secret("secret://vault/team/db#passwort")
    return df


@app.pipe(name="raw.people", context=True, classify={"id": "pii.id", "day": "pii.day"})
def people(context: k.Context) -> k.DataFrame:
    return context.frame([("ann", datetime.date(2024, 2, 29))], "id string, day date")


app.sql("raw.hashed", "SELECT id, length(id) AS letters FROM {people}", inputs={"people": people})


@app.pipe(people, name="raw.shifted")
def shifted(df: k.DataFrame) -> k.DataFrame:
    print("shifted", df, df.schema if hasattr(df, "schema") else "")
    return df.where("day IS NOT NULL")


@app.pipe(people, name="raw.masked_and_raised")
def masked_and_raised(df: k.DataFrame) -> k.DataFrame:
    return df.select(k.F.col("kdl_key_0_inner"))


@app.pipe(rows, name="marts.rows", storage=k.storage("postgres", location="db"))
def mart(df: k.DataFrame) -> k.DataFrame:
    return df
"""
SETTINGS = """
app = "taint:app"

[platform]
default = "{platform}"

[executor]
default = "{executor}"

[state]
default = "postgres"

[state.postgres]
uri = "{uri}"
credential = "secret://vault/team/pg#login"
schema = "state_{platform}_{executor}"

[secrets.vault]
address = "{vault}"

[policy.masks.ids]
class = "pii.id"
mask = "keyed_hash"
key = "secret://vault/team/masks#key"

[policy.masks.days]
class = "pii.day"
mask = "date_shift"
key = "secret://vault/team/masks#key"
options = {{ by = "id" }}

[spark]
spark.executor.extraJavaOptions = "secret://env/TAINT_SPARK"

[locations.lake]
uri = "lake"

[locations.db]
uri = "{uri}"
credential = "secret://vault/team/pg#login"

[naming]
template = "{platform}_{executor}_{{part0}}/{{part1}}"
"""
NOBODY = ("--set", "secrets.vault.address=http://127.0.0.1:1", "--set", "secrets.vault.timeout_s=1")
COMMANDS = (
    ("check",),
    ("plan",),
    ("plan", "--json"),
    ("run", "--json"),
    ("run", "--jsonl", "--workers", "2"),
    ("run", "--resume", "last"),
    ("why", "raw.raised"),
    ("show", "raw.rows"),
    ("show", "raw.hashed"),
    ("graph",),
    ("config", "show"),
    ("config", "show", "--origin"),
    ("config", "show", "--json"),
    ("runs", "list", "--json"),
    ("runs", "show", "last"),
    ("runs", "show", "last", "--json"),
    ("doctor",),
    ("run", "--set", "spark.no.such.setting=secret://env/TAINT_SPARK"),
    ("run", *NOBODY),
)


def forms(canary: str) -> set[bytes]:
    """Return the texts that betray a canary."""
    data = canary.encode()
    found = {canary, data.hex(), data.hex().upper(), json.dumps(canary)[1:-1], repr(canary)[1:-1]}
    found |= {quote(canary), quote(canary, safe=""), quote_plus(canary)}
    for offset in range(3):  # the letters of base64 that hold no bits of a neighbour
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            letters = encode(b"\0" * offset + data).decode()
            found.add(letters[-(-offset * 8 // 6) : (offset + len(data)) * 8 // 6])
    return {text.encode() for text in found}


def pad_forms(canary: str) -> set[bytes]:
    """Return the texts that betray what keyed masks make of a key."""
    secret = Secret(canary)
    made = [pad for use in ("", PURPOSE) for pad in pads("taint", secret, use).values()]
    encoded = {base64.b64encode(pad)[:-4] for pad in made} | {pad.hex().encode() for pad in made}
    return {*made, *encoded, *(repr(pad)[2:-1].encode() for pad in made)}


FORMS = {name: forms(canary) for name, canary in CANARIES.items()}
FORMS["key of masks"] |= pad_forms(CANARIES["key of masks"])


def betrayed(data: bytes, *, but: tuple[str, ...] = ()) -> list[str]:
    """Return the canaries that some bytes betray."""
    return [name for name, texts in FORMS.items() if name not in but and any(text in data for text in texts)]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = World(is_isolated=False)
    made.bao.put("secret", "team/db", {"password": CANARIES["vault password"]})
    made.bao.put("secret", "team/masks", {"key": CANARIES["key of masks"]})
    made.bao.put("secret", "team/key", {"pem": CANARIES["vault key"]})
    made.bao.put("secret", "team/pg", {"login": f"{USER}:{PASSWORD}"})
    yield made
    made.close()


class Watch:
    """Looks at the run's processes again and again: their words and their environment."""

    def __init__(self, mark: str) -> None:
        self.mark = mark
        self.seen: dict[int, str] = {}
        self.leaks: set[str] = set()

    def look(self) -> None:
        for pid in marked(self.mark):
            words = command_line(pid)
            self.seen[pid] = words
            self.leaks |= {f"words of {pid}: {name}" for name in betrayed(words.encode())}
            try:
                data = Path(f"/proc/{pid}/environ").read_bytes()
            except OSError:
                continue
            names = betrayed(data, but=OF_THE_ENVIRONMENT)
            self.leaks |= {f"environment of {pid} ({words}): {name}" for name in names}

    @contextmanager
    def on(self) -> Iterator[None]:
        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.2):
                self.look()

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


class Project:
    def __init__(self, folder: Path, world: World, platform: str, executor: str) -> None:
        self.folder = folder / "project"
        self.scratch = folder / "tmp"
        self.mark = f"taint-{os.getpid()}-{platform}-{executor}"
        self.world = world
        self.has_processes = executor == "process"
        self.folder.mkdir()
        self.scratch.mkdir()
        (self.folder / "taint.py").write_text(APP)
        settings = SETTINGS.format(
            platform=platform, executor=executor, uri=world.postgres.tcp_uri, vault=world.bao.address
        )
        (self.folder / "kindling.toml").write_text(settings)
        hidden = json.dumps(CANARIES["setting of .secrets.toml"])
        (self.folder / ".secrets.toml").write_text(f"[settings]\nhidden = {hidden}\n")

    def __call__(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        dropped = ("KINDLING_", "PYTHONDONT", "VAULT_")
        kept = {name: text for name, text in os.environ.items() if not name.startswith(dropped)}
        own = {
            "VAULT_TOKEN": self.world.bao.root,
            "TAINT_TOKEN": CANARIES["token of the environment"],
            "TAINT_SPARK": CANARIES["setting of the engine"],
            "TMPDIR": str(self.scratch),
            "CI": "true",
            MARK: self.mark,
        }
        if self.has_processes:  # what a thread writes to a descriptor is beyond Python's reach
            own["TAINT_DESCRIPTORS"] = "yes"
        command = [sys.executable, "-m", "kindling", *words]
        return subprocess.run(
            command, cwd=self.folder, env={**kept, **own}, check=False, capture_output=True, timeout=240
        )

    def files(self) -> Iterator[Path]:
        """Yield all that Kindling left, here and in the folder for temporary files."""
        for root in (self.folder, self.scratch):
            for path in root.rglob("*"):
                if path.is_file() and path.name not in (".secrets.toml", "taint.py"):
                    yield path


@pytest.mark.parametrize(("platform", "executor"), [("sail", "threads"), ("duckdb", "process")])
def test_no_artefact_betrays_a_canary(tmp_path: Path, world: World, platform: str, executor: str) -> None:
    project = Project(tmp_path, world, platform, executor)
    watch = Watch(project.mark)
    leaks: list[str] = []
    outputs: dict[tuple[str, ...], bytes] = {}
    with watch.on():
        # Reading commands do not depend on the executor, and starting processes takes time.
        for words in COMMANDS if executor == "threads" else COMMANDS[3:6]:
            if "last" in words and "--resume" in words:
                listed = json.loads(project("runs", "list", "--json").stdout)
                words = ("run", "--resume", listed["runs"][0]["run_id"])  # noqa: PLW2901  # the name it has
            done = project(*words)
            outputs[words] = done.stdout + done.stderr
            leaks += [f"{' '.join(words)}: {name}" for name in betrayed(outputs[words])]
            assert b"Traceback" not in done.stderr or words[0] == "run", done.stderr.decode()
    files = list(project.files())
    leaks += [
        f"{path.relative_to(tmp_path)}: {name}" for path in files for name in betrayed(path.read_bytes())
    ]
    leaks += [f"file name {path}: {name}" for path in files for name in betrayed(str(path).encode())]
    leaks += [f"{table}: {name}" for table, text in database(world) for name in betrayed(text)]
    assert leaks + sorted(watch.leaks) == []
    # The canaries were there: pipes printed, logged and raised, and where they stood there is a mask.
    logs = b"".join(path.read_bytes() for path in files if path.suffix in (".jsonl", ".log"))
    assert logs.count(b"***") > 20
    assert b"stdout ***" in logs + b"".join(outputs.values())
    assert len(watch.seen) > 3
    shown = json.loads(project("show", "raw.hashed", "--json").stdout)
    masked = hmac.new(CANARIES["key of masks"].encode(), b"ann", "sha256").hexdigest()
    assert masked in json.dumps(shown)


def database(world: World) -> Iterator[tuple[str, bytes]]:
    """Yield all rows of each table that Kindling made, states and commits among them."""
    query = (
        "SELECT schemaname, tablename FROM pg_tables "
        "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    )
    for schema, table in world.sql(query):
        yield f"{schema}.{table}", str(world.sql(f'SELECT * FROM "{schema}"."{table}"')).encode()


def test_the_search_finds_each_canary_in_each_form() -> None:
    for name, canary in CANARIES.items():
        data = canary.encode()
        for text in (canary, data.hex(), quote(canary), base64.b64encode(b"user:" + data).decode()):
            assert betrayed(f"x{text}y".encode()) == [name]
