from __future__ import annotations

import pytest

from kindling.config.request import Request, settings_variables

BASE = Request("/p", "dev", "", {}, {}, {}, {}, {}, 2)


def test_reserved_variables_are_no_settings() -> None:
    environ = {
        "KINDLING_ENV": "x",
        "KINDLING_CACHE": "x",
        "KINDLING_FEATURE_TABLE": "x",
        "KINDLING_PLUGINS_ONLY": "x",
        "KINDLING_PLUGINS__ALLOW": "x",
        "KINDLING_RUN__WORKERS": "4",
        "HOME": "x",
    }
    assert settings_variables(environ) == {"KINDLING_PLUGINS__ALLOW": "x", "KINDLING_RUN__WORKERS": "4"}


@pytest.mark.parametrize(
    "change",
    [
        {"environment": "prod"},
        {"switch": "prod"},
        {"variables": {"KINDLING_APP": "x"}},
        {"overrides": {"a": 1}},
        {"app_settings": {"a": 1}},
        {"plugin_schemas": {"storage:x": {}}},
        {"platform_defaults": {"a": 1}},
        {"cores": 3},
        {"project": "/q"},
    ],
)
def test_whatever_is_asked_changes_the_digest(change: dict[str, object]) -> None:
    assert BASE.replace(**change).digest() != BASE.digest()
    assert BASE.replace().digest() == BASE.digest()
