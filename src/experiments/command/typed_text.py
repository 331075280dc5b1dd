"""What looks like a number and is a text, because its key takes nothing else.

Hydra's grammar reads `run_id=12e45678` as a number before anybody knows what the key
means, and what was typed is lost: it is infinite. Where a key takes only texts, what
was typed is put into quotes, in the word itself: all that reads it later finds the
text, and the word with quotes and the one without are one job.
"""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hydra.core.override_parser.types import ChoiceSweep

from experiments.config.fields import is_text
from experiments.config.schema.run import RunConfig
from experiments.config.values import is_number, read_value

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

    from experiments.command.loader import Loader

_QUOTED = r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\""""
# A value, or one of several: between commas, in a list or in what a function orders.
_WORD = re.compile(
    rf"{_QUOTED}|((?<![^,(\[])\s*)([\w.+-]+)(?=\s*(?:[,)\]]|\Z))", re.DOTALL
)
_CALLED = re.compile(rf"{_QUOTED}|(\w+)\s*\(", re.DOTALL)
_LISTING = {"choice", "shuffle", "sort"}


def quote_texts(typed: Sequence["Override"], loader: "Loader") -> Iterator["Override"]:
    """Yields overrides, those of keys that take only texts with the text as typed.

    `null` stays null; what a function makes, such as `range(1,3)`, stays what it is.

    Args:
        typed: As Hydra has parsed them.
        loader: Parses what has got quotes.
    """
    for override in typed:
        word = override.input_line or ""
        quoted = _quote(word) if _is_mistaken(override) else word
        yield from [override] if quoted == word else loader.parse([quoted])


def _is_mistaken(override: "Override") -> bool:
    """Tells whether Hydra has read a number, or a truth value, where a text belongs."""
    value = override._value
    values = value.list if isinstance(value, ChoiceSweep) else [value]
    if isinstance(value, list):
        values = value
    if any(isinstance(item, list | dict) for item in values):
        return False
    is_any = any(isinstance(item, bool) or is_number(item) for item in values)
    in_list = isinstance(value, list)
    return is_any and is_text(override.key_or_group, RunConfig, in_list=in_list)


def _quote(word: str) -> str:
    key, equals, value = word.partition("=")
    if {match[1] for match in _CALLED.finditer(value)} - {None} - _LISTING:
        return word
    return key + equals + _WORD.sub(_quote_one, value)


def _quote_one(match: re.Match[str]) -> str:
    before, text = match[1], match[2]
    if text is None:  # has quotes
        return match[0]
    value = read_value(text)
    is_taken = isinstance(value, bool) or is_number(value)
    return f'{before}"{text}"' if is_taken else match[0]
