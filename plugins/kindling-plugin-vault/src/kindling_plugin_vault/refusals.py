"""What a server or the network refused, and the errors that are made of it.

Never a server's own words: an answer may repeat what was sent, so that no part of it enters an error.
"""

from __future__ import annotations

from kindling.errors import ConfigError

MISSING = "missing"
FORBIDDEN = "forbidden"
REJECTED = "rejected"
SEALED = "sealed"
UNREACHABLE = "unreachable"
OVERLOADED = "overloaded"
CERTIFICATE = "certificate"
ODD = "odd"
PASSING = frozenset({SEALED, UNREACHABLE, OVERLOADED})
"""Kinds of refusals that may pass."""

_BY_STATUS = {
    400: REJECTED,
    403: FORBIDDEN,
    404: MISSING,
    429: OVERLOADED,
    500: OVERLOADED,
    501: SEALED,
    502: UNREACHABLE,
    503: SEALED,
    504: UNREACHABLE,
}


class VaultUnavailableError(ConfigError):
    """The server is away, sealed or overloaded: the task is retried."""

    exit_code = 4
    transient = True


class Refused(Exception):  # noqa: N818  # a refusal, which callers turn into an error
    """A question was not answered; holds no part of the answer.

    Attributes:
        kind: One of the kinds above.
        note: A few words about it.
    """

    def __init__(self, kind: str, note: str) -> None:
        self.kind = kind
        self.note = note
        super().__init__(kind, note)


def refused_by_status(status: int) -> Refused:
    """Return the refusal that an HTTP status means."""
    return Refused(_BY_STATUS.get(status, ODD), f"it answered with status {status}")


def error_of(refused: Refused, address: str, *, doing: str) -> ConfigError:
    """Return the error for a refusal that does not depend on what was asked.

    Args:
        refused: The refusal; not of the kinds `missing` and `forbidden`.
        address: The server's address.
        doing: What was tried, for example `read 'secret://vault/team/db'`.
    """
    what, facts = f"cannot {doing}", {"address": address, "kind": refused.kind}
    if refused.kind == SEALED:
        return VaultUnavailableError(
            "KDL-CONF-305",
            what,
            why=f"the vault at {address} is sealed or not initialised: {refused.note}",
            hint=f"unseal it: bao operator unseal -address={address}",
            **facts,
        )
    if refused.kind in PASSING:
        return VaultUnavailableError(
            "KDL-CONF-304",
            what,
            why=f"the vault at {address} does not answer: {refused.note}",
            hint=f"check the address and the network: curl {address}/v1/sys/health",
            **facts,
        )
    if refused.kind == CERTIFICATE:
        return ConfigError(
            "KDL-CONF-306",
            what,
            why=f"the certificate of {address} is not trusted: {refused.note}",
            hint="set ca_file in [secrets.vault] to the PEM file of its authority",
            **facts,
        )
    return ConfigError(
        "KDL-CONF-307",
        what,
        why=f"{address} does not answer like a vault: {refused.note}",
        hint="check address, mount and kv_version in [secrets.vault]",
        **facts,
    )
