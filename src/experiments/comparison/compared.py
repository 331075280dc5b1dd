"""Runs beside each other: the rows, what they differ in, and what can be said."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from experiments.comparison.contrast import Contrast, Draw, choose_pair, contrast
from experiments.comparison.group import Group, group_members, write_letters
from experiments.comparison.member import Member
from experiments.comparison.settings import ABSENT, TARGET, gather_names
from experiments.comparison.verdict import Verdicts, judge
from experiments.config.kinds.metric_names import TEST, name_best
from experiments.config.kinds.objective import Objective
from experiments.counts import count_of
from experiments.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What there is to say of some runs beside each other.

    Attributes:
        title: What is compared.
        groups: Its rows, the best first.
        objective: What they are ranked by.
        verdicts: Which is better than which.
        data: Name of the evaluation that the verdicts are of; `None` for the test.
        contrast: Images on which two rows disagree; `None` without any.
        refusal: Why there is none, where it was asked for.
        draw: Returns images; `None` where they are out of reach.
        commands: What to type for what is missing, each with what it does.
    """

    title: str
    groups: Sequence[Group]
    objective: Objective
    verdicts: Verdicts
    data: str | None = None
    contrast: Contrast | None = None
    refusal: str | None = None
    draw: Draw | None = None
    commands: Sequence[tuple[str, str]] = ()

    @cached_property
    def keys(self) -> list[str]:
        """The settings that differ between rows.

        What another component does not have is left out: that differs, and says so.
        """
        names = gather_names([group.values for group in self.groups])
        return [name for name in names if not self._is_implied(name, names)]

    def _is_implied(self, name: str, names: Sequence[str]) -> bool:
        values = {group.values[name] for group in self.groups}
        place = name.rpartition(".")[0]
        is_constant = ABSENT in values and len(values) == 2
        return is_constant and f"{place}.{TARGET}" in names and place != name

    @cached_property
    def says_all(self) -> bool:
        """Whether the labels of the rows say all of the settings that differ."""
        return all(
            f"{key}={value}" in group.label.split()
            for group in self.groups
            for key, value in group.values.items()
        )

    @cached_property
    def metrics(self) -> list[str]:
        """The final metrics that are shown, what the rows are ranked by first."""
        ranked = name_best(self.objective.name)
        wanted = [ranked, name_best("val_accuracy"), name_best("val_loss")]
        found = [m.metrics for group in self.groups for m in group.members]
        known = gather_names(found)
        shown = [name for name in wanted if name in known]
        shown += [name for name in known if name.startswith(TEST)]
        return list(dict.fromkeys(shown))

    @property
    def has_seeds(self) -> bool:
        """Whether a row has several runs."""
        return any(len(group.members) > 1 for group in self.groups)

    @property
    def has_folds(self) -> bool:
        """Whether a row has runs of several folds."""
        return any(group.has_folds for group in self.groups)

    @property
    def has_intervals(self) -> bool:
        """Whether a row has an interval of its mean."""
        return any(g.members[1:] and not g.has_folds for g in self.groups)

    @cached_property
    def cautions(self) -> list[str]:
        """What makes numbers of different rows mean different things."""
        return [text for text in (self._tell_data(), self._tell_code()) if text]

    def _tell_data(self) -> str:
        parts = self._sort_by("data")
        if len(parts) < 2:
            return ""
        rows = "; ".join(write_letters(letters) for letters in parts[:5])
        return (
            f"Their images differ ({rows}): what was measured on other images or "
            "another division of them does not tell which row is better."
        )

    def _tell_code(self) -> str:
        parts = self._sort_by("code")
        if len(parts) < 2:
            return ""
        rows = "; ".join(write_letters(letters) for letters in parts[:5])
        return f"Their code differs ({rows}): task=diff shows in which files."

    def _sort_by(self, part: str) -> list[list[str]]:
        """Returns letters of rows by what of their origin they have in common.

        A row has several of each where every seed divides the images anew.
        """
        found: dict[frozenset[str], list[str]] = {}
        for group in self.groups:
            known = [m.origin[part] for m in group.members if part in m.origin]
            if known:
                found.setdefault(frozenset(map(repr, known)), []).append(group.letter)
        return list(found.values())


def compare_members(
    members: Sequence[Member],
    *,
    objective: Objective,
    title: str | None = None,
    data: str | None = None,
    pair: Sequence[str] | None = None,
) -> Compared:
    """Compares runs.

    Args:
        members: In any order.
        objective: What they are ranked by.
        title: What is compared; `None` for how many they are.
        data: Name of the evaluation to compare; `None` for the test split.
        pair: Rows whose images are shown, see `choose_pair`; `None` for the best two.
    """
    groups = group_members(members, objective)
    compared = Compared(
        title=title or f"{count_of(len(members), 'run')} compared",
        groups=groups,
        objective=objective,
        verdicts=judge(groups, data),
        data=data,
    )
    tables = compared.verdicts.tables
    try:
        chosen = choose_pair(groups, tables, pair)
        found = None if chosen is None else contrast(*chosen, tables)
    except DataError as error:
        return replace(compared, refusal=str(error))
    return replace(compared, contrast=found)
