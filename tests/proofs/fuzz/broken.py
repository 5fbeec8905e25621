"""Texts that are almost right: bytes flipped, parts cut, doubled, swapped, and strange words put in."""

from __future__ import annotations

import random

ODD = (
    "",
    "\0",
    "\ufeff",
    "é\u202e",
    "💥",
    "{}",
    "[]",
    "null",
    "-1",
    "1e999",
    "9" * 400,
    "../../etc",
    "secret://",
    "secret://env/X#y",
    "@format {x}",
    "@jinja {{ 1/0 }}",
    "%s",
    "${HOME}",
    "'\"",
    "\n[x]\n",
    "[[x]]",
    "x.y.z",
    "*",
    "\\",
    "true",
    "a" * 5000,
    "\x7f\x1b[31m",
)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return bytes with one to four small changes."""
    for _ in range(chance.randrange(1, 5)):
        data = _once(data, chance)
    return data


def _once(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data) + 1)
    stop = min(len(data), start + chance.choice((1, 2, 8, 40, 400)))
    piece = data[start:stop]
    return chance.choice(
        (
            data[:start] + data[stop:],
            data[:start],
            data[:stop] + piece + data[stop:],
            data[:start] + bytes(byte ^ 1 << chance.randrange(8) for byte in piece[:2]) + data[start + 2 :],
            data[:start] + chance.randbytes(chance.randrange(1, 9)) + data[stop:],
            data[:start] + chance.choice(ODD).encode() + data[stop:],
            _with_other_word(data, chance),
            _lines(data, chance),
        )
    )


def _with_other_word(data: bytes, chance: random.Random) -> bytes:
    """Put an odd text in the place of a word: the syntax around it stays right."""
    words = data.split(b'"')
    if len(words) < 3:
        return data
    at = chance.randrange(1, len(words), 2) if len(words) > 2 else 0
    words[at] = chance.choice(ODD).replace('"', "").replace("\\", "").replace("\n", "").encode()
    return b'"'.join(words)


def _lines(data: bytes, chance: random.Random) -> bytes:
    """Drop, double or swap lines."""
    lines = data.split(b"\n")
    first, second = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines[:first] + lines[first : first + 1] * chance.randrange(3) + lines[first + 1 :])
