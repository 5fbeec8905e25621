"""What the vault keeps at one path, in memory: fields with their values. It shows itself to nobody."""

from __future__ import annotations

import json
import time

from kindling.errors import ConfigError
from kindling.hooks.secrets import Secret
from kindling.names import close_names, did_you_mean
from kindling_plugin_vault.places import Place
from kindling_plugin_vault.server import Answer


class Entry:
    """The fields of one path.

    Args:
        place: Where it is.
        answer: What the server said.
        names: The keys below which the fields are; a value that is no text is handed out as JSON.
        version: The version token of KV 2; "" for KV 1.

    Attributes:
        read_at: When it was read, on `time.monotonic`.
    """

    __slots__ = ("_fields", "_place", "read_at", "version")

    def __init__(self, place: Place, answer: Answer, names: tuple[str, ...], version: str) -> None:
        fields = answer.part(*names)
        self._place = place
        self._fields = {
            name: Secret(value if isinstance(value, str) else json.dumps(value, separators=(",", ":")))
            for name, value in (fields.items() if isinstance(fields, dict) else ())
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
        close = close_names(field, names)
        if not field:
            what = f"'{self._place}' is read without a field"
            why = f"it has {len(names)}: {', '.join(names)}"
            hint = f"for example {self._place}#{names[0]}" if names else "store a field"
        else:
            what = f"'{self._place}' has no field {field!r}"
            why = did_you_mean(field, names)
            hint = (
                f"write {self._place}#{close[0]}" if close else "correct the part after #, or store the field"
            )
        why = why if names else "it has no fields"
        raise ConfigError("KDL-CONF-022", what, why=why, hint=hint, path=str(self._place), fields=names)

    def __repr__(self) -> str:
        return f"Entry({str(self._place)!r}, ***)"
