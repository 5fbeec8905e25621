from __future__ import annotations

import pytest

from kindling.errors import ConfigError
from kindling.testing.memory_secrets import MemorySecrets


def test_a_missing_secret_is_refused_in_three_lines() -> None:
    with pytest.raises(ConfigError) as caught:
        MemorySecrets({("a", ""): "v"}, salt="s").get("db", "user")
    assert str(caught.value) == (
        "KDL-CONF-020: there is no secret 'db#user'\n"
        "  why: the vault has 1 secrets, none of that name\n"
        "  do: correct the reference, or put the secret into the vault"
    )
