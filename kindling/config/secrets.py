"""References to secrets, their resolution at the time of use, and redaction. It stores no secret.

`secret://<vault>/<path>#<field>` is the one way in which settings and declarations name a secret.
"""

from __future__ import annotations

import re

from kindling.errors import ConfigError
from kindling.secret import Secret
from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol

    from kindling.values import Plain

    class Vault(Protocol):
        """`kindling.hooks.secrets.Secrets`, seen from below."""

        def get(self, path: str, field: str) -> Secret:
            """Return a secret."""
            ...

        def version(self, path: str, field: str) -> str:
            """Return a token that changes when the value changes."""
            ...


SCHEME = "secret://"
MASK = "***"
SHORT = 4
"""Values of fewer letters are replaced only where they stand as a word of their own."""
_REFERENCE = re.compile(r"secret://([a-z0-9][a-z0-9_-]*)/([^\s#]+)(?:#([^\s#]+))?")
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_LEAST_ENCODED = 6


class Reference(Value):
    """A parsed reference.

    Attributes:
        vault: Name of the capability `secrets:<vault>`.
        path: Where the secret is inside of it, without a leading slash.
        field: The part after `#`, or "".
    """

    vault: str
    path: str
    field: str = ""

    @classmethod
    def parse(cls, text: str, *, where: str = "") -> Reference:
        """Return the reference that a text is.

        Raises:
            ConfigError: KDL-CONF-021, it is not of the form `secret://vault/path#field`.
        """
        match = _REFERENCE.fullmatch(text)
        if match is not None and all(part not in ("", ".", "..") for part in match[2].split("/")):
            return cls(match[1], match[2], match[3] or "")
        # The text is not shown: a value that was pasted into a reference would be shown with it.
        raise ConfigError(
            "KDL-CONF-021",
            "a secret reference is malformed",
            why="expected secret://vault/path or secret://vault/path#field, as the whole value",
            where=where,
            hint="for example secret://env/DB_PASSWORD",
        )

    def __str__(self) -> str:
        """Return the reference as it is written."""
        return f"{SCHEME}{self.vault}/{self.path}{'#' if self.field else ''}{self.field}"


class Redactor:
    """Replaces known values in texts; may be used from several threads.

    A value is found as it is, line by line if it has several, in base64 (standard and URL alphabet, at
    all three alignments), URL-quoted, escaped as in JSON and in hexadecimal. A value of one to three
    letters is replaced only where it stands as a word of its own: replacing each "a" would destroy
    the text and betray the value. Choose longer secrets.
    """

    def __init__(self) -> None:
        # Replaced as a whole by `add`, so that `redact` needs no lock.
        self._forms: dict[str, tuple[int, int]] = {}
        self._words: frozenset[str] = frozenset()

    def add(self, value: str) -> None:
        """Redact a value from now on; "" is ignored."""
        if not value or value in self._forms or value in self._words:
            return
        if len(value) < SHORT:
            self._words |= {value}
            return
        self._forms = {**self._forms, **dict(_forms(value))}

    def redact(self, text: str) -> str:
        """Return the text with each occurrence of each value replaced by `***`."""
        spans = sorted([*self._long_spans(text), *self._word_spans(text)])
        if not spans:
            return text
        parts: list[str] = []
        end = 0
        for start, stop in spans:
            if start > end or not parts:
                parts += [text[end:start], MASK]
            end = max(end, stop)
        return "".join([*parts, text[end:]])

    def _long_spans(self, text: str) -> Iterator[tuple[int, int]]:
        for form, (before, after) in self._forms.items():
            at = text.find(form)
            while at >= 0:
                stop = at + len(form)
                yield (
                    at - _run(text[max(0, at - before) : at][::-1], before),
                    stop + _run(text[stop : stop + after], after),
                )
                at = text.find(form, at + 1)

    def _word_spans(self, text: str) -> Iterator[tuple[int, int]]:
        for word in self._words:
            for match in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", text):
                yield match.span()


