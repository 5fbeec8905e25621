"""Where files are and how bytes get there and back: a local path, or a URL through fsspec.

Light: planning imports it in every run, so fsspec and glob are loaded only where they are needed.
It knows no format and no manifest.
"""

from __future__ import annotations

import os
from stat import S_ISDIR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import BinaryIO

    from fsspec import AbstractFileSystem

MAGIC = frozenset("*?[")
SIDECAR = "_kindling"
"""Folder inside of a written entity: manifests and, while a write runs, its staging folder."""
_LOCAL = ("file://", "local://")


class FileEntry:
    """One file as it was when it was listed.

    Attributes:
        name: Path relative to the place, with `/`.
        path: Path that the place opens.
        size: Bytes.
        stamp: Changes with the content: modification time in nanoseconds, or an object store's tag.
    """

    __slots__ = ("name", "path", "size", "stamp")

    def __init__(self, name: str, path: str, size: int, stamp: str) -> None:
        self.name, self.path, self.size, self.stamp = name, path, size, stamp

    def known(self) -> tuple[str, int, str]:
        """Return what tells whether the file is still the same."""
        return self.name, self.size, self.stamp


def is_local(uri: str) -> bool:
    """Tell whether a URI is a path of this machine."""
    return "://" not in uri or uri.startswith(_LOCAL)


def open_place(uri: str, options: Mapping[str, object] | None = None) -> LocalPlace | RemotePlace:
    """Return the place of a path or URL; touches nothing.

    Args:
        uri: File, folder or glob.
        options: Options of the fsspec file system, for example credentials.
    """
    if not is_local(uri):
        return RemotePlace(uri, options or {})
    for prefix in _LOCAL:
        uri = uri.removeprefix(prefix)
    return LocalPlace(uri)


def _is_hidden(name: str) -> bool:
    return any(part[:1] in "._" for part in name.split("/"))


def _literal_folder(path: str) -> str:
    """Return the folder above the first part of a glob that has a wild card."""
    parts = path.split("/")
    first = next(place for place, part in enumerate(parts) if MAGIC & set(part))
    return "/".join(parts[:first])


