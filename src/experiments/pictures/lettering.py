"""Names in any script: which fonts have their letters, and what is drawn without."""

import logging
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from experiments.counts import agree, count_of

if TYPE_CHECKING:
    from matplotlib.font_manager import FontEntry

_log = logging.getLogger(__name__)

_USUAL = "DejaVu Sans"  # comes with Matplotlib
# It has a box for every letter there is.
_NO_FONTS = ("Last Resort",)
# Of a family the plain face is looked for, and of all families the usual ones first.
_PREFERRED = ("Noto Sans", "Noto", "WenQuanYi", "Droid Sans", "Unifont")
_DOTS = "…"
# Marks that are written above or below the letter before them, and joiners.
_NO_WIDTH = ("Mn", "Me", "Cf")


@dataclass(frozen=True)
class Lettering:
    """How names are drawn.

    Attributes:
        families: Fonts, in the order in which a letter is looked for in them.
        unknown: Letters that none of them has.
    """

    families: tuple[str, ...]
    unknown: frozenset[str]

    def write(self, name: str, label: int, *, width: int) -> str:
        """Returns what is drawn for a class.

        Args:
            name: Of the class.
            label: Its number, which stands for a name that cannot be drawn.
            width: How many letters there is room for; the middle is left out.
        """
        seen = self._leave_out(name)
        if self.unknown & set(seen):
            return f"class {label}"
        return shorten(seen, width)

    def replace(self, text: str) -> str:
        """Returns a text with a question mark for each letter that no font has."""
        seen = self._leave_out(text)
        return "".join("?" if letter in self.unknown else letter for letter in seen)

    def _leave_out(self, text: str) -> str:
        """Returns a text without what is not seen and no font has."""
        unseen = {letter for letter in self.unknown if _is_unseen(letter)}
        return "".join(letter for letter in text if letter not in unseen)


def choose_lettering(texts: Iterable[str]) -> Lettering:
    """Finds fonts of this machine for all letters of some texts."""
    letters = frozenset(letter for text in texts for letter in text)
    return Lettering(*_find_families(letters))


def letter_classes(names: Sequence[str]) -> Lettering:
    """Finds fonts for the names of classes.

    Says once what no font has: Matplotlib would for each letter that it draws.
    """
    lettering = choose_lettering(names)
    seen = {letter for letter in lettering.unknown if not _is_unseen(letter)}
    if numbered := [name for name in names if seen & set(name)]:
        _tell(len(numbered), numbered[0])
    return lettering


@lru_cache(maxsize=32)  # one run draws several pictures
def _tell(count: int, name: str) -> None:
    _log.warning(
        "No font of this machine has the letters of %s (%s): %s drawn by %s in "
        "pictures. Debian's fonts-noto has most scripts.",
        count_of(count, "class name"),
        name,
        agree(count, "it is", "they are"),
        agree(count, "its number", "their numbers"),
    )


def _is_unseen(letter: str) -> bool:
    """Tells whether a letter only says how others are drawn."""
    is_selector = "\ufe00" <= letter <= "\ufe0f"  # of a picture instead of a letter
    return is_selector or not letter.isprintable()


def shorten(name: str, width: int) -> str:
    """Returns a name that fits, with dots in its middle where something is left out.

    Args:
        name: Any text.
        width: Letters, of which a Chinese one takes the room of two.
    """
    if _measure(name) <= width:
        return name
    end = (width - 1) // 3
    return _take(name, width - 1 - end) + _DOTS + _take(name[::-1], end)[::-1]


def _take(letters: Iterable[str], width: int) -> str:
    taken = ""
    for letter in letters:
        if _measure(taken + letter) > width:
            break
        taken += letter
    return taken


def _measure(text: str) -> int:
    return sum(_measure_letter(letter) for letter in text)


def _measure_letter(letter: str) -> int:
    if unicodedata.category(letter) in _NO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


@lru_cache(maxsize=32)
def _find_families(letters: frozenset[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Returns fonts that have the letters, and those that no font has."""
    from matplotlib.font_manager import fontManager

    families = [_USUAL]
    usual = [font for font in fontManager.ttflist if font.name == _USUAL]
    unknown = set(letters)
    for font in usual[:1]:
        unknown -= _select_known(font, unknown)
    for font in sorted(fontManager.ttflist, key=_rank):
        if not unknown:
            break
        if font.name in families or font.name.startswith(_NO_FONTS):
            continue
        known = _select_known(font, unknown)
        if known:
            families.append(font.name)
            unknown -= known
    return tuple(families), frozenset(unknown)


def _rank(font: "FontEntry") -> tuple[bool, bool, int, str]:
    """Returns what puts plain faces of usual families first."""
    usual = [n for n, start in enumerate(_PREFERRED) if font.name.startswith(start)]
    is_plain = font.style == "normal" and str(font.weight) in ("400", "normal")
    return not is_plain, not usual, min(usual, default=0), font.name


def _select_known(font: "FontEntry", letters: Iterable[str]) -> set[str]:
    from matplotlib.font_manager import get_font

    try:
        face = get_font(font.fname)
        return {letter for letter in letters if face.get_char_index(ord(letter))}
    except (OSError, RuntimeError):  # removed since it was listed, or damaged
        return set()
