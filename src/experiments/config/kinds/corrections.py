"""What a person decided about single images: the file `corrections.csv`.

It is read by whoever looks for mistakes in it before a job starts, by a job's identity,
and by the data set that it changes. Imports nothing heavy.
"""

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from experiments.counts import count_of
from experiments.errors import DataError
from experiments.files import look_at_ordinary

Action = Literal["keep", "relabel", "drop"]

NAME = "corrections"
KEY = f"dataset.{NAME}"
ACTIONS: tuple[Action, ...] = get_args(Action)
NEEDED = ("sample", "action")
# As `task=audit` writes them; of the others nothing is read.
COLUMNS = (
    "sample",
    "split",
    "given",
    "proposed",
    "action",
    "reason",
    "certainty",
    "digest",
)
MOST_BYTES = 2**30
_SHOWN = 10  # faults
ADVICE = "Mend or remove what is listed, or run task=audit again."


@dataclass(frozen=True, kw_only=True)
class Correction:
    """One decision.

    Attributes:
        sample: Name of the image, as tables of predictions have it.
        action: `keep` it as it is, `relabel` it as `label`, or `drop` it.
        label: The class that it is given; empty but for `relabel`.
        digest: Hash of its content when it was decided; empty where nobody noted it.
        line: Of the file, for messages.
    """

    sample: str
    action: Action
    label: str = ""
    digest: str = ""
    line: int = 0

    def differs(self, other: "Correction") -> bool:
        """Tells whether something else comes of it."""
        return (self.action, self.label) != (other.action, other.label)


class CorrectionsError(DataError):
    """Lines of a file of corrections that cannot be applied.

    Args:
        path: The file.
        faults: What is wrong, a phrase each, with its line.

    Attributes:
        path: As above.
        faults: The first ten of them, and how many there are besides.
    """

    def __init__(self, path: Path, faults: Sequence[str]) -> None:
        self.path = path
        more = len(faults) - _SHOWN
        rest = [f"and {more:,} more"] if more > 0 else []
        self.faults = [*faults[:_SHOWN], *rest]
        lines = count_of(len(faults), "line")
        told = [f"{KEY}: {lines} of {path} cannot be applied:"]
        told += [f"  - {fault}" for fault in self.faults]
        super().__init__("\n".join([*told, ADVICE]))

    def __reduce__(self) -> tuple[type, tuple[Path, list[str]]]:
        """Comes back from a launcher's worker as it was raised."""
        return type(self), (self.path, self.faults)


@dataclass(frozen=True)
class Corrections:
    """The decisions of a file.

    Attributes:
        path: The file.
        rows: By the sample's name, in the file's order.
    """

    path: Path
    rows: Mapping[str, Correction]

    @property
    def effective(self) -> list[Correction]:
        """Those that change something."""
        return [row for row in self.rows.values() if row.action != "keep"]

    @property
    def dropped(self) -> frozenset[str]:
        """The samples that are left out."""
        return frozenset(r.sample for r in self.rows.values() if r.action == "drop")

    def refuse(self, faults: Sequence[str]) -> None:
        """Raises what is wrong in the file, if anything is.

        Args:
            faults: A phrase each, with its line.

        Raises:
            CorrectionsError: With all of them, or the first ten.
        """
        if faults:
            raise CorrectionsError(self.path, faults)

    def check(
        self, known: Mapping[str, str | None], class_names: Sequence[str]
    ) -> None:
        """Checks that the decisions are about images and classes that are there.

        Args:
            known: Name of each image -> its digest; `None` where that is not known.
            class_names: The classes.

        Raises:
            CorrectionsError: An image or class is not, or the content of one has
                changed.
        """
        classes = frozenset(class_names)
        self.refuse(
            [f for row in self.rows.values() for f in _judge(row, known, classes)]
        )


def read_corrections(path: Path) -> Corrections:
    """Reads a file of corrections.

    It is a CSV file whose first line names its columns: `sample` and `action`,
    `proposed` where an action is relabel, and `digest` where it is to be noticed that
    an image has changed. Other columns are for people.

    Args:
        path: The file.

    Raises:
        DataError: It cannot be read, or a line of it is wrong; all of them are told.
    """
    rows: dict[str, Correction] = {}
    faults: list[str] = []
    for line, values in _read_lines(path):
        row, fault = _read_row(line, values)
        if row is not None and row.sample in rows:
            first = rows[row.sample].line
            fault = f"line {line}: {row.sample} stands in line {first} already"
        if fault is not None:
            faults.append(fault)
        elif row is not None:
            rows[row.sample] = row
    found = Corrections(path, rows)
    found.refuse(faults)
    return found


def digest_corrections(path: str) -> str | None:
    """Returns a hash of what a file of corrections changes; `None` if that is nothing.

    A file that was moved or put into another order, or whose reasons were edited, has
    the same. Of one that cannot be read it is the path, for others to tell.
    """
    try:
        effective = read_corrections(Path(path)).effective
    except DataError:
        return path
    content = sorted((row.sample, row.action, row.label) for row in effective)
    if not content:
        return None
    return hashlib.blake2b(json.dumps(content).encode(), digest_size=16).hexdigest()


def _read_lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yields the number of each line and its values by column."""
    try:
        if look_at_ordinary(path).st_size > MOST_BYTES:
            raise DataError(f"{KEY}: {path} is too large to be a file of corrections.")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise DataError(
            f"{KEY}: {path} cannot be read: {reason}. task=audit writes such a file."
        ) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        head = [name.strip() for name in next(reader, [])]
        missing = [name for name in NEEDED if name not in head]
        if missing:
            raise DataError(
                f"{KEY}: {path} must name its columns in its first line, "
                f"{' and '.join(NEEDED)} among them. Received: "
                f"{', '.join(head)[:200] or 'an empty file'}."
            )
        for cells in reader:
            if any(cell.strip() for cell in cells):
                values = dict(zip(head, cells, strict=False))
                yield reader.line_num, values
    except csv.Error as error:
        raise DataError(
            f"{KEY}: {path} is no CSV file: line {reader.line_num}: {error}."
        ) from error


def _read_row(
    line: int, values: Mapping[str, str]
) -> tuple[Correction | None, str | None]:
    """Returns a decision, or what is wrong with it."""
    sample = values.get("sample", "")
    action = values.get("action", "").strip().lower()
    label = values.get("proposed", "").strip() if action == "relabel" else ""
    if not sample:
        return None, f"line {line}: names no sample"
    if action not in ACTIONS:
        accepted = ", ".join(ACTIONS)
        return None, f"line {line}: action must be one of {accepted}, not {action!r}"
    if action == "relabel" and not label:
        return None, f"line {line}: relabel needs a class under proposed"
    digest = values.get("digest", "").strip()
    found = Correction(
        sample=sample,
        action=action,
        label=label,
        digest=digest,
        line=line,
    )
    return found, None


def _judge(
    row: Correction, known: Mapping[str, str | None], classes: frozenset[str]
) -> Iterator[str]:
    """Yields what is wrong with a decision about these images."""
    if row.sample not in known:
        yield f"line {row.line}: {row.sample} is no image of the data set"
        return
    digest = known[row.sample]
    if row.digest and digest is not None and row.digest != digest:
        yield f"line {row.line}: {row.sample} is another image than when it was decided"
    if row.action == "relabel" and row.label not in classes:
        yield f"line {row.line}: {row.label!r} is no class of the data set"
