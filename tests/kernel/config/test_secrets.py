from __future__ import annotations

import base64
import json
import threading
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindling.config.secrets import Redactor, Reference, SecretResolver
from kindling.errors import ConfigError
from kindling.run.env_secrets import EnvironmentSecrets

SECRET = "p@ss/wörd+ 100%?"  # noqa: S105  # not one


def redactor(*values: str) -> Redactor:
    made = Redactor()
    for value in values:
        made.add(value)
    return made


@given(
    st.from_regex(r"[a-z0-9][a-z0-9_-]{0,8}", fullmatch=True),
    st.lists(st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True), min_size=1, max_size=3),
    st.from_regex(r"[A-Za-z0-9_.-]{0,6}", fullmatch=True),
)
def test_a_reference_is_parsed_into_what_it_was_made_of(vault: str, path: list[str], field: str) -> None:
    reference = Reference(vault, "/".join(path), field)
    assert Reference.parse(str(reference)) == reference


@pytest.mark.parametrize(
    "text",
    [
        "secret://",
        "secret://env",
        "secret://env/",
        "secret:///x",
        "secret://Env/x",
        "secret://env/a b",
        "secret://env//x",
        "secret://env/../x",
        "secret://env/x#",
        "secret://env/x#a#b",
        " secret://env/x",
        "pw=secret://env/x",
        "env/x",
    ],
)
def test_a_malformed_reference_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Reference.parse(text, where="kindling.toml:7")
    assert str(caught.value) == (
        "KDL-CONF-021: a secret reference is malformed\n"
        "  why: expected secret://vault/path or secret://vault/path#field, as the whole value\n"
        "  where: kindling.toml:7\n"
        "  do: for example secret://env/DB_PASSWORD"
    )


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        quote(SECRET, safe="")
        .replace("%2F", "%2f")
        .replace("%3F", "%3f")
        .replace("%C3%B6", "%c3%b6")
        .replace("%2B", "%2b"),
        json.dumps(SECRET)[1:-1],
        SECRET.encode().hex(),
    ],
)
def test_each_form_of_a_value_is_replaced_everywhere(form: str) -> None:
    assert redactor(SECRET).redact(f"a {form} b:{form}{form};") == "a *** b:***;"


@given(st.text(min_size=6, max_size=30), st.binary(max_size=7), st.binary(max_size=7), st.booleans())
def test_base64_of_a_text_around_a_value_does_not_betray_it(
    value: str,
    before: bytes,
    after: bytes,
    url: bool,  # noqa: FBT001  # drawn by hypothesis
) -> None:
    data = value.encode()
    encode = base64.urlsafe_b64encode if url else base64.b64encode
    shown = redactor(value).redact(encode(before + data + after).decode())
    assert "***" in shown
    # What is left decodes to no more than what stood around the value.
    left, _, right = shown.partition("***")
    assert len(left) * 6 <= len(before) * 8
    assert len(right.rstrip("=")) * 6 - right.count("=") * 2 <= len(after) * 8


@given(
    st.lists(st.text(min_size=4, max_size=12), min_size=1, max_size=4),
    st.lists(st.integers(0, 3), max_size=6),
)
def test_no_value_survives_however_values_overlap(values: list[str], order: list[int]) -> None:
    text = "".join(values[place % len(values)] for place in order)
    shown = redactor(*values).redact(text).replace("***", "\0")
    assert not any(value in shown for value in values if "\0" not in value)


def test_overlapping_values_are_replaced_as_one() -> None:
    assert redactor("abcdef", "defghi").redact("<abcdefghi>") == "<***>"


def test_each_line_of_a_long_value_is_replaced() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQ\n-----END KEY-----"
    shown = redactor(key).redact(f"line: MIIEvQIBADANBg, all: {key}, escaped: {json.dumps(key)}")
    assert shown == 'line: ***, all: ***, escaped: "***"'


def test_short_values_are_replaced_only_as_words() -> None:
    short = redactor("ab1", "")
    assert short.redact("pin=ab1, grab1, ab12 (ab1)") == "pin=***, grab1, ab12 (***)"


def test_text_without_values_is_returned_as_it_is() -> None:
    assert redactor().redact("nothing here") == "nothing here"
    assert redactor(SECRET).redact("") == ""


def test_references_are_resolved_and_become_known_to_the_redactor() -> None:
    known = Redactor()
    opened: list[str] = []

    def open_vault(name: str) -> EnvironmentSecrets:
        opened.append(name)
        return EnvironmentSecrets({"DB": SECRET, "KEY": "k" * 20})

    resolver = SecretResolver(open_vault, known)
    assert resolver.resolve("plain text") == "plain text"
    assert opened == []
    tree = {"a": ["secret://env/DB", 1], "b": {"c": "secret://env/KEY"}, "d": None}
    assert resolver.reveal(tree) == {"a": [SECRET, 1], "b": {"c": "k" * 20}, "d": None}  # type: ignore[arg-type]
    assert opened == ["env"]
    assert known.redact(f"{SECRET} {'k' * 20}") == "*** ***"
    assert SECRET not in repr(vars(resolver))


def test_a_version_is_told_without_the_value() -> None:
    def version(value: str) -> str:
        return SecretResolver(lambda _: EnvironmentSecrets({"A": value}), Redactor()).version(
            "secret://env/A"
        )

    assert version("one") == version("one") != version("two")


def test_a_malformed_reference_is_refused_where_it_is_used() -> None:
    resolver = SecretResolver(lambda _: EnvironmentSecrets({}), Redactor())
    with pytest.raises(ConfigError) as caught:
        resolver.resolve("x secret://env/A", where="here")
    assert (caught.value.code, caught.value.where) == ("KDL-CONF-021", "here")


def test_many_threads_open_a_vault_once_and_redact_every_value() -> None:
    names = {f"NAME_{number}": f"value-{number:03}" for number in range(40)}
    opened: list[str] = []
    known = Redactor()

    def open_vault(name: str) -> EnvironmentSecrets:
        opened.append(name)
        return EnvironmentSecrets(names)

    resolver = SecretResolver(open_vault, known)
    threads = [threading.Thread(target=resolver.resolve, args=(f"secret://env/{name}",)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert opened == ["env"]
    assert known.redact(" ".join(names.values())) == " ".join(["***"] * len(names))
