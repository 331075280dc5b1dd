"""What looks like a number and is a text, because its key takes nothing else.

Hydra's grammar reads `run_id=12e45678` as a number before anybody knows what the key
means, and what was typed is lost: it is infinite. Where a key takes only texts, what
was typed is put into quotes, in the word itself: all that reads it later finds the
text, and the word with quotes and the one without are one job.
"""

import os
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hydra.core.override_parser.types import ChoiceSweep, QuotedString

from experiments.command.composing.composer import quote
from experiments.config.reading.fields import is_text
from experiments.config.reading.values import is_number, read_value
from experiments.config.schema.run import RunConfig

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

    from experiments.command.composing.loader import Loader

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
        quoted = _quote(word, override) if _is_mistaken(override) else word
        if override.key_or_group == "output_dir":
            quoted = _name_home(quoted, override)
        yield from [override] if quoted == word else loader.parse([quoted])


def _name_home(word: str, override: "Override") -> str:
    """Returns the folder of all records without the `~` that a shell left there.

    Other paths are located once the config is checked; this one is a part of names.
    """
    value = override._value
    text = value.text if isinstance(value, QuotedString) else value
    if not isinstance(text, str) or not text.startswith("~"):
        return word
    home = os.path.expanduser(text)  # noqa: PTH111 - a user that there is not stays
    return word if home == text else f"{word.partition('=')[0]}={quote(home)}"


def _is_mistaken(override: "Override") -> bool:
    """Tells whether Hydra has read a number, or a truth value, where a text belongs."""
    takes_list = _takes_list(override)
    values = _list_values(override)
    if takes_list:
        values = [i for v in values for i in (v if isinstance(v, list) else [v])]
    # Such as `[2024] a`.
    is_name = isinstance(override._value, list | dict) and not takes_list
    if not is_name and any(isinstance(item, list | dict) for item in values):
        return False
    is_read = any(isinstance(item, bool) or is_number(item) for item in values)
    accepts = is_text(override.key_or_group, RunConfig, in_list=takes_list)
    return accepts and (is_name or is_read)


def _takes_list(override: "Override") -> bool:
    """Tells whether a list was typed for a key that takes several texts."""
    listed = any(isinstance(value, list) for value in _list_values(override))
    return listed and is_text(override.key_or_group, RunConfig, in_list=True)


def _list_values(override: "Override") -> Sequence[object]:
    """Returns the values of a sweep, or the only one."""
    value = override._value
    return value.list if isinstance(value, ChoiceSweep) else [value]


def _quote(word: str, override: "Override") -> str:
    key, equals, value = word.partition("=")
    if isinstance(override._value, list | dict) and not _takes_list(override):
        return key + equals + quote(value)
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
