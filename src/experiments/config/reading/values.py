"""Values as Hydra's override grammar means them: read, compared and written.

Two texts are one value where Hydra's parser gives the same of both: `true` and `True`,
`[1, 2]` and `[1,2]`, `abc` and `'abc'`, `1e-3` and `0.001`. Numbers are compared as
numbers, so that 1 is 1.0; a boolean is no number, and what was quoted is a text.
"""

import math
import re
import shlex
from collections.abc import Mapping
from typing import Any

_PLAIN = re.compile(r"[\w./@-]+", re.ASCII)
# What a shell reads in double quotes as something else than it is.
_SHELL = frozenset('"$`\\!')


def read_value(text: str) -> Any:
    """Returns the value of a text that stands behind `key=`.

    Raises:
        HydraException: It is none of Hydra's grammar.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser

    (override,) = OverridesParser.create().parse_overrides([f"key={text}"])
    return override.value()


def as_value(element: Any) -> Any:
    """Returns an element of a parsed sweep as plain data, its quotes taken off."""
    from hydra.core.override_parser.types import QuotedString

    if isinstance(element, QuotedString):
        return element.text
    if isinstance(element, list):
        return [as_value(item) for item in element]
    if isinstance(element, dict):
        return {as_value(key): as_value(item) for key, item in element.items()}
    return element


def is_number(value: object) -> bool:
    """Tells whether a value is a number; a boolean is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def same_value(one: Any, other: Any) -> bool:
    """Tells whether two values are the same one."""
    if is_number(one) and is_number(other):
        return one == other or (math.isnan(one) and math.isnan(other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(
            same_value(value, other[key]) for key, value in one.items()
        )
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same_value, one, other))
    return type(one) is type(other) and one == other


def settle_numbers(value: Any) -> Any:
    """Returns a value with whole numbers as integers: one value has one form."""
    if isinstance(value, Mapping):
        return {key: settle_numbers(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [settle_numbers(item) for item in value]
    is_whole = isinstance(value, float) and value.is_integer()
    return int(value) if is_whole else value


def write_value(value: Any) -> str:
    """Returns the text that Hydra's parser reads as the value, quoted where needed."""
    if isinstance(value, str):
        return _write_text(value)
    if isinstance(value, Mapping):
        pairs = (f"{write_value(k)}:{write_value(v)}" for k, v in value.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(write_value, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else repr(value)


def write_word(key: str, value: Any) -> str:
    """Returns an override as a person types it in a shell."""
    word = f"{key}={write_value(value)}"
    # The grammar's own quotes stay readable in those that are not of its kind.
    is_quotable = "'" in word and not _SHELL & set(word)
    return f'"{word}"' if is_quotable else shlex.quote(word)


def _write_text(text: str) -> str:
    from hydra.core.override_parser.types import Quote, QuotedString

    # A plain word may still be read as something else: true, null, 1e3, inf.
    if _PLAIN.fullmatch(text) and same_value(read_value(text), text):
        return text
    return QuotedString(text, Quote.single).with_quotes()
