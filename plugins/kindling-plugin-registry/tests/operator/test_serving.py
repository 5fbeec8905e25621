from __future__ import annotations

import http.client
import threading
from typing import TYPE_CHECKING, Any

import pytest
from kindling_plugin_registry.operator.serving import make_server
from kindling_plugin_registry.operator.verification import Place

from kindling.errors import InfrastructureError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def address(shop: Any) -> Iterator[tuple[str, int]]:
    shop.add()
    shop.publish()
    with make_server(shop.source.dist, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield "127.0.0.1", server.server_port
        server.shutdown()
        thread.join()


def ask(
    address: tuple[str, int], path: str, method: str = "GET", headers: dict[str, str] | None = None
) -> tuple[int, Any, bytes]:
    connection = http.client.HTTPConnection(*address, timeout=30)
    connection.request(method, path, headers=headers or {})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, answer.headers, body


def test_a_client_verifies_over_http(shop: Any, address: tuple[str, int]) -> None:
    found = shop.verify(place=f"http://{address[0]}:{address[1]}")
    assert found.read("plugins/kindling-plugin-sample.json")
    with pytest.raises(InfrastructureError) as caught:
        found.place.read("plugins/none.json")
    assert str(caught.value) == (
        "KDL-REG-031: 'plugins/none.json' of the index cannot be read\n"
        f"  why: Not Found\n  where: http://{address[0]}:{address[1]}/"
    )


def test_what_is_known_is_not_sent_again(shop: Any, address: tuple[str, int]) -> None:
    status, headers, body = ask(address, "/targets/index.json")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert body == (shop.source.dist / "targets/index.json").read_bytes()
    for tag in (headers["ETag"], f'"x", W/{headers["ETag"]}', "*"):
        assert ask(address, "/targets/index.json", headers={"If-None-Match": tag})[0::2] == (304, b"")
    assert ask(address, "/targets/index.json", headers={"If-None-Match": '"x"'})[0] == 200


def test_heads_have_no_body(address: tuple[str, int]) -> None:
    status, headers, body = ask(address, "/targets/index.json", "HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) > 0
    assert ask(address, "/", "POST")[0] == 501


@pytest.mark.parametrize(
    "path",
    [
        "/../registry.toml",
        "/%2e%2e/registry.toml",
        "/targets/..%2f..%2fregistry.toml",
        "//etc/passwd",
        "/..%5cregistry.toml",
        "/%00",
        "/.hidden",
        "/link/registry.toml",
        "/targets",
        "/",
    ],
)
def test_nothing_outside_of_the_folder_is_sent(shop: Any, address: tuple[str, int], path: str) -> None:
    (shop.source.dist / ".hidden").write_text("x")
    (shop.source.dist / "link").symlink_to(shop.source.folder)
    assert ask(address, path)[0::2] == (404, b"")


def test_an_index_page_is_sent_for_its_folder(shop: Any, address: tuple[str, int]) -> None:
    (shop.source.dist / "index.html").write_text("<p>hello</p>")
    status, headers, body = ask(address, "/?q=delta")
    assert (status, headers["Content-Type"], body) == (200, "text/html; charset=utf-8", b"<p>hello</p>")


def test_a_missing_page_is_told_with_the_sites_own(shop: Any, address: tuple[str, int]) -> None:
    (shop.source.dist / "404.html").write_text("<p>none</p>")
    status, headers, body = ask(address, "/a/b")
    assert (status, headers["Content-Type"], body) == (404, "text/html; charset=utf-8", b"<p>none</p>")
    assert ask(address, "/a/b", "HEAD")[2] == b""


def test_a_folder_without_an_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        make_server(tmp_path, "127.0.0.1", 0)
    assert str(caught.value) == (
        f"KDL-REG-033: there is nothing to serve in {str(tmp_path)!r}\n"
        "  why: it holds no targets/index.json\n  do: kindling registry build"
    )


def test_an_address_that_nobody_serves_is_told(shop: Any) -> None:
    with pytest.raises(InfrastructureError, match="KDL-REG-031") as caught:
        shop.verify(place="http://127.0.0.1:9/")
    assert caught.value.exit_code == 4
    assert Place("http://a.example/x").base == "http://a.example/x/"