def _run(text: str, most: int) -> int:
    """Return how many of the first `most` letters may belong to a base64 text."""
    count = 0
    while count < min(most, len(text)) and text[count] in _BASE64:
        count += 1
    return count


def _forms(value: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield the texts that betray a value, with how many neighbouring letters hold bits of it."""
    import json
    from urllib.parse import quote, quote_plus

    plain = {value, *(line for line in value.splitlines() if len(line) >= 2 * SHORT)}
    for text in plain:
        quoted = {quote(text, safe=""), quote(text), quote_plus(text), quote_plus(text, safe="/")}
        escaped = {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1]}
        lower = {re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), form) for form in quoted}
        data = text.encode("utf-8", "surrogatepass")
        for form in {text, *quoted, *lower, *escaped, data.hex(), data.hex().upper()}:
            yield form, (0, 0)
        yield from _base64_forms(data)


def _base64_forms(data: bytes) -> Iterator[tuple[str, tuple[int, int]]]:
    from base64 import b64encode

    for offset in range(3):
        letters = b64encode(bytes(offset) + data).decode()
        first, last = -(-offset * 8 // 6), (offset + len(data)) * 8 // 6
        whole = letters[first:last]
        if len(whole) >= _LEAST_ENCODED:
            edges = (1 if offset else 0, 1 if (offset + len(data)) % 3 else 0)
            yield whole, edges
            yield whole.translate(str.maketrans("+/", "-_")), edges


class SecretResolver:
    """Turns references into values, at the time of use; may be used from several threads.

    Vaults stay open for the resolver's life; values are handed out and not kept. Each value is made
    known to the redactor before it is returned.
    """

    def __init__(self, open_vault: Callable[[str], Vault], redactor: Redactor) -> None:
        """Make a resolver.

        Args:
            open_vault: Returns the vault of a name, or raises what the plugin loader raises.
            redactor: Learns each value.
        """
        from _thread import allocate_lock

        self._open_vault = open_vault
        self._redactor = redactor
        self._vaults: dict[str, Vault] = {}
        self._lock = allocate_lock()

    def resolve(self, text: str, *, where: str = "") -> str:
        """Return the value that a reference names; a text that is no reference, as it is.

        Raises:
            ConfigError: KDL-CONF-020 or KDL-CONF-021, no such secret, or a malformed reference.
        """
        if SCHEME not in text:
            return text
        reference = Reference.parse(text, where=where)
        value = self._vault(reference).get(reference.path, reference.field).reveal()
        self._redactor.add(value)
        return value

    def secret(self, text: str) -> Secret:
        """Return what a reference names, with the version of this very value.

        Raises:
            ConfigError: KDL-CONF-020 or KDL-CONF-021, no such secret, or a malformed reference.
        """
        reference = Reference.parse(text)
        vault = self._vault(reference)
        found = vault.get(reference.path, reference.field)
        self._redactor.add(found.reveal())
        return Secret(found.reveal(), found.version or vault.version(reference.path, reference.field))

    def reveal(self, value: Plain) -> Plain:
        """Return a copy of a value in which each reference, at any depth, is resolved."""
        if isinstance(value, str):
            return self.resolve(value)
        if isinstance(value, list):
            return [self.reveal(item) for item in value]
        return {key: self.reveal(item) for key, item in value.items()} if isinstance(value, dict) else value

    def version(self, text: str) -> str:
        """Return the version token of a reference: for fingerprints, it tells nothing of the value.

        Raises:
            ConfigError: KDL-CONF-020 or KDL-CONF-021, no such secret, or a malformed reference.
        """
        reference = Reference.parse(text)
        return self._vault(reference).version(reference.path, reference.field)

    def _vault(self, reference: Reference) -> Vault:
        with self._lock:
            vault = self._vaults.get(reference.vault)
            if vault is None:
                vault = self._vaults[reference.vault] = self._open_vault(reference.vault)
        return vault
