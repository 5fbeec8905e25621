"""A project folder to load settings from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kindling.config.settings import Settings, load_settings

Load = Callable[..., Settings]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., None]:
    """Write `kindling.toml`, or another file of the project."""

    def put(text: str, name: str = "kindling.toml") -> None:
        (tmp_path / name).write_text(text, encoding="utf-8")

    return put


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load the project's settings with no environment variables but those given."""

    def do(**options: object) -> Settings:
        options.setdefault("environ", {})
        return load_settings(str(tmp_path), **options)  # type: ignore[arg-type]  # options of each test

    return do
