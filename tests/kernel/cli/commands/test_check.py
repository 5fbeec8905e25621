from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from terminal import Terminal


def test_json_is_written_even_where_the_app_cannot_be_loaded(shop: Terminal) -> None:
    shop.write("shop/app.py", "1 / 0\n")
    done = shop("check", "--json")
    document = done.json("check")
    assert (done.code, document["app"]) == (2, "")
    assert [fault["code"] for fault in document["faults"]] == ["KDL-DECL-051"]
