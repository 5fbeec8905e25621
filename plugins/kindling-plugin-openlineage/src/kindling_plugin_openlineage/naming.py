"""What jobs, runs and datasets are called in OpenLineage. It asks nobody: names follow from addresses alone.

Source: OpenLineage specification, "Naming Conventions", read 2026-11.
"""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

_STAMP = re.compile(r"(\d{8}T\d{6}Z)-", re.ASCII)
_SCHEMES = {"s3a": "s3", "s3n": "s3", "gcs": "gs", "postgresql": "postgres", "abfs": "abfss"}
_DATABASES = {"postgres": 5432}
"""Databases whose namespace names a port, with the usual one."""


class Name(NamedTuple):
    """A job's or a dataset's name within its namespace."""

    namespace: str
    name: str


def run_uuid(run_id: str, job: Name, part: str = "") -> str:
    """Return the same UUID for the same run, whoever asks: version 7 where the id tells its time, else 5.

    Args:
        run_id: Kindling's id of the run.
        job: The job of the whole run.
        part: The task's key; "" for the run itself.
    """
    text = f"{job.namespace}\x00{job.name}\x00{run_id}\x00{part}"
    found = _STAMP.match(run_id)
    if found is None:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, text))
    moment = datetime.strptime(found[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    head = (int(moment.timestamp()) * 1000) << 80
    tail = int.from_bytes(hashlib.sha256(text.encode()).digest()[:10], "big")
    version, variant = ~(0xF000 << 64), ~(0xC000 << 48)
    return str(uuid.UUID(int=((head | tail) & version & variant) | (7 << 76) | (0x8000 << 48)))


def dataset_name(entity: str, address: Mapping[str, object], namespace: str) -> Name:
    """Return what a dataset is called.

    Several spellings of one place give one name: aliases of schemes, slashes, `.` and `..`. Logins and
    queries of a URL are left out.

    Args:
        entity: Its logical name.
        address: `Address.to_plain()`, or {} where it is in memory.
        namespace: The namespace of what no store outside of Kindling names.
    """
    uri = str(address.get("uri") or "")
    parts = address.get("parts")
    named = ".".join(str(part) for part in parts) if isinstance(parts, list) and parts else entity
    if not uri:
        return Name(namespace, named)
    if "://" not in uri:
        return Name("file", os.path.normpath(uri))
    split = urlsplit(uri)
    scheme = _SCHEMES.get(split.scheme.lower(), split.scheme.lower())
    path = os.path.normpath(unquote(split.path) or "/").lstrip("/")
    if scheme == "file":
        return Name("file", f"/{path}")
    host = split.netloc.rpartition("@")[2]
    if scheme in _DATABASES:
        host = f"{split.hostname or 'localhost'}:{split.port or _DATABASES[scheme]}"
        database, *below = path.split("/")
        schema = "_".join(below[:-1]) or "public"  # as kindling-plugin-postgres names it
        path = f"{database}.{schema}.{below[-1] if below else named}"
    elif scheme == "abfss":  # the part before @ is a container, no login
        host = split.netloc
    return Name(f"{scheme}://{host.lower()}", path or "/")
