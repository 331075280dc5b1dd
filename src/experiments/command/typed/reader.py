"""From the words of a command line to overrides.

What Hydra's grammar reads is what it means. A text that it does not read, such as
`it's` or `~/photos`, is taken as it was typed, and whoever knows the key says whether a
text belongs there.
"""

import dataclasses
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hydra.errors import HydraException

from experiments.command.answers.diagnosis import explain_word
from experiments.command.composing.composer import quote
from experiments.command.composing.loader import Loader
from experiments.config.reading.fields import is_declared, is_text, takes_text
from experiments.config.schema.run import RunConfig
from experiments.errors import ConfigError, Problem

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

_NESTED = ("[", "{")
_BRACKETS = (*_NESTED, "(")
_KEYS = {field.name for field in dataclasses.fields(RunConfig)}
_TITLE = "The command line"


def read_words(
    words: Sequence[str], loader: Loader, *, config_name: str, multirun: bool
) -> list["Override"]:
    """Returns the overrides that were typed.

    Args:
        words: As typed, without flags.
        loader: Parses.
        config_name: The primary config.
        multirun: Whether a comma divides values.

    Raises:
        ConfigError: All words that are none, with what may be meant.
    """
    parsed: list[Override] = []
    refused: dict[int, Problem | None] = {}
    for index, word in enumerate(words):
        try:
            parsed += loader.parse([word])
        except HydraException as error:
            from experiments.command.answers.mistyped_words import explain_slip

            slip = explain_slip(word, multirun=multirun)
            text = [] if slip else _read_as_text(word, loader, error, multirun=multirun)
            parsed += text
            if not text:
                told = slip or explain_word(word, error, loader)
                refused[index] = told if "=" in word else None
    if refused:
        _refuse(words, refused, parsed, loader, config_name=config_name)
    return parsed


def _refuse(
    words: Sequence[str],
    refused: dict[int, Problem | None],
    parsed: Sequence["Override"],
    loader: Loader,
    *,
    config_name: str,
) -> None:
    """Raises what is wrong, words beside each other taken together."""
    from experiments.command.answers.mistyped_words import explain_words
    from experiments.command.answers.suggestion import look_around

    known = look_around(loader, config_name, parsed)
    raise ConfigError(explain_words(words, refused, known), _TITLE)


def _read_as_text(
    word: str, loader: Loader, error: Exception, *, multirun: bool
) -> list["Override"]:
    """Returns a word whose value is a text; nothing where it can't be one."""
    key, equals, value = word.partition("=")
    plain = key.lstrip("+~")
    if not equals or plain.startswith("hydra"):
        return []
    if "while evaluating" in str(error) and not _is_named(error, plain):
        return []
    declared = is_declared(plain, RunConfig) or plain.partition(".")[0] not in _KEYS
    if not declared and ("," in value or value.startswith(_BRACKETS)):
        return []  # of a component of one's own: nobody knows what it takes
    if is_text(plain, RunConfig, in_list=True) and (items := _divide_list(value)):
        listed = ",".join(
            i if _reads(f"key=[{i}]", loader) else quote(i) for i in items
        )
        return loader.parse([f"{key}=[{listed}]"])
    if value.startswith(_NESTED) and not is_text(plain, RunConfig):
        inside = f"{key}={_quote_parts(value, loader)}"
        if _reads(inside, loader):
            return loader.parse([inside])
    for values in (_divide(value) if multirun else [], [value]):
        quoted = ",".join(v if _reads(f"key={v}", loader) else quote(v) for v in values)
        if values and _reads(f"{key}={quoted}", loader):
            return loader.parse([f"{key}={quoted}"])
    return []


def _is_named(error: Exception, key: str) -> bool:
    """Tells whether brackets follow a name, and not a function: `photos (1)`."""
    takes = is_declared(key, RunConfig) and takes_text(key, RunConfig)
    return takes and "Unknown function" in str(error)


def _divide(value: str) -> list[str]:
    """Returns the values of a sweep that are texts without quotes and brackets."""
    parts = [part.strip() for part in value.split(",")]
    return parts if parts[1:] and all(parts) and not set(value) & set('"[{(') else []


def _divide_list(value: str) -> list[str]:
    """Returns the texts of `[a (1).jpg,~/b.jpg]`, which are written without quotes."""
    inner = value[1:-1]
    plain = value[:1] == "[" and value[-1:] == "]" and not set(inner) & set("\"'[]{}")
    items = [item.strip() for item in inner.split(",")] if plain else []
    return items if all(items) else []


def _quote_parts(value: str, loader: Loader) -> str:
    """Returns a list or a mapping with quotes around what the grammar does not read."""
    if set(value) & set("\"'()"):
        return value
    signs = r"([,\[\]{}:]\s*)" if value.startswith("{") else r"([,\[\]{}]\s*)"
    return "".join(
        part
        if number % 2 or not part.strip() or _reads(f"key=[{part}]", loader)
        else quote(part)
        for number, part in enumerate(re.split(signs, value))
    )


def _reads(word: str, loader: Loader) -> bool:
    try:
        loader.parse([word])
    except HydraException:
        return False
    return True
