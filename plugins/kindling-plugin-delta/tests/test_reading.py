from __future__ import annotations

import pytest

from kindling.errors import StoreError
from kindling.intents import append
from kindling.testing.storage_fixtures import Place


def test_a_version_may_be_said_by_its_number_alone(place: Place) -> None:
    tokens = [place.write(append(), [row]).version for row in ((1, "a"), (2, "b"), (3, "c"))]
    for token in tokens:
        number = token.partition("-")[0]
        assert place.rows(version=number) == place.rows(version=token)
    assert len(place.rows(version=tokens[0])) == 1


@pytest.mark.parametrize("version", ["99", "-1", "+0", "0_0", " 0", "", "0x0", "²"])
def test_what_is_no_version_of_the_table_is_refused(over_arrow: Place, version: str) -> None:
    over_arrow.write(append(), [(1, "a")])
    with pytest.raises(StoreError) as caught:
        over_arrow.rows(version=version)
    assert str(caught.value) == (
        f"KDL-STORE-002: 'silver.orders' cannot be read at version {version!r}\n"
        f"  why: no commit of that number is left in its log; the newest version is {over_arrow.version()}\n"
        "  do: read the newest version"
    )


def test_a_whole_token_of_another_commit_is_refused(over_arrow: Place) -> None:
    over_arrow.write(append(), [(1, "a")])
    with pytest.raises(StoreError) as caught:
        over_arrow.rows(version="0-000000000000")
    assert str(caught.value) == (
        "KDL-STORE-002: 'silver.orders' cannot be read at version '0-000000000000'\n"
        "  why: the commit of that number is another one: the table was made anew; "
        f"the newest version is {over_arrow.version()}\n"
        "  do: read the newest version"
    )