class LocalPlace:
    """A file, folder or glob on this machine."""

    is_local = True

    def __init__(self, path: str) -> None:
        self.path = path.rstrip("/") or "/"

    def found(self, suffixes: Sequence[str]) -> tuple[FileEntry, ...]:
        """Return the matching files, sorted by name; in a folder those with the suffixes, not hidden ones."""
        path = self.path
        if os.path.isdir(path):  # noqa: PTH112  # pathlib is not for the unchanged path
            return self._stats(path, self._walk(path, tuple(suffixes)))
        if os.path.exists(path):  # noqa: PTH110  # as above
            return self._stats(os.path.dirname(path), (os.path.basename(path),))  # noqa: PTH119, PTH120
        if not MAGIC & set(path):
            return ()
        from glob import iglob

        base = _literal_folder(path)
        names = (os.path.relpath(hit, base or "/") for hit in iglob(path, recursive=True))  # noqa: PTH207
        return self._stats(base, (name for name in names if SIDECAR not in name.split("/")))

    @staticmethod
    def _walk(root: str, suffixes: tuple[str, ...]) -> Iterator[str]:
        for folder, folders, names in os.walk(root):
            folders[:] = [name for name in folders if not _is_hidden(name)]
            inner = folder[len(root) :].lstrip("/")
            for name in names:
                if name.lower().endswith(suffixes) and not _is_hidden(name):
                    yield f"{inner}/{name}" if inner else name

    @staticmethod
    def _stats(base: str, names: Iterator[str] | Sequence[str]) -> tuple[FileEntry, ...]:
        entries = []
        for name in sorted(names):
            path = os.path.join(base, name)  # noqa: PTH118
            state = os.stat(path)  # noqa: PTH116
            if not S_ISDIR(state.st_mode):  # a folder may match a glob as well
                entries.append(FileEntry(name, path, state.st_size, str(state.st_mtime_ns)))
        return tuple(entries)

    def entry(self, name: str) -> FileEntry | None:
        """Return one file inside of the folder, or None."""
        path = self.inner(name)
        try:
            state = os.stat(path)  # noqa: PTH116
        except FileNotFoundError:
            return None
        return FileEntry(name, path, state.st_size, str(state.st_mtime_ns))

    def inner(self, name: str) -> str:
        """Return the path of a name inside of the folder."""
        return f"{self.path}/{name}"

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder inside of the place; [] where there is none."""
        try:
            return os.listdir(self.inner(folder))  # noqa: PTH208
        except (FileNotFoundError, NotADirectoryError):
            return []

    def siblings(self) -> list[str]:
        """Return the names beside the place, for "did you mean"."""
        try:
            return os.listdir(os.path.dirname(self.path) or ".")  # noqa: PTH120, PTH208
        except OSError:
            return []

    def read_bytes(self, name: str) -> bytes | None:
        """Return a file's content, or None where there is none."""
        try:
            with open(self.inner(name), "rb") as file:  # noqa: PTH123
                return file.read()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def open(self, entry: FileEntry) -> BinaryIO:
        """Open a listed file for reading."""
        return open(entry.path, "rb")  # noqa: PTH123

    def writer(self, name: str) -> BinaryIO:
        """Open a new file for writing; makes its folder."""
        path = self.inner(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
        return open(path, "wb")  # noqa: PTH123

    def create(self, name: str, content: bytes) -> bool:
        """Make a small file appear at once and whole; False if it exists already.

        A hard link is the one local call that is both atomic and exclusive.
        """
        draft = f"{name}.{os.getpid()}.{os.urandom(4).hex()}"
        with self.writer(draft) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(self.inner(draft), self.inner(name))
        except FileExistsError:
            return False
        except OSError:  # no hard links here: a rename is atomic, and exclusive but for a race
            if os.path.exists(self.inner(name)):  # noqa: PTH110
                return False
            self.move(draft, name)
        finally:
            self.remove(draft)
        return True

    def move(self, source: str, target: str) -> None:
        """Rename a file inside of the place."""
        os.rename(self.inner(source), self.inner(target))  # noqa: PTH104

    def remove(self, name: str) -> None:
        """Remove a file or a folder, if it is there."""
        path = self.inner(name)
        if os.path.isdir(path):  # noqa: PTH112
            from shutil import rmtree

            rmtree(path, ignore_errors=True)
            return
        try:
            os.unlink(path)  # noqa: PTH108
        except (FileNotFoundError, NotADirectoryError):
            return

    def uri(self, entry: FileEntry) -> str:
        """Return what an engine may load."""
        return os.path.abspath(entry.path)  # noqa: PTH100

    @property
    def is_file_or_glob(self) -> bool:
        """Tell whether the place cannot be a folder."""
        return os.path.isfile(self.path) or bool(MAGIC & set(self.path))  # noqa: PTH113


class RemotePlace:
    """A file, folder or glob in whatever fsspec reaches."""

    is_local = False

    def __init__(self, uri: str, options: Mapping[str, object]) -> None:
        self._url = uri
        self._options = options
        self._opened: tuple[AbstractFileSystem, str] | None = None

    def _open(self) -> tuple[AbstractFileSystem, str]:
        if self._opened is None:
            from fsspec.core import url_to_fs

            system, path = url_to_fs(self._url, **self._options)
            self._opened = system, path.rstrip("/")
        return self._opened

    def found(self, suffixes: Sequence[str]) -> tuple[FileEntry, ...]:
        """Return the matching files, sorted by name; in a folder those with the suffixes, not hidden ones."""
        system, path = self._open()
        system.invalidate_cache()
        if MAGIC & set(path):
            found, base = system.glob(path, detail=True), _literal_folder(path)
            return _remote_entries(base, found, lambda name: SIDECAR not in name.split("/"))
        try:
            state = system.info(path)
        except FileNotFoundError:
            return ()
        if state["type"] == "file":
            return _remote_entries(path.rpartition("/")[0], {path: state}, lambda _name: True)
        ends = tuple(suffixes)
        inside = system.find(path, detail=True)
        return _remote_entries(
            path, inside, lambda name: name.lower().endswith(ends) and not _is_hidden(name)
        )

    def entry(self, name: str) -> FileEntry | None:
        """Return one file inside of the folder, or None."""
        system, _ = self._open()
        path = self.inner(name)
        try:
            state = system.info(path)
        except FileNotFoundError:
            return None
        return FileEntry(name, path, int(state["size"] or 0), _stamp(state))

    def inner(self, name: str) -> str:
        """Return the path of a name inside of the folder."""
        return f"{self._open()[1]}/{name}"

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder inside of the place; [] where there is none."""
        system, _ = self._open()
        system.invalidate_cache()
        try:
            return [path.rpartition("/")[2] for path in system.ls(self.inner(folder), detail=False)]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def siblings(self) -> list[str]:
        """Return the names beside the place, for "did you mean"."""
        system, path = self._open()
        try:
            return [hit.rpartition("/")[2] for hit in system.ls(path.rpartition("/")[0], detail=False)]
        except OSError:
            return []

    def read_bytes(self, name: str) -> bytes | None:
        """Return a file's content, or None where there is none."""
        try:
            return bytes(self._open()[0].cat_file(self.inner(name)))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def open(self, entry: FileEntry) -> BinaryIO:
        """Open a listed file for reading."""
        opened: BinaryIO = self._open()[0].open(entry.path, "rb")
        return opened

    def writer(self, name: str) -> BinaryIO:
        """Open a new file for writing; it appears when it is closed."""
        opened: BinaryIO = self._open()[0].open(self.inner(name), "wb")
        return opened

    def create(self, name: str, content: bytes) -> bool:
        """Put a small file; False if it exists already, as far as the store can tell."""
        system, _ = self._open()
        path = self.inner(name)
        if system.exists(path):
            return False
        try:
            system.pipe_file(path, content, mode="create")
        except FileExistsError:
            return False
        except (NotImplementedError, TypeError, ValueError):  # a file system without exclusive puts
            system.pipe_file(path, content)
        return True

    def move(self, source: str, target: str) -> None:
        """Rename a file inside of the place: a copy in most object stores."""
        self._open()[0].mv(self.inner(source), self.inner(target))

    def remove(self, name: str) -> None:
        """Remove a file or a folder, if it is there."""
        system, _ = self._open()
        path = self.inner(name)
        if system.exists(path):
            system.rm(path, recursive=True)

    def uri(self, entry: FileEntry) -> str:
        """Return what an engine may load."""
        return str(self._open()[0].unstrip_protocol(entry.path))

    @property
    def is_file_or_glob(self) -> bool:
        """Tell whether the place cannot be a folder."""
        system, path = self._open()
        return bool(MAGIC & set(path)) or bool(system.isfile(path))


def _stamp(state: Mapping[str, object]) -> str:
    found = (
        state.get(key) for key in ("ETag", "etag", "md5", "mtime", "LastModified", "last_modified", "created")
    )
    return str(next((value for value in found if value is not None), ""))


def _remote_entries(base: str, found: object, wanted: object) -> tuple[FileEntry, ...]:
    entries = []
    for path, state in sorted(found.items()):  # type: ignore[attr-defined]  # fsspec's detail=True is a dict
        name = path[len(base) :].lstrip("/")
        if state["type"] == "file" and wanted(name):  # type: ignore[operator]  # a predicate of this module
            entries.append(FileEntry(name, path, int(state["size"] or 0), _stamp(state)))
    return tuple(entries)
