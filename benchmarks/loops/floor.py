"""The least that must be done to know that nothing changed, with the standard library alone.

Hashes of the app's source files, the newest name in each table's log, size and time of each source
file, all compared with what a SQLite file remembers. Usage: python floor.py PROJECT STATE SOURCE...
The first call remembers; later ones print how many are stale.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import sys

project, state, *sources = sys.argv[1:]
now: dict[str, str] = {}
for entry in os.scandir(project):
    if entry.name.endswith((".py", ".json", ".toml")):
        with open(entry.path, "rb") as file:  # noqa: PTH123  # pathlib would cost 12 ms of the floor's 20
            now[entry.name] = hashlib.sha256(file.read()).hexdigest()
for folder, names, _ in os.walk(f"{project}/lake"):
    if "_delta_log" in names:
        now[folder] = max(name for name in os.listdir(f"{folder}/_delta_log") if name.endswith(".json"))  # noqa: PTH208
        names.clear()
for source in sources:
    found = os.stat(source)  # noqa: PTH116  # the same
    now[source] = f"{found.st_mtime_ns}-{found.st_size}"
connection = sqlite3.connect(state)
connection.execute("CREATE TABLE IF NOT EXISTS seen (name TEXT PRIMARY KEY, token TEXT)")
old = dict(connection.execute("SELECT name, token FROM seen"))
stale = [name for name, token in now.items() if old.get(name) != token]
if stale:
    connection.executemany("REPLACE INTO seen VALUES (?, ?)", [(name, now[name]) for name in stale])
    connection.commit()
print(len(stale), "of", len(now), "stale")
