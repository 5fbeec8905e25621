from __future__ import annotations

from typing import Any

import pytest
from kindling_plugin_files.storage import FilesStorage

from kindling.addresses import Address
from kindling.errors import StoreError
from kindling.hooks.storage import StorageSpec

REFERENCE = "secret://env/LAKE"


def opened(files: Any, secret: str) -> Any:
    storage = FilesStorage(
        StorageSpec("dev", secret=lambda reference: secret if reference == REFERENCE else "")
    )
    return storage.open(Address("csv", "lake", ("a",), "memory://creds/a.csv", (), REFERENCE), files.session)


def test_a_credential_holds_the_options_of_the_file_system(files: Any) -> None:
    store = opened(files, '{"skip_instance_cache": true}')
    assert store._contents.place._options == {"skip_instance_cache": True}
    assert store.version() is None


@pytest.mark.parametrize("secret", ["no json", "[1]"])
def test_a_credential_that_is_no_object_is_refused_and_not_shown(files: Any, secret: str) -> None:
    with pytest.raises(StoreError) as caught:
        opened(files, secret)
    assert str(caught.value) == (
        "KDL-STORE-216: the credential of 'a' is no JSON object\n"
        f"  where: {REFERENCE}\n"
        '  do: store the file system\'s options, for example {"key": "...", "secret": "..."}'
    )
