"""The pages and what is fenced on them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Command:
    """A `python run.py ...` of a page.

    Attributes:
        page: Path of the page, relative to the repository.
        line: As it stands there, without its comment.
        environment: The variables in front of it.
        arguments: What follows `run.py`.
        screen: The text block right below its block; empty without one.
    """

    page: str
    line: str
    environment: dict[str, str]
    arguments: tuple[str, ...]
    screen: str

    @property
    def is_refused(self) -> bool:
        """Whether the page shows it as a mistake."""
        return self.screen.startswith(("The configuration has", "The sweep of"))


def list_pages() -> list[Path]:
    """Returns the README, where there is one, and the pages of `docs/`."""
    readme = ROOT / "README.md"
    pages = sorted((ROOT / "docs").glob("*.md"))
    return [readme, *pages] if readme.exists() else pages


def fenced_blocks(page: Path) -> list[tuple[str, str, str]]:
    """Returns of each block: language, content, what stands between it and the last."""
    text = page.read_text(encoding="utf-8")
    blocks: list[tuple[str, str, str]] = []
    end = 0
    for match in _FENCE.finditer(text):
        blocks.append((match[1], match[2], text[end : match.start()]))
        end = match.end()
    return blocks


def list_commands(page: Path) -> Iterator[Command]:
    """Yields every `python run.py` in the bash blocks of a page."""
    blocks = fenced_blocks(page)
    for number, (language, content, _) in enumerate(blocks):
        if language != "bash":
            continue
        screen = _screen_below(blocks[number + 1 : number + 2])
        for line in content.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            start = next((i for i, word in enumerate(words) if "=" not in word), 0)
            if words[start : start + 2] == ["python", "run.py"]:
                yield Command(
                    page=str(page.relative_to(ROOT)),
                    line=line.partition("  #")[0].strip(),
                    environment=dict(word.split("=", 1) for word in words[:start]),
                    arguments=tuple(words[start + 2 :]),
                    screen=screen,
                )


def _screen_below(following: list[tuple[str, str, str]]) -> str:
    """Returns the next block if it is text and nothing stands in between."""
    for language, content, gap in following:
        if language == "text" and not gap.strip():
            return content
    return ""
