"""Where an entity lives in one environment: locations, templates, overrides. It touches no storage."""

from __future__ import annotations

import os
import re

from kindling.addresses import Address
from kindling.errors import ConfigError
from kindling.names import close_names, did_you_mean, entity_parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from kindling.config.settings import Settings
    from kindling.values import Plain, Scalar

DEFAULT_LOCATION = "lake"
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_PLACES = ("catalog", "dataset", "uri")


def resolve_address(
    entity_name: str,
    storage_name: str,
    options: Mapping[str, Scalar],
    settings: Settings,
    app_name: str,
    *,
    environment: str = "",
) -> Address:
    """Return the place of an entity.

    A `path` is the place itself, a URL or relative to the project; all others are in a location.

    Args:
        entity_name: Logical name.
        storage_name: Capability name of its storage.
        options: What its declaration says; `path` and `location` are taken out of them.
        settings: The settings of the environment.
        app_name: The app's name.
        environment: Another one than that of the settings, for references to other apps.

    Raises:
        ConfigError: KDL-CONF-008 unknown location, KDL-CONF-009 environments would share a place,
            KDL-CONF-010 malformed template, KDL-CONF-013 a location without a place.
    """
    own = settings.table("entities").get(entity_name)
    override: Mapping[str, Plain] = own if isinstance(own, dict) else {}
    rest = tuple(sorted((key, value) for key, value in options.items() if key not in ("path", "location")))
    parts, chosen = entity_parts(entity_name), environment or settings.environment
    path = override.get("path") or ("" if override.get("location") else options.get("path"))
    if path:
        text = str(path).replace("{environment}", chosen).replace("{app}", app_name)
        return Address(storage_name, "", parts, _absolute(text, settings), rest)
    location = str(override.get("location") or options.get("location") or DEFAULT_LOCATION)
    table = _location(location, entity_name, settings)
    _check_apart(location, table, settings)
    names = {"environment": chosen, "app": app_name, "entity": entity_name}
    names |= {f"part{number}": part for number, part in enumerate(parts)}
    place, uri = _inside(location, table, settings, {**names, "entity_path": "/".join(parts)})
    return Address(storage_name, location, place, uri, rest, str(table.get("credential") or ""))


def _inside(
    location: str, table: Mapping[str, Plain], settings: Settings, names: Mapping[str, str]
) -> tuple[tuple[str, ...], str]:
    """Return (parts: catalog, dataset, then those of the naming template; uri or "")."""
    template = str(settings.get("naming.template"))
    place = _filled("naming.template", template, names, settings)
    parts = tuple(part for part in place.split("/") if part)
    outer = {
        key: _filled(f"locations.{location}.{key}", str(table[key]), names, settings)
        for key in _PLACES
        if table.get(key)
    }
    heads = tuple(outer[key] for key in ("catalog", "dataset") if key in outer)
    if "uri" not in outer:
        return (*heads, *parts), ""
    return (*heads, *parts), f"{_absolute(outer['uri'], settings).rstrip('/')}/{'/'.join(parts)}"


def _location(name: str, entity: str, settings: Settings) -> Mapping[str, Plain]:
    locations = settings.table("locations")
    table = locations.get(name)
    if not isinstance(table, dict):
        close = close_names(name, locations)
        raise ConfigError(
            "KDL-CONF-008",
            f"location {name!r} of entity {entity!r} is unknown",
            why="" if close else f"configured: {', '.join(sorted(locations))}",
            where=settings.origin(f"entities.{entity}.location"),
            hint=did_you_mean(name, close) if close else f'add [locations.{name}] uri = "..."',
            location=name,
            entity=entity,
        )
    if not any(table.get(key) for key in _PLACES):
        raise ConfigError(
            "KDL-CONF-013",
            f"location {name!r} says no place",
            why="expected one of uri, catalog, dataset",
            where=_origin_of(name, table, settings),
            hint=f'add uri = "..." to [locations.{name}]',
            location=name,
        )
    return table


def _origin_of(name: str, table: Mapping[str, Plain], settings: Settings) -> str:
    return next((settings.origin(f"locations.{name}.{key}") for key in table), "")


def _check_apart(name: str, table: Mapping[str, Plain], settings: Settings) -> None:
    """Refuse a location in which two environments would write to one place."""
    environments = settings.get("environments")
    if table.get("shared") or not isinstance(environments, list) or len(environments) < 2:  # noqa: PLR2004  # two
        return
    texts = (str(settings.get("naming.template")), *(str(table.get(key) or "") for key in _PLACES))
    origins = [settings.origin(f"locations.{name}.{key}") for key in _PLACES if table.get(key)]
    own = (f"kindling.{settings.environment}.toml:", "--set", "environment variable ")
    if any("{environment}" in text for text in texts) or any(origin.startswith(own) for origin in origins):
        return
    raise ConfigError(
        "KDL-CONF-009",
        f"the environments {', '.join(map(str, environments))} share the location {name!r}",
        why="neither its place nor the naming template holds {environment}",
        where=origins[-1],
        hint=f"put {{environment}} into it, or set it in kindling.{settings.environment}.toml, "
        f"or say shared = true in [locations.{name}]",
        location=name,
    )


def _filled(key: str, template: str, names: Mapping[str, str], settings: Settings) -> str:
    """Return a template with its placeholders replaced; a missing `{part2}` is empty."""

    def value(match: re.Match[str]) -> str:
        found = names.get(match[1])
        if found is None and re.fullmatch(r"part\d", match[1]):
            return ""
        if found is None:
            known = ("environment", "app", "entity", "entity_path", "part0", "part1", "part2")
            close = close_names(match[1], known)
            raise ConfigError(
                "KDL-CONF-010",
                f"{key!r} has an unknown placeholder '{{{match[1]}}}'",
                why=f"known: {', '.join(known)}",
                where=settings.origin(key),
                hint=did_you_mean(match[1], close) if close else "",
                key=key,
            )
        return found

    return _PLACEHOLDER.sub(value, template)


def _absolute(place: str, settings: Settings) -> str:
    """Return a URL as it is, a path as an absolute one."""
    if "://" in place:
        return place
    return os.path.normpath(os.path.join(settings.project, place))
