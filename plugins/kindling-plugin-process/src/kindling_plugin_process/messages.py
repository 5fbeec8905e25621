"""What executor and process say to each other: a length, a letter, JSON. Not what it means.

Task specs travel through a socket that only the two processes hold, never on a command line.
"""

from __future__ import annotations

import struct
from typing import Final, TypeVar

import msgspec

READY: Final = b"R"
OUTCOME: Final = b"O"
PREPARE: Final = b"P"
TASK: Final = b"T"
STOP: Final = b"S"
LEAVE: Final = b"L"

HEAD: Final = ">Ic"
HEAD_BYTES: Final = 5
T = TypeVar("T")


def packed(kind: bytes, document: object = None) -> bytes:
    """Return one message: a dataclass of JSON types, or anything that JSON knows."""
    body = msgspec.json.encode(document)
    return struct.pack(HEAD, len(body), kind) + body


def take(buffer: bytearray) -> tuple[bytes, bytes] | None:
    """Take the first whole message (letter, JSON) out of a buffer; None if there is none yet."""
    if len(buffer) < HEAD_BYTES:
        return None
    length, kind = struct.unpack_from(HEAD, buffer)
    end = HEAD_BYTES + length
    if len(buffer) < end:
        return None
    body = bytes(buffer[HEAD_BYTES:end])
    del buffer[:end]
    return kind, body


def document(cls: type[T], body: bytes) -> T:
    """Return the document of a message.

    Raises:
        msgspec.DecodeError: It is no such document (ValidationError is one of them).
    """
    return msgspec.json.decode(body, type=cls)
