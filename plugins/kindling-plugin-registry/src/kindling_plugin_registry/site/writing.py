"""Write a site beside its index: only what changed. Then the search's files."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from kindling.errors import PluginError, UsageError
from kindling_plugin_registry.formats import index_bytes, sha256_of, write_file
from kindling_plugin_registry.records import Document
from kindling_plugin_registry.site.catalogue import Catalogue
from kindling_plugin_registry.site.drawing import Drawing
from kindling_plugin_registry.site.text import address

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LIST = "site.json"
SITE = "kindling.site/1"
SEARCH = "pagefind"
PAGEFIND = (sys.executable, "-m", "pagefind")
# What Pagefind writes for its own widgets, which this site does not use.
_UNUSED = ("pagefind-ui", "pagefind-modular-ui", "pagefind-component-ui", "pagefind-highlight")


class Listing(Document, frozen=True, kw_only=True):
    """`site.json`: the site's files, and of what the search was made."""

    schema: str
    files: tuple[str, ...]
    searched: str


class Written(Document, frozen=True, kw_only=True):
    """What making a site did: pages that were written, that stayed as they were, that were deleted."""

    plugins: int
    written: tuple[str, ...]
    same: int
    deleted: tuple[str, ...]
    is_searched_anew: bool


def make_site(dist: Path, url: str = "", pagefind: Sequence[str] = PAGEFIND) -> Written:
    """Make the site of a built index, in the index's folder.

    Args:
        dist: The folder.
        url: Address under which it will be found; "" if that is not known.
        pagefind: The command that makes the search.

    Raises:
        PluginError: KDL-REG-301, the index is wrong; KDL-REG-303, the search cannot be made.
        UsageError: KDL-REG-302, Pagefind is not installed; KDL-REG-304, the address is no http one.
    """
    if url and not address(url):
        raise UsageError(
            "KDL-REG-304",
            f"the site's address {url!r} cannot be used",
            why="it is not of the form https://host/folder/",
            hint="--url https://host/folder/, or mend url in registry.toml",
        )
    drawing = Drawing(Catalogue(dist), f"{url.rstrip('/')}/" if url else "")
    before = _read_listing(dist)
    written, digests = [], {}
    for path, content in drawing.pages():
        digests[path] = sha256_of(content)
        if _write_changed(dist / path, content):
            written.append(path)
    searched = sha256_of(index_bytes({k: v for k, v in digests.items() if k.startswith("plugin/")}))
    is_due = before.searched != searched or not (dist / SEARCH / "pagefind.js").is_file()
    if is_due:
        _search(dist, pagefind)
    deleted = [path for path in before.files if path not in digests and _is_ours(path)]
    for path in deleted:
        (dist / path).unlink(missing_ok=True)
    listing = Listing(schema=SITE, files=tuple(sorted(digests)), searched=searched)
    _write_changed(dist / LIST, index_bytes(listing))
    return Written(
        plugins=len(drawing.entries),
        written=tuple(sorted(written)),
        same=len(digests) - len(written),
        deleted=tuple(sorted(deleted)),
        is_searched_anew=is_due,
    )


def _search(dist: Path, pagefind: Sequence[str]) -> None:
    """Let Pagefind read the plugins' pages; its files are named by their content, so old ones are deleted."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(  # noqa: S603  # a list, no shell; paths of our own
            [*pagefind, "--site", str(dist), "--glob", "plugin/*.html", "--output-path", folder],
            capture_output=True,
            text=True,
            check=False,
        )
        if "No module named pagefind" in done.stderr or "Could not find pagefind binary" in done.stderr:
            raise UsageError(
                "KDL-REG-302",
                "the site's search cannot be made",
                why="Pagefind is not installed",
                hint="pip install 'kindling-plugin-registry[site]'",
            )
        if done.returncode:
            raise PluginError(
                "KDL-REG-303",
                "the site's search cannot be made",
                why=f"Pagefind ended with exit code {done.returncode}: {_end(done.stderr or done.stdout)}",
                where=str(dist),
            )
        made = Path(folder)
        new = {
            str(path.relative_to(made)): path for path in _files(made) if not path.name.startswith(_UNUSED)
        }
        for name, path in new.items():
            _write_changed(dist / SEARCH / name, path.read_bytes())
        for path in list(_files(dist / SEARCH)):
            if str(path.relative_to(dist / SEARCH)) not in new:
                path.unlink()


def _end(text: str) -> str:
    return " ".join(text[-400:].split())


def _files(folder: Path) -> Iterable[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _is_ours(path: str) -> bool:
    """Tell whether a listed path may be a page's: `site.json` may come from elsewhere."""
    parts = path.split("/")
    return (
        path.endswith((".html", ".xml"))
        and not path.startswith("/")
        and ".." not in parts
        and parts[0] != "simple"
    )


def _read_listing(dist: Path) -> Listing:
    try:
        return msgspec.json.decode((dist / LIST).read_bytes(), type=Listing)
    except (OSError, msgspec.MsgspecError):
        return Listing(schema=SITE, files=(), searched="")


def _write_changed(path: Path, content: bytes) -> bool:
    if path.is_file() and path.read_bytes() == content:
        return False
    write_file(path, content)
    return True
