from __future__ import annotations

from pathlib import Path

import pytest
from kindling_plugin_vault.credentials import Credentials

from kindling.errors import ConfigError

READ = Credentials({"T": " t0ken\n", "EMPTY": " ", "UMLAUT": "tökén", "LINES": "a\nb"}).read


def test_a_credential_is_read_without_white_space(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("of-a-file\n")
    assert READ("token", "", "T").reveal() == "t0ken"
    assert READ("token", str(tmp_path / "token"), "T").reveal() == "of-a-file"


@pytest.mark.parametrize(
    ("variable", "why"),
    [
        ("NONE", "is not set"),
        ("EMPTY", "is empty"),
        ("UMLAUT", "holds letters that no credential has"),
        ("LINES", "holds letters that no credential has"),
    ],
)
def test_a_variable_without_a_credential_is_said(variable: str, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        READ("secret id", "", variable)
    assert str(caught.value) == (
        "KDL-CONF-301: there is no secret id to log in to the vault with\n"
        f"  why: the environment variable {variable} {why}\n"
        f"  do: export {variable}=..., or set secret_id_file in [secrets.vault]"
    )


def test_a_file_without_a_credential_is_said(tmp_path: Path) -> None:
    file, empty = tmp_path / "none", tmp_path / "empty"
    empty.touch()
    texts = []
    for path in (file, empty):
        with pytest.raises(ConfigError) as caught:
            READ("jwt", str(path), "")
        texts.append(str(caught.value))
    assert texts == [
        (
            "KDL-CONF-301: there is no jwt to log in to the vault with\n"
            f"  why: the file '{path}' {why}\n"
            "  do: write it there, or set jwt_file in [secrets.vault] to where it is"
        )
        for path, why in ((file, "cannot be read: no such file or directory"), (empty, "is empty"))
    ]
