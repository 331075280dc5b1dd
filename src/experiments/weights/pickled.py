"""Reads the pickles that hold PyTorch's tensors, by a machine that can run nothing.

A pickle is a program: Python's own reader imports what it names and calls it. This one
moves values on a stack. A name is a word to it, of which it knows the few that tensors
are written with, and nothing is ever imported or called for one.

Reference:
    Python's `pickletools`, which tells the instructions.
"""

import pickletools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

from experiments.weights.faults import WeightsError

MOST_BYTES = 64_000_000  # of a pickle, which holds names and shapes and no numbers
_MOST_TEXT = 1_000_000  # bytes of one text in it

# Storage of PyTorch -> type of NumPy.
_TYPES = {
    "BFloat16Storage": "bfloat16",
    "BoolStorage": "bool",
    "ByteStorage": "uint8",
    "CharStorage": "int8",
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "IntStorage": "int32",
    "LongStorage": "int64",
    "ShortStorage": "int16",
}
# Module and name, as words of a file; nothing of PyTorch's is imported.
_STORAGES = {f"{place}:{name}" for place in ("torch", "torch.cuda") for name in _TYPES}
_TENSOR = "torch._utils:_rebuild_tensor_v2"
_PARAMETER = "torch._utils:_rebuild_parameter"
_DICT = "collections:OrderedDict"
_KNOWN = {_TENSOR, _PARAMETER, _DICT, *_STORAGES}


@dataclass(frozen=True)
class Storage:
    """Where numbers lie, by the key that the file has for them.

    Attributes:
        dtype: Name of NumPy's type.
        key: The file's name of it.
        size: How many numbers there are.
    """

    dtype: str
    key: str
    size: int


@dataclass(frozen=True)
class Tensor:
    """What a file says of a tensor, and nobody has checked.

    Attributes:
        storage: Its numbers lie there.
        offset: Which of them is the first.
        shape: Of any rank.
        strides: In numbers.
    """

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(frozen=True)
class _Name:
    """A name of Python's, which stays a word."""

    path: str


def read_pickle(file: BinaryIO) -> Any:
    """Reads one pickle from where a file stands, and leaves it behind its end.

    Returns:
        Plain data with `Tensor`s in it.

    Raises:
        WeightsError: It is damaged, or holds more than tensors and plain data.
    """
    machine = _Machine()
    try:
        bounded: Any = _Bounded(file)  # all that is asked of a file
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of a text's escapes
            for instruction, argument, _ in pickletools.genops(bounded):
                machine.do(instruction.name, argument)
        return machine.pop()
    except WeightsError:
        raise
    except (ValueError, IndexError, KeyError, TypeError, OverflowError) as error:
        raise WeightsError(f"its table of tensors is damaged ({error})") from error


