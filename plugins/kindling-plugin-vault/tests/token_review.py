"""The one endpoint of the Kubernetes API that OpenBao asks when a service account logs in."""

from __future__ import annotations

import base64
import json
from contextlib import AbstractContextManager

from loopback import Reply, serving

SPACE = "data"
ACCOUNT = "kindling"


def service_account_token(number: int = 1) -> str:
    """Return a token of the form that Kubernetes gives; its signature is the API server's to check."""

    def part(plain: object) -> str:
        raw = plain if isinstance(plain, bytes) else json.dumps(plain).encode()
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    claims = {
        "iss": "https://kubernetes.default.svc",
        "sub": f"system:serviceaccount:{SPACE}:{ACCOUNT}",
        "iat": 1_700_000_000,
        "nbf": 1_700_000_000,
        "exp": 4_000_000_000,
        "jti": str(number),
        "kubernetes.io": {"namespace": SPACE, "serviceaccount": {"name": ACCOUNT, "uid": "u-1"}},
    }
    return f"{part({'alg': 'RS256', 'typ': 'JWT'})}.{part(claims)}.{part(b'x' * 256)}"


def api_server(known: set[str]) -> AbstractContextManager[str]:
    """Serve TokenReview on a free port; yield the address.

    Args:
        known: The tokens that are valid; may change.
    """

    def reply(asked: bytes, _headers: str) -> Reply:
        review = json.loads(asked)
        is_known = review["spec"]["token"] in known
        user = {"username": f"system:serviceaccount:{SPACE}:{ACCOUNT}", "uid": "u-1", "groups": []}
        status = {"authenticated": True, "user": user} if is_known else {"authenticated": False}
        return 201, json.dumps({**review, "status": status}).encode(), {"Content-Type": "application/json"}

    return serving(reply)
