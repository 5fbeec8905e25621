"""What the vault keeps at one path, in memory: fields with their values. It shows itself to nobody."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

from kindling.errors import ConfigError
from kindling.hooks.secrets import Secret
from kindling.names import close_names, did_you_mean
from kindling_plugin_vault.places import Place


class Entry:
    """The fields of one path.

    Args:
        place: Where it is.
        fields: Values by field; what is no text is handed out as JSON.
        version: The version token of KV 2; "" for KV 1.

    Attributes:
        read_at: When it was read, on `time.monotonic`.
    """

    __slots__ = ("_fields", "_place", "read_at", "version")

    def __init__(self, place: Place, fields: Mapping[str, object], version: str) -> None:
        self._place = place
        self._fields = {
            name: Secret(value if isinstance(value, str) else json.dumps(value, separators=(",", ":")))
            for name, value in fields.items()
        }
        self.version = version
        self.read_at = time.monotonic()

    def value(self, field: str) -> Secret:
        """Return a field; "" stands for the only one.

        Raises:
            ConfigError: KDL-CONF-022, there is no such field; the text names fields, never values.
        """
        names = sorted(self._fields)
        name = names[0] if not field and len(names) == 1 else field
        if name in self._fields:
            return self._fields[name]
        if not field:
            what, why = f"'{self._place}' is read without a field", f"it has {len(names)}: {', '.join(names)}"
            hint = f"for example {self._place}#{names[0]}" if names else "put a field into it"
        else:
            what = f"'{self._place}' has no field {field!r}"
            close = close_names(field, names)
            why = did_you_mean(field, names)
            hint = (
                f"write {self._place}#{close[0]}" if close else "correct the part after #, or store the field"
            )
        raise ConfigError("KDL-CONF-022", what, why=why, hint=hint, path=str(self._place), fields=names)

    def __repr__(self) -> str:
        return f"Entry({str(self._place)!r}, ***)"
