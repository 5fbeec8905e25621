from __future__ import annotations

import pytest
from kindling_plugin_spark.endpoint import Endpoint, endpoint_of, resolved

from kindling.errors import ConfigError

HINT = (
    '  do: for example url = "sc://spark.example:15002/;use_ssl=true" and token = "secret://env/SPARK_TOKEN"'
)


@pytest.mark.parametrize(
    ("url", "token", "endpoint"),
    [
        ("sc://spark.example", "", Endpoint("spark.example", 15002)),
        ("sc://spark.example:7/", "", Endpoint("spark.example", 7)),
        ("sc://[::1]:7", "t", Endpoint("[::1]", 7, {"token": "t"})),
        ("sc://h:7/;token=a%3Db;use_ssl=true;", "", Endpoint("h", 7, {"token": "a=b", "use_ssl": "true"})),
        ("sc://h:7/;token=own;x-key=1", "other", Endpoint("h", 7, {"token": "own", "x-key": "1"})),
    ],
)
def test_an_url_tells_where_the_server_is_and_what_opens_it(url: str, token: str, endpoint: Endpoint) -> None:
    assert endpoint_of(url, token) == endpoint


@pytest.mark.parametrize(
    ("url", "token", "why"),
    [
        ("http://h", "", "expected sc://host:port or sc://host:port/;name=value;name=value"),
        ("sc://user:pw-geheim@h", "", "expected sc://host:port or sc://host:port/;name=value;name=value"),
        ("sc://h/geheim", "", "expected sc://host:port or sc://host:port/;name=value;name=value"),
        ("sc://h/;use_ssl=true;geheim", "", "the parameter number 2 is not of the form name=value"),
        ("sc://h/;token=geheim%0A", "", "the parameter number 1 is not of the form name=value"),
        ("sc://h/;session_id=1", "", "a session_id cannot be given: each task has a session of its own"),
        ("sc://h", "geheim\n", "the token has a character that no HTTP header may have"),
        ("sc://h:70000", "", "there is no port 70000"),
    ],
)
def test_an_url_that_cannot_be_used_is_refused_without_being_shown(url: str, token: str, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        endpoint_of(url, token)
    assert str(caught.value).splitlines() == [
        "KDL-INFRA-320: the url of the platform 'spark' cannot be used",
        f"  why: {why}",
        HINT,
    ]
    assert "geheim" not in str(caught.value)


def test_what_opens_a_server_is_never_shown() -> None:
    endpoint = endpoint_of("sc://h:7/;token=geheim;x-key=geheim")
    assert str(endpoint) == "sc://h:7"
    assert repr(endpoint) == "Endpoint(host='h', port=7)"


def test_a_reference_is_resolved_at_the_time_of_use() -> None:
    assert resolved("secret://env/URL", lambda text: f"value of {text}") == "value of secret://env/URL"
    assert resolved("sc://h", None) == "sc://h"
    with pytest.raises(ConfigError) as caught:
        resolved("secret://env/URL", None)
    assert str(caught.value).splitlines() == [
        "KDL-INFRA-320: the url of the platform 'spark' cannot be used",
        "  why: nothing resolves secret:// references here",
        HINT,
    ]
