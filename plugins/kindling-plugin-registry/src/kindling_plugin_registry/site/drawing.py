"""Draw the site: every page's path and content, made of a catalogue. Nothing is written here."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from kindling_plugin_registry.levels import LEVELS
from kindling_plugin_registry.site import plugin_page
from kindling_plugin_registry.site.facets import KINDS, TITLES, Choice, choices
from kindling_plugin_registry.site.readme import Renderer
from kindling_plugin_registry.site.text import shown, slug
from kindling_plugin_registry.versions import newest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kindling_plugin_registry.records import Entry
    from kindling_plugin_registry.site.catalogue import Catalogue

STATIC = ("style.css", "site.js", "theme.js", "icon.svg")
ON_LIST = 60
"""Plugins of one list page."""
ON_TABLE = 150
NEWEST = 8
IN_FEED = 50
SHOWN_CHOICES = 40
"""Values of one facet that are shown beside a list; a page lists all capabilities."""


class Drawing:
    """Draws one catalogue's pages.

    Args:
        catalogue: The index.
        url: Address of the folder, with `/` at its end; "" if it is not known: then there are no feeds and
            no sitemap, which need whole addresses.
    """

    def __init__(self, catalogue: Catalogue, url: str) -> None:
        self.catalogue = catalogue
        self.url = url
        self.entries = catalogue.index.plugins
        self.known = {entry.n: entry for entry in self.entries}
        self.choices = choices(self.entries)
        self.renderer = Renderer()
        self.environment = _environment()
        self.environment.globals.update(
            title=catalogue.index.title,
            levels=tuple(reversed(LEVELS)),
            titles=TITLES,
            kinds=KINDS,
            url=url,
            page_of=plugin_page,
            paths={(item.facet, item.value): item.path for group in self.choices.values() for item in group},
        )

    def pages(self) -> Iterator[tuple[str, bytes]]:
        """Yield paths and contents, those of plugins last."""
        paths = []
        for path, content in self._all():
            paths.append(path)
            yield path, content
        if self.url:
            listed = sorted(path for path in paths if path.endswith(".html") and path != "404.html")
            yield "sitemap.xml", self._draw("sitemap.xml", "", paths=listed)
            newest_first = self._newest()[:IN_FEED]
            yield "feed.xml", self._draw("feed.xml", "", entries=newest_first)
            yield "atom.xml", self._draw("atom.xml", "", entries=newest_first)

    def _all(self) -> Iterator[tuple[str, bytes]]:
        folder = files("kindling_plugin_registry.site") / "static"
        for name in STATIC:
            yield f"static/{name}", (folder / name).read_bytes()
        yield "index.html", self._home()
        yield "search.html", self._draw("search.html", "", facets=self._facets())
        prefix = urlsplit(self.url).path or "/"
        yield "404.html", self._draw("404.html", prefix, facets={})
        yield from self._list("plugins.html", "All plugins", self.entries, "", "")
        for group in self.choices.values():
            for choice in group:
                yield from self._choice_pages(choice)
        yield from self._tables()
        advisories = sorted(self.catalogue.advisories.values(), key=lambda item: item.modified, reverse=True)
        details = {item.id: self.renderer.html(item.details, 3) for item in advisories}
        policy = self.catalogue.policy.revoked
        yield (
            "advisories.html",
            self._draw("advisories.html", "", advisories=advisories, details=details, revoked=policy),
        )
        for entry in self.entries:
            yield f"plugin/{entry.n}.html", self._plugin(entry)

    def _home(self) -> bytes:
        groups = self.choices["kind"]
        counts = Counter(entry.lv for entry in self.entries)
        return self._draw(
            "home.html",
            "",
            newest=self._newest()[:NEWEST],
            groups=groups,
            counts=counts,
            total=len(self.entries),
            generated=self.catalogue.index.generated[:10],
            facets=self._facets(),
        )

    def _newest(self) -> list[Entry]:
        return sorted(self.entries, key=lambda entry: entry.upd, reverse=True)

    def _facets(self) -> dict[str, Sequence[Choice]]:
        """Return the values that are offered beside a list: the most frequent ones, in their order."""
        found: dict[str, Sequence[Choice]] = {}
        for facet, group in self.choices.items():
            most = sorted(group, key=lambda item: -len(item.entries))[:SHOWN_CHOICES]
            found[facet] = [item for item in group if item in most] if len(most) < len(group) else group
        return found

    def _choice_pages(self, choice: Choice) -> Iterator[tuple[str, bytes]]:
        heading = f"{TITLES[choice.facet]}: {choice.value}"
        hint = KINDS.get(choice.value, "") if choice.facet == "kind" else ""
        yield from self._list(choice.path, heading, choice.entries, "../", hint)

    def _list(
        self, path: str, heading: str, entries: Sequence[Entry], root: str, hint: str
    ) -> Iterator[tuple[str, bytes]]:
        """Yield a list of plugins in pages: `x.html`, `x.2.html`."""
        stem = path.removesuffix(".html")
        count = max(1, -(-len(entries) // ON_LIST))
        for number in range(1, count + 1):
            yield (
                _numbered(stem, number),
                self._draw(
                    "list.html",
                    root,
                    heading=heading,
                    hint=hint,
                    total=len(entries),
                    entries=entries[(number - 1) * ON_LIST : number * ON_LIST],
                    number=number,
                    numbers=[_numbered(stem.rpartition("/")[2], item) for item in range(1, count + 1)],
                    facets=self._facets(),
                ),
            )

    def _tables(self) -> Iterator[tuple[str, bytes]]:
        """Yield the pages that list all capabilities with who offers them."""
        rows = self.choices["capability"]
        count = max(1, -(-len(rows) // ON_TABLE))
        for number in range(1, count + 1):
            some = rows[(number - 1) * ON_TABLE : number * ON_TABLE]
            numbers = [_numbered("capabilities", item) for item in range(1, count + 1)]
            yield (
                numbers[number - 1],
                self._draw(
                    "capabilities.html", "", rows=some, number=number, numbers=numbers, total=len(rows)
                ),
            )

    def _plugin(self, entry: Entry) -> bytes:
        page = self.catalogue.page(entry.n)
        release = newest(page.releases)
        if release is None:  # an index lists no plugin without a release
            raise AssertionError(entry.n)
        places, rows = plugin_page.matrix(release, page.conformance.get(release.version, ()))
        hit, past = plugin_page.warnings(page, self.catalogue.advisories, release)
        readme = self.catalogue.readme(entry.n)
        return self._draw(
            "plugin.html",
            "../",
            entry=entry,
            page=page,
            release=release,
            snippets=plugin_page.snippets(release, self.catalogue.index.package_index, self.url),
            places=places,
            rows=rows,
            hit=hit,
            past=past,
            revocations=plugin_page.revocations(self.catalogue.policy, release),
            links=plugin_page.links(page),
            dependents=[name for name in page.dependents if name in self.known],
            replaced_by=page.record.replaced_by,
            readme=self.renderer.html(readme) if readme else Markup(),
        )

    def _draw(self, template: str, root: str, **parts: object) -> bytes:
        made = self.environment.get_template(template).render(root=root, template=template, **parts)
        return made.encode("utf-8", "replace")


def _numbered(stem: str, number: int) -> str:
    return f"{stem}.html" if number == 1 else f"{stem}.{number}.html"


def _template(name: str) -> str:
    return (files("kindling_plugin_registry.site") / "templates" / name).read_text(encoding="utf-8")


def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["slug"] = slug
    return environment
