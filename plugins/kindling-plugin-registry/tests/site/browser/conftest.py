"""Chromium, and the stall's site served under a sub path. A missing browser is an error, never a skip."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from kindling_plugin_registry.operator.serving import make_server
from playwright.sync_api import expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

MISSING = "no/such/page"
PATIENCE = 60_000  # ms; the machine may be loaded


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.fail("no chromium; run: python requirements/system.py chromium")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox"], timeout=PATIENCE * 2
        )
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def url(full_stall: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the site, a folder below the server's root."""
    top = tmp_path_factory.mktemp("host")
    shutil.copytree(full_stall.dist, top / "market")
    (top / "targets").mkdir()
    shutil.copy(full_stall.dist / "targets/index.json", top / "targets")
    shutil.copy(full_stall.dist / "404.html", top)
    yield from serve(top, "market/")


def serve(folder: Path, below: str = "") -> Iterator[str]:
    with make_server(folder, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/{below}"
        server.shutdown()
        thread.join()


@pytest.fixture
def open_page(browser: Browser, url: str) -> Iterator[Callable[..., Page]]:
    """Open a page of the site in a context of its own; faults of scripts and the policy fail the test."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def told(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.location["url"].endswith(MISSING):
            faults.append(message.text)

    def make(path: str = "index.html", *, base: str = "", width: int = 1100, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 800}, **options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: None if base else told(message))
        page.on(
            "request",
            lambda asked: (
                None if asked.url.startswith(base or url[: -len("market/")]) else faults.append(asked.url)
            ),
        )
        page.goto(f"{base or url}{path}")
        return page

    yield make
    for context in contexts:
        context.close()
    assert faults == []
