"""What was meant by words that are no overrides, beside each other and alone."""

import re
import shlex
from collections.abc import Mapping, Sequence

from experiments.command.answers.suggestion import (
    Known,
    find_targets,
    is_path,
    suggest_key,
    write_images,
    write_word,
)
from experiments.command.composing.composer import quote_word
from experiments.config.code.programs import name_command
from experiments.config.reading.fields import is_declared, is_text, takes_text
from experiments.config.schema.run import RunConfig
from experiments.config.synonyms import find_note, find_option, normalise
from experiments.errors import Problem
from experiments.redaction import HIDDEN
from experiments.secret_names import is_secret_name

_NEXT = re.compile(r"(?<=\S)\s+(?=[+~]*[A-Za-z_][\w./]*=)")
_KEY = re.compile(r"[+~]*[A-Za-z_][\w./@]*")
_FLAGS = {
    "help": "--help",
    "usage": "--help",
    "version": "--version",
    "multirun": "-m",
    "m": "-m",
    "h": "--help",
    "config": "--cfg job",
    "cfg": "--cfg job",
    "show": "--cfg job",
    "info": "--info",
}
_OURSELVES = {"run.py", "python", "python3", "experiments", "./run.py"}
_NO_WORD = "is no key=value."
_MOST_SHOWN = 80  # letters of a value that is typed again


def explain_slip(word: str, *, multirun: bool) -> Problem | None:
    """Returns what is wrong with a value that was to be something else.

    Args:
        word: That the grammar does not read.
        multirun: Whether a comma divides values.
    """
    key, equals, value = word.partition("=")
    if not equals or not key.strip("+~ ") or key.startswith("hydra"):
        return None
    if value.startswith("=") and value.strip("="):
        word = shlex.quote(f"{key}={value.lstrip('=')}")
        return Problem(key, "has one = too many.", f"Did you mean `{word}`?")
    if value.rstrip().endswith(","):
        return _explain_comma(key, value.rstrip(" ,"), multirun=multirun)
    is_list = "," in value and not multirun and not set(value) & set("\"'[]{}()")
    if is_list and is_declared(key, RunConfig) and takes_text(key, RunConfig):
        reason = f"takes one value in a single run. Received: {value}."
        if is_text(key, RunConfig, in_list=True):
            word = shlex.quote(f"{key}=[{value}]")
            return Problem(
                key, reason, f"To name several, put brackets around them: {word}"
            )
        hint = "Add -m to run each of them, or quote it to pass a text"
        return Problem(key, reason, f"{hint}: {quote_word(key, value)}")
    if _NEXT.search(value) and not is_text(key, RunConfig):
        words = shlex.join(_NEXT.split(word))
        reason = "has another key behind its value: quotes make one word of both."
        return Problem(key, reason, f"Type {words}")
    return None


def _explain_comma(key: str, value: str, *, multirun: bool) -> Problem:
    if len(value) > _MOST_SHOWN:
        return Problem(key, "has nothing behind its last comma.", "Leave it out.")
    word = shlex.quote(f"{key}={value}")
    hint = f"Did you mean `{word}`?"
    if not multirun:
        first, _, others = value.partition(",")
        several = shlex.quote(f"{key}={first},{others or '...'}")
        hint = f"{hint} To run several values: -m {several}"
    return Problem(key, f"has nothing behind its last comma. Received: {value},.", hint)


def explain_words(
    words: Sequence[str], refused: Mapping[int, Problem | None], known: Known
) -> list[Problem]:
    """Returns what is wrong with words that are no overrides, and what was meant.

    Args:
        words: All that were typed, without flags.
        refused: Which of them, each with what is wrong by itself; `None` where that is
            the word alone.
        known: What there is to be meant.
    """
    problems: list[Problem] = []
    told: set[int] = set()
    for index in sorted(refused):
        if index in told:
            continue
        end, problem = _explain_joined(words, index, refused, known)
        if problem is None:
            end, problem = index, refused[index]
        told |= set(range(index, end + 1))
        problems.append(problem or explain_bare(words[index], known))
    return problems


def _explain_joined(
    words: Sequence[str],
    index: int,
    refused: Mapping[int, Problem | None],
    known: Known,
) -> tuple[int, Problem | None]:
    """Returns what is wrong with words beside each other, and the last one of them."""
    before = words[index - 1] if index else ""
    word = words[index]
    following = list(words[index + 1 :])
    alone = [i for i in range(index + 1, len(words)) if refused.get(i, 0) is None]
    is_alone = refused[index] is None
    if is_alone and before.endswith("=") and before.count("=") == 1:  # key= value
        return index, _spaced("{}= {}", before[:-1], word, known)
    if is_alone and following[:1] == ["="] and index + 2 in alone:  # key = value
        return index + 2, _spaced("{} = {}", word, following[1], known)
    if is_alone and following and re.match(r"=[^=]", following[0]):  # key =value
        return index + 1, _spaced("{} ={}", word, following[0][1:], known)
    if is_alone and (joined := _join_text(words, index, refused, known)):
        return joined
    if word.endswith(",") and "=" in word and index + 1 in alone:  # key=1, 2
        end = index + 1
        while words[end].endswith(",") and end + 1 in alone:
            end += 1
        whole = "".join(words[index : end + 1])
        reason = "has spaces between its values."
        hint = f"To run each of them: -m {shlex.quote(whole)}"
        return end, Problem(word.partition("=")[0], reason, hint)
    if is_alone and index + 1 in alone and _KEY.fullmatch(word):  # key value
        targets = _find_key(word, known)
        if targets:
            shown = write_word(targets[0], following[0], known, name=_last(word))
            text = _show("{} {}", word, following[0])
            return index + 1, Problem(text, "lacks a =.", f"Did you mean `{shown}`?")
    return index, None


