"""What was meant by flags that the command does not have, or has in another form."""

import difflib
from argparse import Action, ArgumentParser
from collections.abc import Iterator, Sequence

from experiments.command.answers.suggestion import Known, suggest_key
from experiments.config.code.programs import name_command
from experiments.config.synonyms import find_note, normalise
from experiments.errors import Problem

# Names that other programs give a flag of this one.
_CALLED = {
    "sweep": "--multirun",
    "config": "--config-name",
    "cfgpath": "--config-path",
    "printconfig": "--cfg",
    "showconfig": "--cfg",
    "v": "--version",
    "?": "--help",
}
_EXAMPLES = {
    "--cfg": "--cfg job",
    "--config-dir": "--config-dir my_conf",
    "--config-path": "--config-path /home/me/conf",
    "--config-name": "--config-name my_config",
    "--package": "--cfg job --package model",
}
_PARTS = {"--cfg": "A part of it: --cfg job --package model"}
_SIMILAR = 0.8


def explain_flags(
    words: Sequence[str], parser: ArgumentParser, known: Known
) -> list[Problem]:
    """Returns what is wrong with the flags of a command line.

    Args:
        words: All that was typed behind the command.
        parser: Knows the flags.
        known: What keys there are to be meant.
    """
    return list(_list_problems(words, parser, known))


def _list_problems(
    words: Sequence[str], parser: ArgumentParser, known: Known
) -> Iterator[Problem]:
    actions: dict[str, Action] = parser._option_string_actions
    taken = -1  # of the words, as the value of the flag before
    for index, word in enumerate(words):
        if not word.startswith("-") or word in ("-", "--") or index == taken:
            continue
        name, equals, value = word.partition("=")
        following = words[index + 1] if index + 1 < len(words) else None
        is_value = following is not None and not following.startswith("-")
        found = _find_actions(name, actions)
        if len(found) == 1:
            yield from _check_value(
                found[0], value if equals else following if is_value else None, equals
            )
            taken = index + 1 if found[0].nargs is None and not equals else -1
        elif found:
            names = ", ".join(action.option_strings[0] for action in found)
            hint = f"Type one of {names}."
            yield Problem(name, "is the beginning of several flags.", hint)
        else:
            typed = value if equals else following if is_value else None
            free = typed if typed is None or equals or "=" not in typed else None
            yield Problem(name, "is no flag.", _suggest(name, free, actions, known))


def _find_actions(name: str, actions: dict[str, Action]) -> list[Action]:
    """Returns the flags that a word is, or begins."""
    if name in actions:
        return [actions[name]]
    if not name.startswith("--"):
        letters = [f"-{letter}" for letter in name[1:]]
        return [actions[letters[0]]] if set(letters) <= actions.keys() else []
    begun = [option for option in actions if option.startswith(name)]
    return list({id(actions[option]): actions[option] for option in begun}.values())


def _check_value(action: Action, value: str | None, equals: str) -> Iterator[Problem]:
    name = max(action.option_strings, key=len)
    if action.nargs == 0 and equals:
        yield Problem(name, "takes no value.", f"Type {name} by itself.")
    elif action.nargs is None and value is None:
        example = _EXAMPLES.get(name, f"{name} ...")
        yield Problem(name, "needs a value.", f"Such as {example}")
    elif action.choices and value is not None and value not in action.choices:
        choices = ", ".join(map(str, action.choices))
        if action.nargs is None or equals or "=" not in value:
            reason = f"must be one of {choices}. Received: {value!r}."
            yield Problem(name, reason, _PARTS.get(name, ""))


def _suggest(
    name: str, value: str | None, actions: dict[str, Action], known: Known
) -> str:
    """Returns what to type in place of a flag."""
    plain = normalise(name.strip("-"))
    flags = {normalise(option.strip("-")): option for option in actions}
    if plain in flags or plain in _CALLED:
        flag = flags.get(plain) or _CALLED[plain]
        return f"Did you mean `{_EXAMPLES.get(flag, flag)}`?"
    key = name.lstrip("-").replace("-", "_")
    if note := find_note(key):
        return note
    if hint := suggest_key(key, value or "", known):
        return hint
    if found := difflib.get_close_matches(plain, flags, n=1, cutoff=_SIMILAR):
        return f"Did you mean `{flags[found[0]]}`?"
    return f"Keys are typed key=value; {name_command()} --help lists them."
