"""The numbers of a comparison as the cells of a table, on a screen and on a page."""

from collections.abc import Sequence

from experiments.comparison.compared import Compared
from experiments.comparison.estimate import Estimate
from experiments.comparison.group import Group
from experiments.config.metric_names import name_best, name_of_epoch
from experiments.counts import format_seconds, format_size

NONE = "-"
_TIME = "time"
_COSTS = ("epochs", _TIME, "images/s", "parameters", "disk")
_BRIEF = ("parameters", _TIME, "images/s", "disk")


def list_results(compared: Compared) -> list[list[str]]:
    """Returns a table of what came of each row: the head, then a line a row."""
    return [_name_columns(compared), *(_tell(g, compared) for g in compared.groups)]


def list_settings(compared: Compared) -> list[list[str]]:
    """Returns a table of what differs: the head, then a line a row, or a line a key.

    Few rows stand beside each other, where long keys and values can be read.
    """
    letters = [group.letter for group in compared.groups]
    lines = [
        [group.letter, *(group.values[key] for key in compared.keys)]
        for group in compared.groups
    ]
    if len(letters) > max(4, len(compared.keys)):
        return [["", *compared.keys], *lines]
    return [
        list(line) for line in zip(["setting", *compared.keys], *lines, strict=True)
    ]


def list_brief_results(compared: Compared) -> list[list[str]]:
    """Returns a table as narrow as a screen: scores, and what differs of the costs."""
    names = [n for n in compared.metrics if n.endswith("accuracy")]
    names = list(dict.fromkeys([*compared.metrics[:1], *names]))
    seeds = ["n"] if compared.has_seeds else []
    told = [_tell_costs(group) for group in compared.groups]
    costs = {name: [row[n] for row in told] for n, name in enumerate(_COSTS)}
    shown = [name for name in _BRIEF if len(set(costs[name])) > 1 or name == _TIME]
    lines = [["", "run", *seeds, *map(name_of_epoch, names), *shown]]
    for number, group in enumerate(compared.groups):
        found = [group.estimate(name) for name in names]
        count = [_count(group, found[0].count) if found else NONE] if seeds else []
        scores = [_write_margin(one) for one in found]
        chosen = [costs[name][number] for name in shown]
        lines.append([group.letter, group.label, *count, *scores, *chosen])
    return lines


def _name_columns(compared: Compared) -> list[str]:
    ranked, *others = [name_of_epoch(name) for name in compared.metrics] or [
        compared.objective.name
    ]
    seeds = ["n"] if compared.has_seeds else []
    interval = ["95 % interval"] if compared.has_seeds else []
    return ["", "run", *seeds, ranked, *interval, *others, *_COSTS]


def _tell(group: Group, compared: Compared) -> list[str]:
    names = compared.metrics or [name_best(compared.objective.name)]
    ranked = group.estimate(names[0])
    several = compared.has_seeds
    return [
        group.letter,
        group.label,
        *([_count(group, ranked.count)] if several else []),
        _write_score(ranked.mean),
        *([str(ranked)] if several else []),
        *(_write_score(group.estimate(name).mean) for name in names[1:]),
        *_tell_costs(group),
    ]


def _tell_costs(group: Group) -> list[str]:
    return [
        _write(group.average("epochs"), "{:.0f}"),
        _write_time(group.average("seconds")),
        _write(group.average("images_per_second"), "{:,.0f}"),
        _write(group.average("parameters"), "{:,.0f}"),
        _write_size(group),
    ]


def tell_states(groups: Sequence[Group]) -> list[str]:
    """Returns a sentence for each run that did not finish, or cannot be read."""
    return [
        f"{group.letter}: {member.name} is {member.state}"
        + (f": {member.reason}" if member.reason else "")
        for group in groups
        for member in group.members
        if member.state not in ("finished", "recorded in MLflow")
    ]


def _count(group: Group, found: int) -> str:
    """Returns how many seeds count, and of how many where some do not."""
    total = len(group.members)
    return str(found) if found == total else f"{found} of {total}"


def _write_margin(found: Estimate) -> str:
    if found.mean is None or found.margin is None:
        return _write_score(found.mean)
    return f"{found.mean:.4f} ± {found.margin:.4f}"


def _write_score(value: float | None) -> str:
    return _write(value, "{:.4f}")


def _write(value: float | None, form: str) -> str:
    return NONE if value is None else form.format(value)


def _write_time(seconds: float | None) -> str:
    return NONE if seconds is None else format_seconds(seconds)


def _write_size(group: Group) -> str:
    known = [m.disk for m in group.members if m.disk is not None]
    return format_size(sum(known)) if known else NONE
