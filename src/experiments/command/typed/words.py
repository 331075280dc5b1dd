"""The words of a command line, looked at before Hydra's grammar reads them.

It takes long for what is deeply nested, gives up with an error of Python's at what has
too many digits, and lets characters pass that no file could hold.
"""

import re
from collections.abc import Iterator, Sequence

from experiments.errors import Problem

_MOST_KEY = 255
_MOST_DEPTH = 50
_MOST_DIGITS = 400
# Of a list, each item takes a millisecond.
_MOST_LENGTH, _MOST_NESTED = 16_384, 4096
# Tab, line feed and carriage return may stand in a text; the rest controls a terminal.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NO_TEXT = re.compile(r"[\ud800-\udfff]")
_DIGITS = re.compile(rf"\d{{{_MOST_DIGITS + 1},}}")
_QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""", re.DOTALL)
_OPENING, _CLOSING = "([{", ")]}"


def check_flag(flag: str, value: str) -> Iterator[Problem]:
    """Yields a problem for a flag whose value no file can be named."""
    for unfit in (_CONTROL, _NO_TEXT):
        if found := unfit.search(value):
            yield Problem(flag, f"holds the character {found[0]!r}.", "Leave it out.")


def check_words(words: Sequence[str]) -> Iterator[Problem]:
    """Yields what keeps a word from being read, one problem a word at most.

    Args:
        words: Overrides as typed.
    """
    for word in words:
        key, _, value = word.lstrip("+~").partition("=")
        reason, hint = _find_reason(word, key, value)
        if reason:
            yield Problem(key or word or "An empty word", reason, hint)


def _find_reason(word: str, key: str, value: str) -> tuple[str, str]:
    """Returns what is wrong with a word and what to do; nothing when it is fine."""
    bare = _QUOTED.sub("''", value)
    if not word.strip():
        return "names no key.", "Type key=value."
    if _NO_TEXT.search(word):
        return "holds bytes that are no text.", "Type it in UTF-8."
    if control := _CONTROL.search(word):
        return f"holds the control character {control[0]!r}.", "Leave it out."
    if len(key.encode()) > _MOST_KEY:
        return f"is no key: it has {len(key):,} letters.", "Type key=value."
    if digits := _DIGITS.search(bare):
        count = len(digits[0])
        return f"holds a number of {count:,} digits.", "Put quotes around a text."
    is_nested = any(bracket in bare for bracket in _OPENING)
    if len(bare) > (_MOST_NESTED if is_nested else _MOST_LENGTH):
        hint = "Write it into a file of your own: --config-dir my_conf"
        return f"is too long to be typed: {len(bare):,} letters.", hint
    read = value if "${" in value else bare  # quotes keep no interpolation from it
    if _measure_depth(read) > _MOST_DEPTH:
        return f"is nested more than {_MOST_DEPTH} deep.", "Set its parts one by one."
    return "", ""


def _measure_depth(text: str) -> int:
    """Returns how many brackets are open at once, at most."""
    depth = deepest = 0
    for char in text:
        if char in _OPENING:
            depth += 1
            deepest = max(deepest, depth)
        elif char in _CLOSING:
            depth -= 1
    return deepest
