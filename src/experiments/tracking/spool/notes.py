"""A run's description in Markdown, as MLflow's pages show it.

They show pictures among a run's files, by an address that names the run. Its id is
another in each store, so that a text names the file alone until it is sent.
"""

import re
from collections.abc import Sequence
from urllib.parse import quote

_LENGTH = 7000  # of 8,000 bytes of a tag
_SCHEME = "artifact:"
_PART = "\n\n#### "
_PICTURE = re.compile(rf"\]\({_SCHEME}([^)\s]+)\)")
_BORDER = re.compile(r"(?<!\\)\|")
_MARKS = re.compile(r"([\\`*_\[\]<>|#~$])")


def write_plain(text: str) -> str:
    """Returns a name as Markdown that shows it as it is, on one line."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


def write_table(rows: Sequence[Sequence[str]]) -> str:
    """Returns a table, its first column to the left and the others to the right.

    Args:
        rows: Of plain cells; the first is the head.
    """
    rule = [":--", *["--:"] * (len(rows[0]) - 1)]
    head, *lines = map(_write_row, rows)
    return "\n".join([head, f"| {' | '.join(rule)} |", *lines])


def shorten_table(table: str, *, room: int, rest: str) -> str:
    """Returns a table that was written for a file as one for MLflow's pages.

    Args:
        table: In Markdown, in which nothing but `|` was escaped.
        room: Bytes that it may take; what does not fit is counted below it.
        rest: Where the whole of it is.
    """
    head, rule, *lines = table.rstrip("\n").split("\n")
    kept = [_write_row(_split_row(head)), rule]
    left = room - sum(len(line.encode()) for line in kept)
    for number, line in enumerate(lines):
        written = _write_row(_split_row(line))
        left -= len(written.encode()) + 1
        if left < 0:
            more = f"... and {len(lines) - number} more in `{rest}`"
            return "\n".join([*kept, "", more])
        kept.append(written)
    return "\n".join(kept)


def _split_row(line: str) -> list[str]:
    cells = _BORDER.split(line.removeprefix("|").removesuffix("|"))
    return [cell.replace("\\|", "|").strip() for cell in cells]


def _write_row(row: Sequence[str]) -> str:
    # MLflow's pages leave no space between the columns of a table.
    return f"| {' | &emsp;'.join(map(write_plain, row))} |"


def write_picture(path: str, title: str) -> str:
    """Returns what shows a picture among the files of the run.

    Args:
        path: As it was recorded.
        title: Is shown where the picture cannot be.
    """
    return f"![{write_plain(title)}]({_SCHEME}{quote(path)})"


def join_parts(parts: Sequence[str]) -> str:
    """Returns paragraphs, tables and pictures as one text that MLflow takes.

    Those that are too much are left out, from the first one on.
    """
    text = ""
    for part in parts:
        longer = f"{text}\n\n{part}" if text else part
        if len(longer.encode()) > _LENGTH:
            break
        text = longer
    return text


def replace_part(text: str, heading: str, part: str) -> str:
    """Returns a description with a part under a heading, in place of its former one.

    What else stands there stays, be it written by hand; of other parts the oldest are
    left out where all are too much.

    Args:
        text: The description; empty where there is none.
        heading: Names the part.
        part: Below the heading.
    """
    first, *others = text.split(_PART)
    title = write_plain(heading)
    kept = [other for other in others if other.partition("\n")[0] != title]
    kept.append(f"{title}\n\n{part}")
    while len(_PART.join([first, *kept]).encode()) > _LENGTH and len(kept) > 1:
        kept.pop(0)
    return _PART.join([first, *kept])


def link_pictures(text: str, run_id: str) -> str:
    """Returns a description whose pictures are those of a run in a store."""
    return _PICTURE.sub(rf"](get-artifact?run_uuid={run_id}&path=\1)", text)
