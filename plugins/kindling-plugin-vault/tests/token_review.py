"""The one endpoint of the Kubernetes API that OpenBao asks when a service account logs in."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

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


@contextmanager
def api_server(known: set[str]) -> Iterator[str]:
    """Serve TokenReview on a free port; yield the address.

    Args:
        known: The tokens that are valid; may change.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            is_known = review["spec"]["token"] in known
            user = {"username": f"system:serviceaccount:{SPACE}:{ACCOUNT}", "uid": "u-1", "groups": []}
            status = {"authenticated": True, "user": user} if is_known else {"authenticated": False}
            body = json.dumps({**review, "status": status}).encode()
            self.send_response(201)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
