"""Draws command lines that nobody means well.

Keys, files and flags are those of the true schema; what is done to them is not.
"""

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, Literal, get_args, get_origin

import yaml

from tests.hostile.schema import Leaf, list_hydra_leaves, list_leaves, list_options

SECRET = "hush-hush-4711"  # a part of an address that nobody may see again
_FRAGMENTS = Path(__file__).parent / "fragments.yaml"


def _read_fragments() -> dict[str, list[str]]:
    content = yaml.safe_load(_FRAGMENTS.read_text("utf-8"))
    found = {kind: [_spell(item) for item in items] for kind, items in content.items()}
    # What no YAML file holds: bytes of a command line that are no text.
    return {**found, "texts": [*found["texts"], "\udcff\udc80"]}


def _spell(item: Any) -> str:
    if isinstance(item, str):
        return item.replace("SECRET", SECRET).replace("LONG", "x" * 300)
    if "repeat" in item:
        return str(item["repeat"]) * item["times"]
    return str(item["open"]) * item["times"] + "1" + item["close"] * item["times"]


FRAGMENTS = _read_fragments()
_VALUES = ("numbers", "texts", "references", "sweeps", "nests", "paths", "addresses")


def draw_line(random: Random) -> list[str]:
    """Returns the words behind `run.py`."""
    words: list[str] = []
    if random.random() < 0.25:
        words += shlex.split(_draw("flags", random))
    if random.random() < 0.12:
        words += ["-m", "hydra/sweeper=keras_tuner"]
    for _ in range(random.choice((1, 1, 1, 1, 2, 2, 3, 5))):
        words += random.choice(_RECIPES)(random)
    if random.random() < 0.1:
        words.append(random.choice(words))
    if random.random() < 0.1:
        random.shuffle(words)
    return words


def _draw(kind: str, random: Random) -> str:
    return random.choice(FRAGMENTS[kind])


def _fill(text: str, **names: str) -> str:
    for name, value in names.items():
        text = text.replace(name, value)
    return text


def _value(random: Random) -> str:
    return _draw(random.choice(_VALUES), random)


def _fitting(leaf: Leaf, random: Random) -> str:
    """Returns a value of the key's own type, often at the edge of what it takes."""
    kind: Any = random.choice(get_args(leaf.annotation) or (leaf.annotation,))
    if get_origin(leaf.annotation) is Literal:
        return str(kind)
    if kind in (int, float):
        return _draw("numbers", random)
    if kind is bool:
        return random.choice(("true", "false", "1", "yes"))
    if kind is str:
        places = "addresses" if leaf.key.endswith(("uri", "url")) else "paths"
        return _draw(random.choice((places, "texts")), random)
    return _draw("nests", random)


def _set(leaf: Leaf, random: Random) -> list[str]:
    draw = _fitting if random.random() < 0.5 else lambda _, random: _value(random)
    word = f"{_prefix(random)}{leaf.key}={draw(leaf, random)}"
    return [leaf.choice, word] if leaf.choice and random.random() < 0.7 else [word]


def _set_leaf(random: Random) -> list[str]:
    return _set(random.choice(list_leaves()), random)


def _set_hydra(random: Random) -> list[str]:
    return _set(random.choice(list_hydra_leaves()), random)


def _choose(random: Random) -> list[str]:
    options = list_options()
    group = random.choice(sorted(options))
    names = (*options[group], "nope", "../config", "", "null", "*", "parts/common")
    name, other = random.choice(names), random.choice(names)
    return [_fill(_draw("choices", random), GROUP=group, NAME=name, OTHER=other)]


def _mean_well(random: Random) -> list[str]:
    return [_draw("well", random)]


def _spoil_key(random: Random) -> list[str]:
    key = random.choice(list_leaves()).key
    at = random.randrange(len(key))
    spoilt = _fill(_draw("spoilt", random), KEY=key, CUT=key[:at] + key[at + 1 :])
    return [f"{_prefix(random)}{spoilt}={_value(random)}"]


def _inject(random: Random) -> list[str]:
    parts = {
        name: _draw(f"{name.lower()}s", random)
        for name in ("NODE", "TARGET", "ARGUMENT")
    }
    return [_fill(_draw("injections", random), **parts)]


def _delete(random: Random) -> list[str]:
    key = random.choice(list_leaves()).key
    part = key.rpartition(".")[0] or key
    words = (f"~{key}", f"~{part}", f"~{key}=1", f"{part}=null", f"~{part}={{}}")
    return [random.choice(words)]


def _type_noise(random: Random) -> list[str]:
    words = ("", "=", "+", "~", "++", "+=1", "==", "a=b=c", _value(random))
    return [random.choice(words)]


def _sweep(random: Random) -> list[str]:
    leaf = random.choice(list_leaves())
    word = f"{_prefix(random)}{leaf.key}={_draw('sweeps', random)}"
    return ["-m", *([leaf.choice] if leaf.choice else []), word]


def _prefix(random: Random) -> str:
    return random.choice(("", "", "", "", "", "", "+", "++", "~"))


_RECIPES: Sequence[Callable[[Random], list[str]]] = (
    *([_set_leaf] * 9),
    *([_mean_well] * 6),
    *([_set_hydra] * 4),
    *([_choose] * 3),
    *([_inject] * 3),
    *([_spoil_key, _delete, _sweep] * 2),
    _type_noise,
)
