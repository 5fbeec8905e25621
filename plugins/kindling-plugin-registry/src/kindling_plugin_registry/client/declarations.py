"""The second door to the kernel: an app and its settings, opened for reading what it declares."""

from __future__ import annotations

from kindling.app import App
from kindling.cli.places import app_opened
from kindling.entity import Entity
from kindling.pipe import Pipe
from kindling.plan.project import Project

__all__ = ["App", "Entity", "Pipe", "Project", "app_opened"]
