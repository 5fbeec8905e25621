"""Serve a built index over HTTP, from this machine: for trying out and for small networks."""

from __future__ import annotations

import hashlib
import http.server
import mimetypes
import urllib.parse
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from kindling.errors import UsageError

if TYPE_CHECKING:
    from io import BufferedReader

_CHUNK = 1 << 18
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".svg": "image/svg+xml",
    ".whl": "application/zip",
    ".xml": "application/xml",
}
_MISSING = "404.html"


def make_server(
    folder: Path, host: str, port: int, *, is_quiet: bool = True
) -> http.server.ThreadingHTTPServer:
    """Return a server of a folder, not started; port 0 takes a free one.

    Raises:
        UsageError: KDL-REG-033, the folder holds no index.
    """
    if not (folder / "targets" / "index.json").is_file():
        raise UsageError(
            "KDL-REG-033",
            f"there is nothing to serve in {str(folder)!r}",
            why="it holds no targets/index.json",
            hint="kindling registry build",
        )
    top = folder.resolve()

    class Handler(_Handler):
        root = top
        is_silent = is_quiet

    server = http.server.ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    return server


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers GET and HEAD with files of one folder; nothing outside of it, no hidden files, no lists."""

    root = Path()
    is_silent = True
    protocol_version = "HTTP/1.1"
    timeout = 30
    server_version = "kindling"
    sys_version = ""

    def do_GET(self) -> None:
        """Send a file."""
        self._answer(has_body=True)

    def do_HEAD(self) -> None:
        """Send a file's headers."""
        self._answer(has_body=False)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  # the parent's name
        """Log to stderr, or not at all."""
        if not self.is_silent:
            super().log_message(format, *arguments)

    def _answer(self, *, has_body: bool) -> None:
        path = self._file()
        if path is None:
            self._refuse(has_body=has_body)
            return
        try:
            with path.open("rb") as file:
                self._send(path, file, has_body=has_body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        except OSError:
            self._refuse(has_body=has_body)

    def _send(self, path: Path, file: BufferedReader, *, has_body: bool) -> None:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
        file.seek(0)
        known = [item.strip().removeprefix("W/") for item in self.headers.get("If-None-Match", "").split(",")]
        is_same = f'"{digest}"' in known or "*" in known
        self.send_response(HTTPStatus.NOT_MODIFIED if is_same else HTTPStatus.OK)
        self.send_header("ETag", f'"{digest}"')
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        if not is_same:
            guessed = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            self.send_header("Content-Type", _TYPES.get(path.suffix, guessed))
            self.send_header("Content-Length", str(size))
        self.end_headers()
        while has_body and not is_same and (chunk := file.read(_CHUNK)):
            self.wfile.write(chunk)

    def _refuse(self, *, has_body: bool) -> None:
        """Say that there is no such file, with the site's page for that if there is one."""
        page = self.root / _MISSING
        content = page.read_bytes() if page.is_file() else b""
        self.send_response(HTTPStatus.NOT_FOUND)
        if content:
            self.send_header("Content-Type", _TYPES[".html"])
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if has_body:
            self.wfile.write(content)

    def _file(self) -> Path | None:
        """Return the file that is asked for, or None: outside of the folder, hidden, or not there."""
        text = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        parts = [part for part in text.split("/") if part]
        if "\0" in text or "\\" in text or any(part.startswith(".") for part in parts):
            return None
        path = self.root.joinpath(*parts).resolve()  # symbolic links are followed before the check
        if path.is_dir():
            path /= "index.html"
        return path if path.is_relative_to(self.root) and path.is_file() else None
