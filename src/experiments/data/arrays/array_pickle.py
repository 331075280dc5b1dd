"""Reads the pickles in which CIFAR is published, and runs no code in them.

A pickle is a program, so it is read in three steps: its opcodes must be those that
build lists, texts and numbers; the few names that it may call stand for plain holders
of this module, never for NumPy's own; then the holders are checked and become arrays.
"""

import io
import math
import pickle
import pickletools
from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

_OPCODES = frozenset(
    [
        *("PROTO", "FRAME", "STOP", "MARK"),
        *("GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD"),
        *("EMPTY_DICT", "DICT", "SETITEM", "SETITEMS"),
        *("EMPTY_LIST", "LIST", "APPEND", "APPENDS"),
        *("EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"),
        *("NONE", "NEWTRUE", "NEWFALSE"),
        *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1"),
        *("STRING", "BINSTRING", "SHORT_BINSTRING"),
        *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE"),
        *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
        *("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE", "GET", "BINGET", "LONG_BINGET"),
    ]
)
_PLACES = frozenset(["PUT", "LONG_BINPUT"])
# An array takes five. A tuple in a tuple in a tuple ... would exhaust the stack.
_MOST_TUPLES = 100
_BYTE_TYPES = ("u1", b"u1", "|u1", b"|u1", "uint8")


def load_arrays(content: bytes) -> Any:
    """Returns what a pickle holds, arrays of bytes as uint8 arrays in a mapping.

    Texts written by Python 2 stay bytes.

    Raises:
        pickle.UnpicklingError: It does more than that, or is damaged.
    """
    for name, place in _opcodes(content):
        if name not in _OPCODES:
            raise pickle.UnpicklingError(f"it has an opcode {name}")
        if name in _PLACES and int(place) > len(content):
            raise pickle.UnpicklingError("it asks for more memory than its size needs")
    loaded = _ArrayUnpickler(io.BytesIO(content), encoding="bytes").load()
    if not isinstance(loaded, dict):
        raise pickle.UnpicklingError(f"it holds a {type(loaded).__name__}")
    return {
        key: _make_array(value) if isinstance(value, _Array) else value
        for key, value in loaded.items()
    }


def _opcodes(content: bytes) -> Iterator[tuple[str, Any]]:
    """Yields name and argument of each opcode, as `pickletools.genops` does.

    That one takes a text of Python 2 for ASCII.
    """
    known: dict[str, Any] = getattr(pickletools, "code2op")  # noqa: B009
    stream = io.BytesIO(content)
    tuples = 0
    while code := stream.read(1):
        opcode = known.get(code.decode("latin-1"))
        if opcode is None:
            break
        tuples += opcode.name.startswith("TUPLE")
        if tuples > _MOST_TUPLES:
            raise pickle.UnpicklingError("it has too many tuples")
        argument = None
        if opcode.name == "STRING":
            stream.readline()
        elif opcode.arg is not None:
            argument = opcode.arg.reader(stream)
        yield opcode.name, argument
        if opcode.name == "STOP":
            return
    raise pickle.UnpicklingError("it is cut off")


class _Array:
    """What a pickle tells of an array: version, shape, type, order and data."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Type:
    """What a pickle tells of an array's type; its byte order matters to no byte."""

    def __init__(self, code: Any) -> None:
        self.code = code

    def __setstate__(self, state: Any) -> None:
        pass


def _make_array(array: _Array) -> npt.NDArray[np.uint8]:
    state = array.state
    if not isinstance(state, tuple) or len(state) != 5:
        raise pickle.UnpicklingError("it holds an incomplete array")
    _, shape, kind, columns_first, data = state
    if (
        not isinstance(shape, tuple)
        or any(type(length) is not int or length < 0 for length in shape)
        or not isinstance(data, bytes)
        or not isinstance(kind, _Type)
        or kind.code not in _BYTE_TYPES
        or math.prod(shape) != len(data)
    ):
        raise pickle.UnpicklingError("it holds an array cut off or not of bytes")
    order: Literal["C", "F"] = "F" if columns_first else "C"
    return np.frombuffer(data, np.uint8).reshape(shape, order=order)


class _ArrayUnpickler(pickle.Unpickler):
    """Knows the names that rebuild an array, and no others."""

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        """Returns a function made for this call: a pickle may set its attributes."""
        package = module.replace("numpy._core", "numpy.core")
        if (package, name) == ("numpy.core.multiarray", "_reconstruct"):
            return lambda *_: _Array()
        if (package, name) == ("numpy", "ndarray"):
            return lambda *_: None  # named as an argument, called by nobody
        if (package, name) == ("numpy", "dtype"):
            return lambda code, *_: _Type(code)
        if (package, name) == ("_codecs", "encode"):
            return lambda text, _: text.encode("latin-1")
        raise pickle.UnpicklingError(f"it asks to call {module}.{name}")
