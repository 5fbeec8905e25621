from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from kindling_plugin_postgres import probe
from kindling_plugin_postgres.servers import Server, place_of
from server import PASSWORD, USER, PostgresServer

from kindling.addresses import Address
from kindling.errors import KindlingError, StoreError

BASE = "postgresql://db.example:5432/marts"


def address(parts: tuple[str, ...], uri: str, **options: str) -> Address:
    return Address("postgres", "pg", parts, uri=uri, options=tuple(options.items()))


@pytest.mark.parametrize(
    ("parts", "uri", "found"),
    [
        (("gold", "a"), f"{BASE}/gold/a", (BASE, "gold", "a")),
        (("a",), f"{BASE}/a", (BASE, "public", "a")),
        (("dev", "gold", "a"), f"{BASE}/dev/gold/a", (BASE, "dev_gold", "a")),
        (("gold", "a"), f"{BASE}?sslmode=require/gold/a", (f"{BASE}?sslmode=require", "gold", "a")),
        (("cat", "gold", "a"), f"{BASE}/gold/a", (BASE, "cat_gold", "a")),
        (("marts", "a"), f"{BASE}/marts/a", (BASE, "marts", "a")),
    ],
)
def test_a_location_and_a_name_are_a_table(
    parts: tuple[str, ...], uri: str, found: tuple[str, str, str]
) -> None:
    place = place_of(address(parts, uri))
    assert (place.server.uri, place.schema, place.table) == found
    assert place.joined is (len(parts) > 2)


def test_a_path_is_a_database_a_schema_and_a_table() -> None:
    for uri, found in (
        (f"{BASE}/crm/pe%20ople?sslmode=require", (f"{BASE}?sslmode=require", "crm", "pe ople")),
        (f"{BASE}/people", (BASE, "public", "people")),
    ):
        place = place_of(Address("postgres", "", ("raw", "people"), uri=uri))
        assert (place.server.uri, place.schema, place.table) == found


def test_an_option_names_another_table() -> None:
    place = place_of(address(("raw", "a"), f"{BASE}/raw/a", table="crm.people"))
    assert (place.server.uri, place.schema, place.table) == (BASE, "crm", "people")


def test_other_places_are_refused() -> None:
    for uri in ("/data/raw/a", "s3://bucket/raw/a"):
        with pytest.raises(StoreError) as caught:
            place_of(address(("raw", "a"), uri))
        assert str(caught.value) == (
            f"KDL-STORE-301: {uri.removesuffix('/raw/a')!r} is no place in PostgreSQL\n"
            "  why: expected postgresql://host:port/database\n"
            '  do: write uri = "postgresql://host:5432/database"'
        )


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("postgresql://u:hunter2@db:port/x?hunter2=1", "libpq cannot read it"),
        ("postgresql://u:hunter2@db/", "it names no database"),
    ],
)
def test_a_malformed_place_is_told_without_its_password(uri: str, why: str) -> None:
    with pytest.raises(StoreError) as caught:
        Server(uri).connect()
    shown = uri.partition("?")[0].replace("u:hunter2@", "")
    assert str(caught.value) == (
        f"KDL-STORE-301: {shown!r} is no place in PostgreSQL\n"
        f"  why: {why}\n"
        '  do: write uri = "postgresql://host:5432/database"'
    )
    assert caught.value.__cause__ is None


LOGINS = [PASSWORD, f"{USER}:{PASSWORD}", json.dumps({"user": USER, "password": PASSWORD})]


@pytest.mark.parametrize("secret", LOGINS)
def test_a_credential_is_a_password_a_pair_or_keywords(server: PostgresServer, secret: str) -> None:
    uri = server.tcp_uri.replace("//", f"//{USER}@") if secret == PASSWORD else server.tcp_uri
    connection = Server(uri, "secret://v/login").connect({"secret://v/login": secret}.__getitem__)
    assert connection.execute("SHOW timezone").fetchone() == ("UTC",)
    connection.close()


def test_a_refused_login_shows_no_password(server: PostgresServer) -> None:
    with pytest.raises(StoreError) as caught:
        Server(server.tcp_uri, "secret://v/x").connect(lambda _: f"{USER}:hunter2-hunter2")
    assert str(caught.value) == (
        f"KDL-STORE-303: {server.tcp_uri} refuses the login\n"
        '  why: FATAL:  password authentication failed for user "kindling"\n'
        '  do: correct the uri, or set credential = "secret://..." of the location'
    )
    assert "hunter2" not in repr(caught.value.to_plain())


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ('{"user": "hunter2"', "its credential begins with { and is no JSON object"),
        ('{"usr": "hunter2"}', "libpq does not know all of its options"),
    ],
)
def test_a_malformed_credential_is_not_shown(server: PostgresServer, secret: str, why: str) -> None:
    with pytest.raises(StoreError) as caught:
        Server(server.tcp_uri, "secret://v/x").connect(lambda _: secret)
    assert str(caught.value).splitlines()[1] == f"  why: {why}"
    assert "hunter2" not in str(caught.value)


def test_a_credential_needs_somebody_who_resolves_it() -> None:
    with pytest.raises(StoreError) as caught:
        probe.version(Address("postgres", "pg", ("a",), uri=f"{BASE}/a", credential="secret://env/X"))
    assert str(caught.value) == (
        f"KDL-STORE-302: the credential of {BASE} cannot be resolved here\n"
        "  why: nobody who knows the project's vaults asks\n"
        "  where: secret://env/X"
    )


def refused(call: Callable[[], object]) -> KindlingError:
    with pytest.raises(KindlingError) as caught:
        call()
    return caught.value


def test_a_server_that_is_not_there_is_a_passing_fault() -> None:
    error = refused(Server("postgresql:///db?host=/nowhere&port=1").connect)
    assert str(error) == (
        "KDL-STORE-310: the connection to postgresql:///db was lost\n"
        "  why: No such file or directory\n"
        "  do: the task is retried; see that the server runs and can be reached"
    )
    assert error.transient is True


def test_both_sides_notice_within_a_minute_that_the_other_one_is_gone(server: PostgresServer) -> None:
    connection = Server(server.tcp_uri, "secret://v/x").connect(lambda _: f"{USER}:{PASSWORD}")
    names = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout")
    told = [connection.execute(f"SHOW {name}".encode()).fetchall()[0][0] for name in names]
    assert told == ["10", "5", "4", "30000"]
    own = connection.info.get_parameters()
    assert {name: own[name] for name in ("keepalives_idle", "tcp_user_timeout")} == {
        "keepalives_idle": "10",
        "tcp_user_timeout": "30000",
    }
    connection.close()


def test_a_place_may_say_otherwise() -> None:
    known = Server("postgresql:///db?keepalives_idle=60").parameters(None)
    assert (known["keepalives_idle"], known["keepalives_count"]) == ("60", 4)
