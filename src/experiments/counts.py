"""Numbers of things, bytes and seconds, as a person writes them."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

_HUGE = 10**15


def count_of(number: int, noun: str, plural: str | None = None) -> str:
    """Returns a number and its noun: 1 file, 1,258 files.

    Args:
        number: How many.
        noun: Of one.
        plural: Of several, where it is not the noun with an s.
    """
    return f"{write_count(number)} {agree(number, noun, plural or f'{noun}s')}"


def agree(number: float, one: str, several: str) -> str:
    """Returns the words for one or for several: 1 file *is*, 2 files *are*."""
    return one if number == 1 else several


def write_count(number: int) -> str:
    """Returns a number with its thousands apart, a huge one by its magnitude."""
    return f"{number:,}" if abs(number) < _HUGE else f"{Decimal(number):.1e}"


def format_duration(seconds: float) -> str:
    """Returns `m:ss`, or `h:mm:ss` from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def join_words(words: Sequence[str]) -> str:
    """Returns words as a sentence lists them: a, b and c."""
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


def name_some(names: Iterable[object], most: int = 5, noun: str = "") -> str:
    """Returns the first of some names and how many more there are: a, b and 3 more.

    Args:
        names: All of them.
        most: That are written out.
        noun: Of one of them, to say what there are more of.
    """
    told = set_apart(names)
    shown = ", ".join(told[:most])
    if len(told) <= most:
        return shown
    more = len(told) - most
    rest = count_of(more, f"more {noun}") if noun else f"{write_count(more)} more"
    return f"{shown} and {rest}"


def set_apart(names: Iterable[object]) -> list[str]:
    """Returns names to be joined by commas: one that has a comma itself in quotes."""
    told = map(str, names)
    return [f'"{t}"' if "," in t and t[0] not in "\"'" else t for t in told]


def format_seconds(seconds: float) -> str:
    """Returns a duration as `12 s`, `3 min 05 s` or `2 h 10 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if whole < 10 else f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def format_share(share: float, digits: int = 0) -> str:
    """Returns a share of 0 to 1 in percent, with a blank as units have it: 57 %.

    Args:
        share: Of the whole.
        digits: Behind the point.
    """
    return f"{100 * share:.{digits}f} %"


def format_bytes(count: float) -> str:
    """Returns a size in MB or GB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.3g} MB"


def format_size(count: float) -> str:
    """Returns the size of a file or a folder: in kB too, of which many are."""
    return f"{count / 1e3:.0f} kB" if count < 1e5 else format_bytes(count)
