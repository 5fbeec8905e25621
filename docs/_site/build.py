"""Build the documentation's site: `python docs/_site/build.py [FOLDER]`, by default `build/docs`.

Pages that people write stand in `docs/`; pages made of sources (commands, settings, hooks, events, errors,
plugins' READMEs) are made here, in FOLDER/pages, and never committed. The site is FOLDER/site. Exits with 1
where zensical has anything to say.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import contracts
import errors
import links
import reference
import tomli_w
from paths import ROOT, capabilities_of, start

HERE = Path(__file__).parent

DOCS = ROOT / "docs"
TITLED = re.compile(r"^(```\w+) ([\w./-]+)$", re.MULTILINE)
"""A block with a path, as `tests/marketplace` reads it; zensical wants a title."""


def plugin_folders() -> list[Path]:
    """Return the folders of this repository's plugins, sorted by name."""
    return sorted(path.parent for path in ROOT.glob("plugins/kindling-plugin-*/README.md"))


def short(plugin: Path) -> str:
    """Return a plugin's name without its prefix."""
    return plugin.name.removeprefix("kindling-plugin-")


def written_pages() -> dict[str, str]:
    """Return the pages and pictures that people wrote: place in the site by place in the repository."""
    kept = [path for path in sorted(DOCS.rglob("*")) if path.is_file() and HERE not in path.parents]
    pages = {str(path.relative_to(ROOT)): str(path.relative_to(DOCS)) for path in kept}
    pages["CONTRIBUTING.md"] = "contributing.md"
    pages["examples/flights/README.md"] = "flights.md"
    pages |= {f"plugins/{path.name}/README.md": f"how-to/{short(path)}.md" for path in plugin_folders()}
    return pages | {f"kindling/pages/{code}.md": f"reference/errors/{code}.md" for code in errors.codes()}


def folder_pages() -> dict[str, str]:
    """Return the pages that stand for folders, which texts link to as well."""
    pages = {f"plugins/{path.name}": f"how-to/{short(path)}.md" for path in plugin_folders()}
    return pages | {"docs/decisions": "decisions/index.md", "examples/flights": "flights.md"}


def made_pages() -> dict[str, str]:
    """Return the pages that are made of sources: text by place in the site."""
    plugins = plugin_folders()
    pages = {
        "how-to/index.md": how_to([(short(path), list(capabilities_of(path))) for path in plugins]),
        "decisions/index.md": decisions(),
        "reference/index.md": reference.overview(),
        "reference/cli.md": reference.command_line(),
        "reference/settings.md": reference.settings(plugins),
        "reference/events.md": contracts.events(),
        "reference/errors/index.md": errors.overview(),
        "reference/hooks/index.md": contracts.overview(),
    }
    return pages | {f"reference/hooks/{kind}.md": contracts.hook(kind) for kind in contracts.kinds()}


def how_to(plugins: list[tuple[str, list[str]]]) -> str:
    """Return the page that lists the plugins of this repository."""
    lines = [f"| [`kindling-plugin-{name}`]({name}.md) | {code(offers)} |" for name, offers in plugins]
    return "\n".join([*start("how-to"), "", "| plugin | offers |", "|---|---|", *lines, ""])


def code(names: list[str]) -> str:
    """Return names as Markdown code."""
    return ", ".join(f"`{name}`" for name in names)


def decisions() -> str:
    """Return the page that lists the decisions."""
    rows = [f"- [{title(path)}]({path.name})" for path in decision_files()]
    return "\n".join(["# Decisions", "", "Why things are as they are, one page each.", "", *rows, ""])


def decision_files() -> list[Path]:
    """Return the decisions, in their order."""
    return sorted(DOCS.glob("decisions/[0-9]*.md"))


def title(path: Path) -> str:
    """Return a page's title."""
    return path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")


def unlisted(pattern: str, navigation: str) -> list[dict[str, str]]:
    """Return the written pages that the navigation does not name, by their titles."""
    pages = {title(path): str(path.relative_to(DOCS)) for path in sorted(DOCS.glob(pattern))}
    return [{name: page} for name, page in pages.items() if f"'{page}'" not in navigation]


def settings_of_site() -> dict[str, object]:
    """Return zensical's settings, with the pages that are found by looking put into its navigation."""
    settings = tomllib.loads((HERE / "zensical.toml").read_text(encoding="utf-8"))
    navigation = str(settings["project"]["nav"])
    found = {
        "@plugins": [{short(path): f"how-to/{short(path)}.md"} for path in plugin_folders()],
        "@hooks": [{kind: f"reference/hooks/{kind}.md"} for kind in contracts.kinds()],
        "@explanations": unlisted("*.md", navigation),
        "@registry": unlisted("registry/*.md", navigation),
        "@decisions": [{title(path): f"decisions/{path.name}"} for path in decision_files()],
    }

    def filled(entries: list[object]) -> list[object]:
        done: list[object] = []
        for entry in entries:
            if isinstance(entry, dict):
                ((name, inner),) = entry.items()
                done.append({name: filled(inner) if isinstance(inner, list) else inner})
            else:
                done += found.get(str(entry), [entry])
        return done

    settings["project"]["nav"] = filled(settings["project"]["nav"])
    return settings


def assemble(folder: Path) -> None:
    """Write all pages and zensical's settings into an empty folder."""
    written = written_pages()
    made = made_pages()
    places = {f"docs/{page}": page for page in [*written.values(), *made]} | written | folder_pages()
    for source, page in written.items():
        target = folder / "pages" / page
        target.parent.mkdir(parents=True, exist_ok=True)
        if page.endswith(".md"):
            text = TITLED.sub(r'\1 title="\2"', (ROOT / source).read_text(encoding="utf-8"))
            text = links.relinked(text, source, page, places)
            if page.startswith("reference/errors/"):
                text = text.replace("\n", f"\n\n{errors.above(source)}\n", 1)
            target.write_text(text, encoding="utf-8")
        else:
            shutil.copyfile(ROOT / source, target)
    for page, text in made.items():
        target = folder / "pages" / page
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(links.relinked(text, f"docs/{page}", page, places), encoding="utf-8")
    (folder / "pages" / "assets").mkdir(exist_ok=True)
    shutil.copyfile(HERE / "site.css", folder / "pages" / "assets" / "site.css")
    (folder / "zensical.toml").write_text(tomli_w.dumps(settings_of_site()), encoding="utf-8")


def main() -> int:
    """Build the site; return the exit code."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "docs").resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    assemble(folder)
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    done = subprocess.run(command, cwd=folder, text=True, check=False)
    print(f"the site is {folder / 'site' / 'index.html'}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
