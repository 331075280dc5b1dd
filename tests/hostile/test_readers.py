"""What the fuzzers feed, without a fuzzer: good files, changed ones, and what broke.

Each reader refuses by its own error alone, see `fuzz_*.py`.
"""

import random
from collections.abc import Sequence
from contextlib import suppress
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.errors import ExperimentError
from tests.hostile import fuzz_archive, fuzz_checkpoint, fuzz_header, fuzz_journal

READERS = (fuzz_archive, fuzz_checkpoint, fuzz_header, fuzz_journal)
_DEEP = b"[" * 50_000


def state(header: bytes) -> bytes:
    return b"\1" + len(header).to_bytes(8, "little") + header


def entry(kind: str, content: str) -> bytes:
    return f'{{"kind": "{kind}", "time": 1, "content": {content}}}\n'.encode()


# Found by the fuzzers: each ended in an error of Python's, or took a gigabyte.
BROKEN: tuple[tuple[ModuleType, bytes], ...] = (
    # A memo at an index of 32 bits; an unknown encoding; calls of nothing.
    (
        fuzz_archive,
        b"\4\x80\x02}q\x00(c_codecs\nencode\nq\x01X\4\0\0\0datar\xff\xff\xff\x7f.",
    ),
    (fuzz_archive, b"\4\x80\x02c_codecs\nencode\nX\1\0\0\0aX\6\0\0\0lat1in\x86R."),
    (fuzz_archive, b"\4\x80\x02c_codecs\nencode\nK\1R."),
    (fuzz_archive, b"\4\x80\x02X\1\0\0\0aK\1a."),
    (fuzz_archive, b"\2\0\0\x08\xff" + b"\x7f" * 40),
    (fuzz_checkpoint, b"\1" + b"\xff" * 8 + b"{}"),
    (fuzz_checkpoint, b"\1\xff\xff\xff\xff\xff\0\0\0{}"),
    (fuzz_checkpoint, state(b'{"__metadata__": {"facts": "{"}}')),
    (fuzz_checkpoint, state(b'{"__metadata__": {}, "a": {"dtype": "F32"}}')),
    (fuzz_checkpoint, state(b"\xff\xfe")),
    (fuzz_checkpoint, state(_DEEP)),
    (fuzz_checkpoint, b"\0" + _DEEP),
    (fuzz_journal, _DEEP + b"\n"),
    (fuzz_journal, entry("told", '{"number": 7, "outcome": {"end": "complete"}}')),
    (fuzz_journal, entry("asked", '{"number": 0, "values": {}}')),
    (fuzz_journal, entry("asked", '{"number": 0, "values": {}, "upochs": 1}')),
    (fuzz_journal, entry("told", '{"number": 0}')),
)


def read(reader: ModuleType, data: bytes) -> None:
    with suppress(ExperimentError):
        reader.read(data)


def change(data: bytes, generator: random.Random) -> bytes:
    """Returns the data with a few bytes changed, left out or repeated."""
    changed = bytearray(data)
    for _ in range(generator.randint(1, 4)):
        at = generator.randrange(len(changed) or 1)
        end = min(len(changed), at + generator.randint(1, 9))
        part = generator.choice(
            (b"", changed[at:end] * 2, generator.randbytes(end - at), b"\xff" * 4)
        )
        changed[at:end] = part
    return bytes(changed)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
def test_good_file_is_read(reader: ModuleType) -> None:
    for data in reader.good():
        reader.read(data)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
def test_changed_file_is_read_or_refused(reader: ModuleType) -> None:
    generator = random.Random(21)
    whole: Sequence[bytes] = list(reader.good())
    for _ in range(150):
        read(reader, change(generator.choice(whole), generator))


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
def test_any_bytes_are_read_or_refused(reader: ModuleType) -> None:
    @settings(
        max_examples=60,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.binary(max_size=400))
    def feed(data: bytes) -> None:
        read(reader, data)

    feed()


@pytest.mark.parametrize(("reader", "data"), BROKEN)
def test_input_that_broke_a_reader_is_refused(reader: ModuleType, data: bytes) -> None:
    read(reader, data)