def _join_text(
    words: Sequence[str],
    index: int,
    refused: Mapping[int, Problem | None],
    known: Known,
) -> tuple[int, Problem] | None:
    """Returns the words of a text, or of a mapping, which the shell has divided."""
    before, word = words[index - 1] if index else "", words[index]
    key, equals, value = before.partition("=")
    is_open = any(value.count(a) > value.count(b) for a, b in ("[]", "{}", "()"))
    target = next(iter(_find_key(key.lstrip("+~"), known)), key.lstrip("+~"))
    takes_name = is_text(target, RunConfig) or (
        target == "dataset" and "/" in value + word
    )
    is_name = takes_name and not _is_known(word, known)
    if not equals or not value or not (is_open or is_name) or not word.strip("+~= "):
        return None
    end = index
    while end + 1 < len(words) and refused.get(end + 1, 0) is None:
        end += 1
    whole = " ".join([before, *words[index : end + 1]])
    if key == "tags":  # which has no labels until some are added
        whole = f"++{whole}"
    meant = shlex.quote(whole)
    if target != key.lstrip("+~") or target == "dataset":
        text = whole.partition("=")[2]
        meant = write_word(target, text, known, name=_last(key))
    hint = f"Did you mean `{meant}`?"
    return end, Problem(key, "has a space in its value: put quotes around it.", hint)


def _is_known(word: str, known: Known) -> bool:
    """Tells whether a word is something by itself."""
    option = _find_any_option(word, known)
    is_key = word in known.list_keys() or f"task.{word}" in known.list_own()
    return bool(option or _FLAGS.get(normalise(word)) or is_key)


def _show(form: str, key: str, value: str) -> str:
    """Returns what was typed, but no secret: nobody has learnt it from such words."""
    return form.format(key, HIDDEN if is_secret_name(key) else value)


def _spaced(form: str, key: str, value: str, known: Known) -> Problem:
    targets = _find_key(key, known)
    target = targets[0] if targets else key
    word = write_word(target, value, known, name=_last(key))
    text = _show(form, key, value)
    return Problem(text, "has spaces around the =.", f"Did you mean `{word}`?")


def _find_key(word: str, known: Known) -> list[str]:
    """Returns the key that a word is, or is called by."""
    if word in known.list_keys():
        return [word]
    return find_targets(word, known, alike=False)


def _last(key: str) -> str:
    return key.rpartition(".")[2]


def explain_bare(word: str, known: Known) -> Problem:
    """Returns what is wrong with a word that is no override, and what was meant.

    Args:
        word: As typed.
        known: What there is to be meant.
    """
    if word in _OURSELVES:
        return Problem(word, "is the command itself.", "Type it once.")
    if flag := _FLAGS.get(normalise(word)):
        return Problem(word, _NO_WORD, f"Did you mean `{flag}`?")
    key, colon, value = word.partition(":")
    if colon and value and _KEY.fullmatch(key) and not value.startswith("/"):
        targets = _find_key(key, known)
        if targets:
            shown = write_word(targets[0], value.strip(), known, name=_last(key))
            return Problem(word, "has a : for a =.", f"Did you mean `{shown}`?")
    if option := _find_any_option(word, known):
        return Problem(word, _NO_WORD, f"Did you mean `{option}`?")
    if is_path(word):
        return _explain_path(word, known)
    if word in known.list_keys():
        return Problem(word, "has no value.", f"Type {word}=...")
    hint = suggest_key(word, "", known) if _KEY.fullmatch(word) else ""
    hint = hint or f"Type key=value; {name_command()} --help lists the keys."
    return Problem(word, _NO_WORD, hint)


def _explain_path(word: str, known: Known) -> Problem:
    group, _, name = word.removeprefix("./").removeprefix("conf/").rpartition("/")
    name = name.removesuffix(".yaml")
    if group in known.list_groups() and name in known.list_options(group):
        return Problem(word, _NO_WORD, f"Did you mean `{group}={name}`?")
    if word.endswith((".yaml", ".yml")):
        hint = "Files of your own stand in conf/, see docs/configs.md."
        return Problem(word, _NO_WORD, hint)
    return Problem(word, _NO_WORD, f"Did you mean `{write_images(word)}`?")


def _find_any_option(word: str, known: Known) -> str | None:
    """Returns `group=file` of the group that has a file of this name."""
    plain = normalise(word)
    if find_note(word):
        return None
    for group in ("task", "experiment", *known.list_groups()):
        for option in known.list_options(group):
            if normalise(option) == plain and option not in ("default", "none"):
                return f"{group}={option}"
    called = find_option("task", word)
    return f"task={called}" if called in known.list_options("task") else None
