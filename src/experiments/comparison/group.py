"""Runs that differ in their seed or fold alone, as one row, the best row first."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from string import ascii_uppercase

from experiments.command.sweeping.folds import FOLD
from experiments.comparison.estimate import Estimate, estimate
from experiments.comparison.member import Member
from experiments.comparison.settings import SEED, list_differences
from experiments.config.kinds.metric_names import name_best
from experiments.config.kinds.objective import Objective, find_bounds
from experiments.counts import join_words

_LONGEST = 60  # letters of what tells rows of one name apart
_REPEATED_WORD = re.compile(r"(^|\s)\+{0,2}(seed|dataset\.fold)=\S+")


@dataclass(frozen=True, kw_only=True)
class Group:
    """A row of a comparison.

    Attributes:
        letter: By which it is called: A, B, ..., Z, AA, ...
        label: What it is, for people.
        members: Its runs, one a seed and fold.
        values: What it has of each key that differs between the rows.
    """

    letter: str
    label: str
    members: tuple[Member, ...]
    values: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.letter} {self.label}"

    @property
    def has_folds(self) -> bool:
        """Whether it has runs of several folds."""
        return len({member.fold for member in self.members}) > 1

    @property
    def seeds(self) -> int:
        """How many seeds it has."""
        return len({member.seed for member in self.members})

    def estimate(self, metric: str) -> Estimate:
        """Returns what its seeds say of a metric.

        Of folds it is the mean alone: they share training images, so that no interval
        follows from them.
        """
        values = [member.metrics.get(metric) for member in self.members]
        found = estimate(values, bounds=find_bounds(metric))
        return replace(found, margin=None) if self.has_folds else found

    def average(self, attribute: str) -> float | None:
        """Returns the mean of a number of its runs, of those that have it."""
        return estimate([getattr(member, attribute) for member in self.members]).mean


def group_members(members: Sequence[Member], objective: Objective) -> list[Group]:
    """Returns the rows of a comparison, those without a value last.

    A row never has a seed twice, or a fold of one: what has the same settings is told
    apart by its code and data, else each run is a row of its own.

    Args:
        members: In any order, which decides between equals.
        objective: What is compared, by its mean over the seeds of a row.
    """
    rows = [part for row in _by_settings(members) for part in _split(row)]
    metric = name_best(objective.name)
    means = [estimate([m.metrics.get(metric) for m in row]).mean for row in rows]
    order = objective.rank(means)
    order += [number for number in range(len(rows)) if number not in set(order)]
    ranked = [rows[number] for number in order]
    following = {key for row in ranked for key in row[0].followers}
    differing = {
        key: values
        for key, values in list_differences(
            [_without_repeats(row[0]) for row in ranked]
        )
        if key not in following
    }
    groups = [
        Group(
            letter=name_letter(number),
            label=_name(row),
            members=tuple(row),
            values={key: values[number] for key, values in differing.items()},
        )
        for number, row in enumerate(ranked)
    ]
    known = Counter(group.label for group in groups)
    return [_tell_apart(g) if known[g.label] > 1 else g for g in groups]


def name_letter(number: int) -> str:
    """Returns A, B, ..., Z, AA, AB, ... as the columns of a sheet are called."""
    letters = ""
    number += 1
    while number:
        number, place = divmod(number - 1, len(ascii_uppercase))
        letters = ascii_uppercase[place] + letters
    return letters


def write_letters(letters: Sequence[str]) -> str:
    """Returns letters of rows in words, those in a row as a range: A, C to F and H."""
    runs: list[list[str]] = []
    for letter in letters:
        last = runs[-1][-1] if runs else None
        if last is not None and _number(letter) == _number(last) + 1:
            runs[-1].append(letter)
        else:
            runs.append([letter])
    words: list[str] = []
    for run in runs:
        words += run if len(run) < 3 else [f"{run[0]} to {run[-1]}"]
    return join_words(words)


def _number(letter: str) -> int:
    """Returns which row is called so, from 1."""
    number = 0
    for sign in letter:
        number = number * len(ascii_uppercase) + ascii_uppercase.index(sign) + 1
    return number


def _by_settings(members: Sequence[Member]) -> list[list[Member]]:
    found: dict[object, list[Member]] = {}
    for member in members:
        settings = tuple(sorted(_without_repeats(member).items()))
        # What has no record of its settings has nothing in common with another one.
        found.setdefault(settings or member.word, []).append(member)
    return list(found.values())


def _split(members: list[Member]) -> Iterator[list[Member]]:
    """Yields parts in which no seed is there twice, or fold of one."""
    if _has_each_once(members):
        yield members
        return
    found: dict[str, list[Member]] = {}
    for member in members:
        found.setdefault(repr(_list_origin(member)), []).append(member)
    for part in found.values():
        if _has_each_once(part):
            yield part
        else:
            yield from ([member] for member in part)


def _list_origin(member: Member) -> tuple[object, object]:
    """Returns code and data of a run; a fold of them is another division."""
    data = member.origin.get("data")
    if member.fold is not None and isinstance(data, Mapping):
        data = data.get("content")
    return member.origin.get("code"), data


def _has_each_once(members: Sequence[Member]) -> bool:
    return len({(member.seed, member.fold) for member in members}) == len(members)


def _without_repeats(member: Member) -> dict[str, str]:
    return {k: v for k, v in member.settings.items() if k not in (SEED, FOLD)}


def _name(members: Sequence[Member]) -> str:
    """Returns the name of a run, of several seeds or folds without them."""
    first = members[0]
    if len(members) == 1:
        return first.name
    name = _REPEATED_WORD.sub("", first.name).strip()
    if name:
        return name
    seeds = list(dict.fromkeys(str(member.seed) for member in members))
    folds = list(dict.fromkeys(str(m.fold) for m in members if m.fold is not None))
    words = [f"seeds {join_words(seeds)}"] if seeds[1:] else []
    words += [f"folds {join_words(folds)}"] if folds[1:] else []
    return ", ".join(words)


def _tell_apart(group: Group) -> Group:
    """Returns a row that is called as another one with what tells it from that."""
    words = " ".join(f"{key}={value}" for key, value in group.values.items())
    if not words or len(words) > _LONGEST:
        first = group.members[0]
        words = first.run_id[:8] if first.run_id else Path(first.word).name
    return replace(group, label=f"{group.label} ({words})")
