"""Reads what may unfold into more than memory holds, up to a limit."""

from typing import Protocol

from experiments.errors import DataError

# Of one archive, unpacked: three times what the published CIFAR-10 has.
MOST_BYTES = 2**29


class Readable(Protocol):
    """An open file, packed or not."""

    def read(self, size: int, /) -> bytes:
        """Returns at most so many bytes."""


def read_bounded(file: Readable, name: str) -> bytes:
    """Returns the whole of an open file, of which only its content tells the size.

    Raises:
        DataError: It is larger than an archive may be; half a sentence, to follow the
            archive's name.
    """
    content = file.read(MOST_BYTES + 1)
    check_size(len(content), name)
    return content


def check_size(size: int, name: str) -> None:
    """Raises when something is larger than an archive may be."""
    if size > MOST_BYTES:
        raise DataError(
            f"has more than {MOST_BYTES:,} bytes in {name}, several times what the "
            "published data have. Take the published files, or make smaller ones."
        )
