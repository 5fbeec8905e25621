from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kindling.addresses import Address
from kindling.config.addresses import resolve_address
from kindling.config.settings import Settings
from kindling.errors import ConfigError

Load = Callable[..., Settings]
Write = Callable[..., None]


def resolve(settings: Settings, name: str = "silver.flights", **options: str | int) -> Address:
    return resolve_address(name, "delta", options, settings, "shop")


def test_an_entity_is_in_the_lake_of_its_environment_by_default(load: Load, tmp_path: Path) -> None:
    assert resolve(load()) == Address(
        "delta", "lake", ("silver", "flights"), f"{tmp_path}/lake/dev/silver/flights"
    )


def test_environments_do_not_share_a_place(write: Write, load: Load) -> None:
    write('environments = ["dev", "prod"]\n')
    assert resolve(load(environment="dev")).uri != resolve(load(environment="prod")).uri


def test_another_environment_may_be_asked_for(load: Load, tmp_path: Path) -> None:
    settings = load()
    lake = resolve_address("gold.orders", "delta", {}, settings, "shop", environment="prod")
    assert lake.uri == f"{tmp_path}/lake/prod/gold/orders"
    path = resolve_address("a", "files", {"path": "x/{environment}"}, settings, "shop", environment="prod")
    assert path.uri == f"{tmp_path}/x/prod"


def test_a_declared_path_is_the_place_itself(load: Load, tmp_path: Path) -> None:
    settings = load()
    csv = resolve(settings, path="data/*.csv", null_value="NA", header=1)
    assert csv == Address(
        "delta", "", ("silver", "flights"), f"{tmp_path}/data/*.csv", (("header", 1), ("null_value", "NA"))
    )
    assert resolve(settings, path="s3://bucket/x.csv").uri == "s3://bucket/x.csv"
    assert resolve(settings, path="/data/x.csv").uri == "/data/x.csv"
    assert resolve(settings, path="data/{environment}/{x}.csv").uri == f"{tmp_path}/data/dev/{{x}}.csv"


def test_settings_move_an_entity_in_one_environment(write: Write, load: Load, tmp_path: Path) -> None:
    write('environments = ["dev", "prod"]\n[locations.other]\nuri = "s3://b/{environment}"\n')
    write('[entities."silver.flights"]\npath = "x/{app}.csv"\n', "kindling.dev.toml")
    write('[entities."silver.flights"]\nlocation = "other"\n', "kindling.prod.toml")
    assert resolve(load(environment="dev"), path="y.csv").uri == f"{tmp_path}/x/shop.csv"
    assert resolve(load(environment="prod"), path="y.csv").uri == "s3://b/prod/silver/flights"


def test_templates_catalogs_and_credentials_make_the_place(write: Write, load: Load) -> None:
    write(
        '[naming]\ntemplate = "{app}/{part0}/{part1}_{part2}"\n'
        '[locations.main]\ncatalog = "cat_{environment}"\ndataset = "set"\n'
        '[locations.cloud]\nuri = "s3://b/{environment}/"\ncredential = "secret://env/KEY"\n'
    )
    settings = load()
    table = resolve(settings, location="main")
    assert (table.location, table.parts, table.uri) == (
        "main",
        ("cat_dev", "set", "shop", "silver", "flights_"),
        "",
    )
    cloud = resolve(settings, location="cloud")
    assert cloud.uri == "s3://b/dev/shop/silver/flights_"
    assert cloud.credential == "secret://env/KEY"
    assert cloud.options == ()


def test_an_unknown_location_names_one_that_looks_like_it(write: Write, load: Load) -> None:
    write('[entities.silver.flights]\nlocation = "laek"\n')
    with pytest.raises(ConfigError) as caught:
        resolve(load())
    assert str(caught.value) == (
        "KDL-CONF-008: location 'laek' of entity 'silver.flights' is unknown\n"
        "  where: kindling.toml:2\n"
        "  do: did you mean 'lake'?"
    )


def test_an_unknown_location_like_no_other_says_how_to_add_it(load: Load) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(load(), location="warehouse")
    assert str(caught.value) == (
        "KDL-CONF-008: location 'warehouse' of entity 'silver.flights' is unknown\n"
        "  why: configured: lake\n"
        '  do: add [locations.warehouse] uri = "..."'
    )


def test_a_location_without_a_place_is_refused(write: Write, load: Load) -> None:
    write('[locations.other]\ncredential = "secret://env/KEY"\n')
    with pytest.raises(ConfigError) as caught:
        resolve(load(), location="other")
    assert str(caught.value) == (
        "KDL-CONF-013: location 'other' says no place\n"
        "  why: expected one of uri, catalog, dataset\n"
        "  where: kindling.toml:2\n"
        '  do: add uri = "..." to [locations.other]'
    )


def test_an_unknown_placeholder_is_refused(write: Write, load: Load) -> None:
    write('[locations.lake]\nuri = "lake/{enviroment}"\n')
    with pytest.raises(ConfigError) as caught:
        resolve(load())
    assert str(caught.value) == (
        "KDL-CONF-010: 'locations.lake.uri' has an unknown placeholder '{enviroment}'\n"
        "  why: known: environment, app, entity, entity_path, part0, part1, part2\n"
        "  where: kindling.toml:2\n"
        "  do: did you mean 'environment'?"
    )


def test_a_place_that_environments_would_share_is_refused(write: Write, load: Load) -> None:
    write('environments = ["dev", "prod"]\n[locations.lake]\nuri = "lake"\n')
    with pytest.raises(ConfigError) as caught:
        resolve(load())
    assert str(caught.value) == (
        "KDL-CONF-009: the environments dev, prod share the location 'lake'\n"
        "  why: neither its place nor the naming template holds {environment}\n"
        "  where: kindling.toml:3\n"
        "  do: put {environment} into it, or set it in kindling.dev.toml, "
        "or say shared = true in [locations.lake]"
    )


@pytest.mark.parametrize(
    ("root", "own"),
    [
        ('[locations.lake]\nuri = "lake"\nshared = true\n', ""),
        ('[locations.lake]\nuri = "lake"\n[naming]\ntemplate = "{environment}/{entity}"\n', ""),
        ('[locations.lake]\nuri = "lake"\n', '[locations.lake]\nuri = "dev"\n'),
        ('[locations.lake]\nuri = "lake/{environment}"\n', ""),
    ],
)
def test_a_place_of_its_own_or_said_sharing_is_allowed(write: Write, load: Load, root: str, own: str) -> None:
    write(f'environments = ["dev", "prod"]\n{root}')
    write(own, "kindling.dev.toml")
    assert resolve(load()).uri