class _Bounded:
    """A file of which no more is read than a table of tensors can take."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = MOST_BYTES

    def read(self, size: int) -> bytes:
        if not 0 <= size <= min(self._left, _MOST_TEXT):
            raise ValueError(f"{size:,} bytes in one piece")
        self._left -= size
        return self._file.read(size)

    def readline(self) -> bytes:
        line = self._file.readline(min(self._left, _MOST_TEXT))
        self._left -= len(line)
        return line


class _Machine:
    """The stack, the marks on it, and what was put aside."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        self._simple: dict[str, Callable[[], None]] = {
            "APPEND": lambda: self._append([self.pop()]),
            "APPENDS": lambda: self._append(self._pop_to_mark()),
            "BINPERSID": lambda: self._push(_refer(self.pop())),
            "BUILD": self._build,
            "EMPTY_DICT": lambda: self._push({}),
            "EMPTY_LIST": lambda: self._push([]),
            "EMPTY_TUPLE": lambda: self._push(()),
            "MARK": lambda: self._marks.append(len(self._stack)),
            "MEMOIZE": lambda: self._put(len(self._memo)),
            "NEWFALSE": lambda: self._push(False),
            "NEWTRUE": lambda: self._push(True),
            "NONE": lambda: self._push(None),
            "REDUCE": self._reduce,
            "SETITEM": lambda: self._set_items(self._pop_many(2)),
            "SETITEMS": lambda: self._set_items(self._pop_to_mark()),
            "STACK_GLOBAL": lambda: self._push(_name(*self._pop_many(2))),
            "STOP": lambda: None,
            "TUPLE": lambda: self._push(tuple(self._pop_to_mark())),
            "TUPLE1": lambda: self._push(tuple(self._pop_many(1))),
            "TUPLE2": lambda: self._push(tuple(self._pop_many(2))),
            "TUPLE3": lambda: self._push(tuple(self._pop_many(3))),
        }

    def do(self, instruction: str, argument: Any) -> None:
        """Follows one instruction, by the name that `pickletools` has for it."""
        if instruction in _CONSTANTS:
            self._push(argument)
        elif instruction in ("BINGET", "LONG_BINGET"):
            self._push(self._memo[argument])
        elif instruction in ("BINPUT", "LONG_BINPUT"):
            self._put(argument)
        elif instruction == "GLOBAL":
            self._push(_name(*argument.split(" ", 1)))
        elif instruction in self._simple:
            self._simple[instruction]()
        elif instruction not in ("PROTO", "FRAME"):
            raise WeightsError(f"it holds more than tensors ({instruction})")

    def pop(self) -> Any:
        """Takes the uppermost value off the stack."""
        (value,) = self._pop_many(1)
        return value

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _put(self, key: int) -> None:
        self._memo[key] = self._stack[-1]

    def _pop_many(self, count: int) -> list[Any]:
        floor = self._marks[-1] if self._marks else 0
        if len(self._stack) - count < floor:
            raise ValueError("it takes more than there is")
        values = self._stack[-count:]
        del self._stack[-count:]
        return values

    def _pop_to_mark(self) -> list[Any]:
        start = self._marks.pop()
        values = self._stack[start:]
        del self._stack[start:]
        return values

    def _append(self, values: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not list:
            raise ValueError("it appends to what is no list")
        target.extend(values)

    def _set_items(self, values: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not dict:
            raise ValueError("it puts items into what is no mapping")
        target.update(zip(values[::2], values[1::2], strict=True))

    def _build(self) -> None:
        """Leaves out attributes: a mapping of PyTorch has versions in one."""
        self.pop()
        if type(self._stack[-1]) is not dict:
            raise WeightsError("it holds more than tensors (BUILD)")

    def _reduce(self) -> None:
        name, given = self._pop_many(2)
        path = name.path if isinstance(name, _Name) else ""
        if path == _DICT:
            self._push(dict(*given))
        elif path == _TENSOR:
            self._push(_describe_tensor(*given[:4]))
        elif path == _PARAMETER and isinstance(given[0], Tensor):
            self._push(given[0])
        else:
            raise ValueError("it calls what is no tensor")


_CONSTANTS = {
    "BINFLOAT",
    "BININT",
    "BININT1",
    "BININT2",
    "BINSTRING",
    "BINUNICODE",
    "LONG1",
    "SHORT_BINSTRING",
    "SHORT_BINUNICODE",
}


def _name(module: object, name: object) -> _Name:
    path = f"{module}:{name}"
    if path not in _KNOWN:
        shown = f"{module}.{name}"
        raise WeightsError(
            f"it names {shown:.100}, and nothing that a file names is run here. Save "
            "the weights alone, with PyTorch: torch.save(model.state_dict(), ...)"
        )
    return _Name(path)


def _refer(given: Any) -> Storage:
    """Returns the storage that PyTorch's reference means."""
    kind, name, key, _, size, *view = given
    known = isinstance(name, _Name) and name.path in _STORAGES
    if kind != "storage" or not known or any(part is not None for part in view):
        raise ValueError(f"it refers to a {kind!r:.50}")
    if type(size) is not int or type(key) is not str:
        raise ValueError("it refers to numbers in an unknown way")
    return Storage(_TYPES[name.path.rpartition(":")[2]], key, size)


def _describe_tensor(storage: Any, offset: Any, shape: Any, strides: Any) -> Tensor:
    numbers = [offset, *shape, *strides]
    if not isinstance(storage, Storage) or len(shape) != len(strides):
        raise ValueError("a tensor without numbers or without shape")
    if any(type(number) is not int or number < 0 for number in numbers):
        raise ValueError("a tensor whose shape or strides are no counts")
    return Tensor(storage, offset, tuple(shape), tuple(strides))
