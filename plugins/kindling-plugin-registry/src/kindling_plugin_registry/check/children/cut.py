"""Runs a command where only the loopback device is up: `unshare -rn python cut.py COMMAND...`."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import sys

GET_FLAGS, SET_FLAGS, UP = 0x8913, 0x8914, 0x1  # Source: netdevice(7)


def main() -> None:
    """Bring the loopback device up, then become the command."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        asked = struct.pack("16sH14s", b"lo", 0, b"")
        flags = struct.unpack("16sH14s", fcntl.ioctl(device, GET_FLAGS, asked))[1]
        fcntl.ioctl(device, SET_FLAGS, struct.pack("16sH14s", b"lo", flags | UP, b""))
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606  # the command of `rooms`


main()
