"""All registries together: who owns a name, who offers a capability, the page of a plugin."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

from kindling.errors import InfrastructureError, PolicyError, UsageError
from kindling.names import canonical, close_names, did_you_mean
from kindling_plugin_registry.client.kernel import PREFIX
from kindling_plugin_registry.client.refreshing import copy_of
from kindling_plugin_registry.tolerance import read_signed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kindling_plugin_registry.advisories import Advisory
    from kindling_plugin_registry.client.copies import Copy, Line
    from kindling_plugin_registry.client.registries import Client, Registry
    from kindling_plugin_registry.records import Page, Revocation

T = TypeVar("T")


class Market:
    """The verified copies of all registries.

    Attributes:
        client: The settings.
        copies: In the order of priority.
    """

    def __init__(self, client: Client, copies: tuple[Copy, ...], *, is_offline: bool = False) -> None:
        self.client = client
        self.copies = copies
        self.is_offline = is_offline
        self._pages: dict[str, Page | None] = {}
        self._advisories: tuple[Advisory, ...] | None = None
        self._revoked: tuple[Revocation, ...] | None = None

    def owner(self, name: str) -> Copy | None:
        """Return the registry that a name is looked up in: which binds it, else lists it first."""
        for copy in self.copies:
            if copy.registry.binds(name):
                return copy
        return next((copy for copy in self.copies if copy.find(name) is not None), None)

    def find(self, name: str) -> tuple[Copy, Line] | None:
        """Return a plugin by its canonical name, with the registry that it belongs to."""
        copy = self.owner(name)
        line = copy.find(name) if copy is not None else None
        return (copy, line) if copy is not None and line is not None else None

    def full_name(self, name: str) -> str:
        """Return the canonical name of a plugin that may be given in its short form."""
        plain = canonical(name)
        if self.find(plain) is None and self.find(f"{PREFIX}{plain}") is not None:
            return f"{PREFIX}{plain}"
        return plain if plain.startswith(PREFIX) or self.find(plain) is not None else f"{PREFIX}{plain}"

    def named(self, name: str) -> tuple[Copy, Line]:
        """Return a plugin by its name or short form.

        Raises:
            UsageError: KDL-REG-109, no registry lists it.
        """
        found = self.find(self.full_name(name))
        if found is None:
            names = [line.name for copy in self.copies for line in copy.all()]
            near = close_names(name, [*names, *(item.removeprefix(PREFIX) for item in names)])
            bound = next((copy for copy in self.copies if copy.registry.binds(self.full_name(name))), None)
            why = (
                f"it is bound to the registry {bound.registry.name!r}, which does not list it"
                if bound
                else ""
            )
            raise UsageError(
                "KDL-REG-109",
                f"no registry lists a plugin {name!r}",
                why=why or (did_you_mean(name, near) if near else ""),
                hint=f"kindling plugins search {name}",
            )
        return found

    def offering(self, capability: str) -> Iterator[tuple[Copy, Line, Copy | None]]:
        """Yield each listing of a capability, and the registry that owns the name if it is another one."""
        for copy in self.copies:
            for line in copy.offering(capability):
                owner = self.owner(line.name)
                yield copy, line, owner if owner is not copy else None

    def page(self, copy: Copy, line: Line) -> Page:
        """Return everything about a plugin; its SHA-256 is the signed one.

        Raises:
            PolicyError: KDL-REG-110, what was read is not what was signed; KDL-REG-113, it is not understood.
            InfrastructureError: KDL-REG-111, it cannot be read.
        """
        from kindling_plugin_registry.records import Page

        if line.page not in self._pages:
            content = page_bytes(copy.registry, line, is_offline=self.is_offline)
            self._pages[line.page] = read_signed(content, Page, f"{copy.registry.url} {line.name}")
        found = self._pages[line.page]
        if found is None:
            raise AssertionError(line.name)
        return found

    def advisories(self) -> tuple[Advisory, ...]:
        """Return the advisories of all registries."""
        if self._advisories is None:
            from kindling_plugin_registry.advisories import Advisories

            documents = [self._document(copy, "advisories.json", Advisories) for copy in self.copies]
            self._advisories = tuple(item for found in documents for item in found.advisories)
        return self._advisories

    def revoked(self) -> tuple[Revocation, ...]:
        """Return the revocations of all registries."""
        if self._revoked is None:
            from kindling_plugin_registry.records import Policy

            documents = [self._document(copy, "policy.json", Policy) for copy in self.copies]
            self._revoked = tuple(item for found in documents for item in found.revoked)
        return self._revoked

    def _document(self, copy: Copy, name: str, made: type[T]) -> T:
        return read_signed(copy.document(name), made, f"{copy.registry.url} {name}")

    def revocation(self, name: str, version: str) -> Revocation | None:
        """Return the revocation that meets a release, or None."""
        from kindling_plugin_registry.versions import is_within

        return next(
            (item for item in self.revoked() if item.name == name and is_within(version, item.versions)), None
        )

    def affecting(self, name: str, version: str) -> tuple[Advisory, ...]:
        """Return the advisories that meet a release."""
        return tuple(item for item in self.advisories() if item.is_affected(name, version))


def open_market(client: Client, *, refreshes: bool = False, is_offline: bool = False) -> Market:
    """Open the copies of all registries; those that are missing are fetched and verified.

    Effects: with `refreshes` each registry is asked; the kernel's file of warnings is written anew.

    Raises:
        UsageError: KDL-REG-101, no registry is configured.
        KindlingError: Those of `copy_of`.
    """
    registries = client.require_registries()
    copies = tuple(copy_of(item, refreshes=refreshes, is_offline=is_offline) for item in registries)
    market = Market(client, copies, is_offline=is_offline)
    if client.project:
        from kindling_plugin_registry.client.warnings_file import write_warnings

        write_warnings(market)
    return market


def page_bytes(registry: Registry, line: Line, *, is_offline: bool) -> bytes:
    """Return the page of a plugin from the copy, or from the registry, by its signed hash."""
    path = os.path.join(registry.folder, "pages", line.page)
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError:
        content = _fetched(registry, line, is_offline=is_offline)
        _check(registry, line, content)
        _keep(path, content)
        return content
    _check(registry, line, content)
    return content


def _check(registry: Registry, line: Line, content: bytes) -> None:
    from hashlib import sha256

    if len(content) != int(line.size) or sha256(content).hexdigest() != line.page:
        raise PolicyError(
            "KDL-REG-110",
            f"what the registry {registry.name!r} says about {line.name!r} is refused",
            why="it has another SHA-256 or length than the signed list says",
            where=registry.url,
            hint="tell the registry's operator; do not install from it",
        )


def _fetched(registry: Registry, line: Line, *, is_offline: bool) -> bytes:
    from kindling_plugin_registry.client.fetching import read_url

    if is_offline and registry.url.startswith("http"):
        raise InfrastructureError(
            "KDL-REG-111",
            f"the page of {line.name!r} is not on this machine",
            why="--offline was said",
            hint=f"kindling plugins info {line.name} while there is a network",
        )
    try:
        return read_url(registry.url, f"plugins/{line.page}.{line.name}.json", int(line.size))
    except OSError as cause:
        raise InfrastructureError(
            "KDL-REG-111",
            f"the page of {line.name!r} cannot be read",
            why=str(getattr(cause, "reason", "") or cause),
            where=registry.url,
        ) from cause


def _keep(path: str, content: bytes) -> None:
    folder = os.path.dirname(path)
    own = f"{path}.{os.getpid()}.new"
    os.makedirs(folder, exist_ok=True)
    with open(own, "wb") as file:
        file.write(content)
    os.replace(own, path)
