"""One code object as text that formatting, docstrings and flags do not change. It follows no names."""

from __future__ import annotations

from opcode import hasconst, opmap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

# Translates operations: 1 for those with a constant. `find` in what it gives skips the others at C's speed.
_HAS_CONST = bytes(operation in hasconst for operation in range(256))
_IMPORT_NAME = opmap["IMPORT_NAME"]
_MOST_CONSTS = 256
# varargs, varkeywords, nested, generator, the three kinds of coroutine; other flags tell how it was compiled
_FLAGS = 0x3BC


def shape(code: CodeType) -> tuple[str, ...]:
    """Return all of a code object but its instructions and constants."""
    numbers = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags & _FLAGS)
    names = (*code.co_varnames, "/", *code.co_freevars, "/", *code.co_cellvars, "/", *code.co_names)
    return (repr(numbers), repr(code.co_exceptiontable), *names)


def imports(code: CodeType) -> bool:
    """Tell whether the code itself has an import statement."""
    return _IMPORT_NAME in code.co_code[::2]


def settled(code: CodeType) -> tuple[bytes, list[object]]:
    """Return the instructions and the constants, numbered by first use.

    So a docstring, which no instruction uses, drops out, and whether there is one makes no difference.
    `co_code` is the code before the interpreter specialised it. Source: CPython, "code.co_code".
    """
    raw, consts = code.co_code, code.co_consts
    if len(consts) > _MOST_CONSTS:  # their indices span several instructions
        return raw, list(consts[1:] if type(consts[0]) is str else consts)
    order: dict[int, int] = {}
    numbered = bytearray(raw)
    marks = raw[::2].translate(_HAS_CONST)
    place = marks.find(1)
    while place >= 0:
        argument = 2 * place + 1
        numbered[argument] = order.setdefault(raw[argument], len(order))
        place = marks.find(1, place + 1)
    return bytes(numbered), [consts[index] for index in order]
