"""Which of the compared rows is better, by what their models said of each image."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from experiments.comparison.group import Group
from experiments.comparison.member import Member
from experiments.comparison.tables import read_table
from experiments.counts import count_of, join_words
from experiments.errors import DataError, ExperimentError
from experiments.evaluation.out_of_fold import pool_folds
from experiments.evaluation.predictions import Predictions
from experiments.evaluation.uncertainty.pairs import ALPHA, Difference, adjust
from experiments.evaluation.uncertainty.seeds import compare_settings

MOST = 20  # rows that are held against the best one


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What may be said of two rows.

    Attributes:
        first: The one that is spoken of: the better one, where one is.
        second: The other one.
        difference: Of the first one to the second one.
        p_value: Adjusted for all that are told together.
    """

    first: Group
    second: Group
    difference: Difference
    p_value: float

    @property
    def is_shown(self) -> bool:
        """Whether one is better than the other."""
        low, high = self.difference.interval
        return self.p_value < ALPHA and not low <= 0 <= high

    def __str__(self) -> str:
        """Returns it as a sentence, which never says that they are equal."""
        low, high = (100 * end for end in self.difference.interval)
        points = 100 * self.difference.accuracy
        first, second = self.first.letter, self.second.letter
        chance = f"p {_write_p(self.p_value)}"
        if self.is_shown:
            return (
                f"{first} is better than {second} by {points:.1f} points "
                f"({low:.1f} to {high:.1f}), {chance}"
            )
        return (
            f"no difference shown between {first} and {second} "
            f"({points:+.1f} points, {low:+.1f} to {high:+.1f}), {chance}"
        )


@dataclass(frozen=True, kw_only=True)
class Verdicts:
    """What may be said of all rows.

    Attributes:
        told: One for each row that is held against the best one.
        reference: The best one that has predictions; `None` without any.
        tables: Letter of a row -> what its models said, one table a seed.
        missing: Rows with runs that have no table.
        problems: Why rows are not compared, a sentence each.
        left_out: Rows beyond those that are looked at.
    """

    told: Sequence[Verdict] = ()
    reference: Group | None = None
    tables: dict[str, list[Predictions]] = field(default_factory=dict)
    missing: Sequence[tuple[Group, list[Member]]] = ()
    problems: Sequence[str] = ()
    left_out: int = 0


def judge(groups: Sequence[Group], data: str | None = None) -> Verdicts:
    """Holds each row against the best one that has predictions.

    Which one that is its validation score has decided, before anything is known of the
    images that are compared: the best one on these would be among the luckiest.

    Args:
        groups: From the best on; the first 20 are looked at.
        data: Name of the evaluation that is compared; `None` for the test split.
    """
    looked_at = groups[:MOST]
    problems: list[str] = []
    tables: dict[str, list[Predictions]] = {}
    missing: list[tuple[Group, list[Member]]] = []
    for group in looked_at:
        found, lacking = _read_tables(group, data, problems)
        if found:
            tables[group.letter] = found
        if lacking:
            missing.append((group, lacking))
    known = [group for group in looked_at if group.letter in tables]
    pairs = list(_compare_with_first(known, tables, problems))
    adjusted = adjust([pair.difference.p_value for pair in pairs])
    return Verdicts(
        told=[
            replace(pair, p_value=p) for pair, p in zip(pairs, adjusted, strict=True)
        ],
        reference=known[0] if known else None,
        tables=tables,
        missing=missing,
        problems=problems,
        left_out=len(groups) - len(looked_at),
    )


def _read_tables(
    group: Group, data: str | None, problems: list[str]
) -> tuple[list[Predictions], list[Member]]:
    """Returns the tables of a row, one a seed, and its runs that have none."""
    found: list[tuple[Member, Predictions]] = []
    lacking = []
    for member in group.members:
        try:
            table = read_table(member, data)
            if table is None:
                lacking.append(member)
            else:
                found.append((member, table))
        except ExperimentError as error:
            problems.append(f"{group.letter}: {error}")
    if data is not None or not group.has_folds:
        return [table for _, table in found], lacking
    try:
        return list(_pool(found)), lacking
    except DataError as error:
        problems.append(f"{group.letter}: {error}.")
        return [], lacking


def _pool(tables: Sequence[tuple[Member, Predictions]]) -> Iterator[Predictions]:
    """Yields for each seed what its folds said of all images together.

    Raises:
        DataError: A fold is missing.
    """
    seeds: dict[str | None, dict[int, Predictions]] = {}
    for member, table in tables:
        seeds.setdefault(member.seed, {})[member.fold or 0] = table
    for folds in seeds.values():
        yield pool_folds(folds)


def _compare_with_first(
    groups: Sequence[Group],
    tables: dict[str, list[Predictions]],
    problems: list[str],
) -> Iterator[Verdict]:
    for group in groups[1:]:
        pair = (groups[0], group)
        try:
            yield compare_groups(*pair, tables)
        except DataError as error:
            letters = join_words([each.letter for each in pair])
            problems.append(f"{letters} are not compared. {error}")


def compare_groups(
    first: Group, second: Group, tables: dict[str, list[Predictions]]
) -> Verdict:
    """Compares two rows, each by all of its seeds; the better one comes first.

    Raises:
        DataError: They are not over the same images.
    """
    gain = compare_settings(tables[first.letter], tables[second.letter])
    if gain.accuracy > 0:
        first, second = second, first
    difference = compare_settings(tables[second.letter], tables[first.letter])
    return Verdict(
        first=first, second=second, difference=difference, p_value=difference.p_value
    )


def describe_basis(verdicts: Verdicts) -> str:
    """Returns in words what the verdicts rest on."""
    one = verdicts.told[0].difference
    has_folds = any(told.first.has_folds for told in verdicts.told)
    count = len(verdicts.told)
    text = f"Accuracy on {count_of(one.images, 'image')} that all of them predicted"
    if any(max(told.difference.seeds) > 1 for told in verdicts.told):
        text += (
            ", each row by the mean of its seeds: an interval says how far the "
            "difference would move with other images and other seeds (Student's t)."
        )
    else:
        text += (
            ": an interval says how far the difference would move with other images "
            "(paired bootstrap), p is of McNemar's exact test. One "
            f"{'seed' if has_folds else 'run'} a row says nothing of what another seed "
            "would do."
        )
    if has_folds:
        text += " Each image counts as the run said whose fold it was in."
    if count > 1:
        text += f" p is adjusted for {count} comparisons (Holm)."
    return text


def _write_p(value: float) -> str:
    return "< 0.0001" if value < 0.0001 else f"= {value:.2g}"
