"""The one door to the kernel's own modules: project, settings, catalog. No other module here opens it.

The marketplace is a part of Kindling that is only packaged as a plugin, so that pipelines in production
carry neither `tuf` nor `cryptography`. The exceptions of the import contract name this module alone.
"""

from __future__ import annotations

from kindling.cli.documents import document
from kindling.cli.permitted import permitted, user_cache_dir
from kindling.cli.tables import table_text
from kindling.config.settings import find_project, load_settings, project_state_dir
from kindling.plugins.catalog import Catalog, read_catalog
from kindling.plugins.contracts import (
    APIS,
    ENGINES,
    GROUPS,
    MODES,
    PERMISSIONS,
    PROBES,
    USES,
    api_fault,
    features,
)
from kindling.plugins.locks import installed_versions
from kindling.plugins.manifest import (
    CAPABILITY_KEYS,
    CONFIG_KEYS,
    MANIFEST_KEYS,
    Distribution,
    parse_manifest,
)
from kindling.plugins.manifest import SCHEMA as MANIFEST_SCHEMA
from kindling.plugins.policy import KERNEL, PREFIX, Policy

__all__ = [
    "APIS",
    "CAPABILITY_KEYS",
    "CONFIG_KEYS",
    "ENGINES",
    "GROUPS",
    "KERNEL",
    "MANIFEST_KEYS",
    "MANIFEST_SCHEMA",
    "MODES",
    "PERMISSIONS",
    "PREFIX",
    "PROBES",
    "USES",
    "Catalog",
    "Distribution",
    "Policy",
    "api_fault",
    "document",
    "features",
    "find_project",
    "installed_versions",
    "load_settings",
    "parse_manifest",
    "permitted",
    "project_state_dir",
    "read_catalog",
    "table_text",
    "user_cache_dir",
]
