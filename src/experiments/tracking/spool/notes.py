"""A run's description in Markdown, as MLflow's pages show it.

They show pictures among a run's files, by an address that names the run. Its id is
another in each store, so that a text names the file alone until it is sent.
"""

import re
from collections.abc import Sequence
from urllib.parse import quote

_LENGTH = 7000  # of 8,000 bytes of a tag
_SCHEME = "artifact:"
_PICTURE = re.compile(rf"\]\({_SCHEME}([^)\s]+)\)")
_BORDER = re.compile(r"(?<!\\) \| (?!$)")
_SPACE = "&emsp;"
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
    lines = [[write_plain(cell) for cell in row] for row in rows]
    texts = [f"| {' | '.join(line)} |" for line in [lines[0], rule, *lines[1:]]]
    return space_table("\n".join(texts))


def space_table(table: str) -> str:
    """Returns a table whose columns stand apart, which MLflow's pages do not do."""
    head, rule, *rows = table.rstrip("\n").split("\n")
    spaced = [_BORDER.sub(f" | {_SPACE}", line) for line in (head, *rows)]
    return "\n".join([spaced[0], rule, *spaced[1:]])


def write_picture(path: str, title: str) -> str:
    """Returns what shows a picture among the files of the run.

    Args:
        path: As it was recorded.
        title: Is shown where the picture cannot be.
    """
    return f"![{write_plain(title)}]({_SCHEME}{quote(path)})"


def shorten_table(table: str, *, room: int, rest: str) -> str:
    """Returns the first lines of a table and how many more there are.

    Args:
        table: In Markdown.
        room: Letters that it may take.
        rest: Where the whole table is.
    """
    head, rule, *rows = table.rstrip("\n").split("\n")
    kept: list[str] = []
    left = room - len(head) - len(rule)
    for row in rows:
        left -= len(row) + 1
        if left < 0:
            break
        kept.append(row)
    shown = "\n".join([head, rule, *kept])
    more = len(rows) - len(kept)
    return f"{shown}\n\n... and {more} more in `{rest}`" if more else shown


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


def link_pictures(text: str, run_id: str) -> str:
    """Returns a description whose pictures are those of a run in a store."""
    return _PICTURE.sub(rf"](get-artifact?run_uuid={run_id}&path=\1)", text)
