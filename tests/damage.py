"""Ways in which a file that is read back may be another than the one that was written.

Each leaves something at a path, and most of them need no knowledge of what was there.
"""

import os
from collections.abc import Callable
from pathlib import Path

Way = Callable[[Path], None]


def _write(content: bytes) -> Way:
    return lambda path: _replace(path, lambda: path.write_bytes(content) and None)


def _replace(path: Path, make: Callable[[], object]) -> None:
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    make()


def _cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _grow(path: Path) -> None:
    """Leaves 3 GB, of which the disk has none."""
    os.truncate(path, 3_000_000_000)


def _link(target: str) -> Way:
    return lambda path: _replace(path, lambda: path.symlink_to(target))


def _link_outside(path: Path) -> None:
    """Leads to the same content, which lies elsewhere."""
    outside = path.absolute().parents[1] / "outside" / "canary"
    outside.parent.mkdir(exist_ok=True)
    outside.write_bytes(path.read_bytes())
    _replace(path, lambda: path.symlink_to(outside))


# Of any file that holds one JSON mapping.
WAYS: dict[str, Way] = {
    "empty": _write(b""),
    "cut": _cut,
    "zeros": _write(b"\0" * 4096),
    "not UTF-8": _write(b'{"a": "\xff\xfe"}'),
    "UTF-16": _write('{"a": 1}'.encode("utf-16")),
    "a list": _write(b"[]"),
    "null": _write(b"null"),
    "a number": _write(b"NaN"),
    "a text": _write(b'"text"'),
    "a deep nest": _write(b"[" * 1_000_000),
    "a deep mapping": _write(b'{"a":' * 200_000),
    "a key twice": _write(b'{"a": 1, "a": 2}'),
    "an integer of 5000 digits": _write(b'{"a": ' + b"9" * 5000 + b"}"),
    "more behind it": _write(b"{} {}"),
    "3 GB": _grow,
    "a folder": lambda path: _replace(path, path.mkdir),
    "a pipe": lambda path: _replace(path, lambda: os.mkfifo(path)),
    "a device": _link("/dev/zero"),
    "a link to itself": lambda path: _replace(path, lambda: path.symlink_to(path)),
    "a link that leads out": _link_outside,
}
