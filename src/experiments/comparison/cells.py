"""The numbers of a comparison as the cells of a table, on a screen and on a page."""

from collections.abc import Sequence

from rich.cells import cell_len

from experiments.comparison.compared import Compared
from experiments.comparison.estimate import Estimate
from experiments.comparison.group import Group
from experiments.comparison.member import Member
from experiments.comparison.settings import TARGET
from experiments.config.kinds.metric_names import name_best, name_of_epoch
from experiments.counts import format_seconds, format_size

NONE = "-"
_TIME = "time"
_COSTS = ("epochs", _TIME, "images/s", "parameters", "disk")
_BRIEF = (_TIME, "images/s", "disk", "parameters")
_GAP = 2  # between columns
_BESIDE = 4  # rows that stand beside each other
_LONGEST_LABEL = 30  # that is kept on one line


def list_results(compared: Compared) -> list[list[str]]:
    """Returns a table of what came of each row: the head, then a line a row."""
    return [_name_columns(compared), *(_tell(g, compared) for g in compared.groups)]


def list_settings(compared: Compared) -> list[list[str]]:
    """Returns a table of what differs: the head, then a line a row, or a line a key.

    Few rows stand beside each other, where long keys and values can be read.
    """
    keys = [key.removesuffix(f".{TARGET}") for key in compared.keys]
    lines = [
        [group.letter, *(_write_setting(key, group) for key in compared.keys)]
        for group in compared.groups
    ]
    if len(lines) > max(_BESIDE, len(keys)):
        return [["", *keys], *lines]
    return [list(line) for line in zip(["setting", *keys], *lines, strict=True)]


def _write_setting(key: str, group: Group) -> str:
    """Returns a value; of a component its last name."""
    value = group.values[key]
    return value.rpartition(".")[2] if key.endswith(TARGET) else value


def list_brief_results(compared: Compared, width: int) -> list[list[str]]:
    """Returns a table for a screen: scores, and of the costs what there is room for.

    Args:
        compared: The comparison.
        width: Letters of a line.
    """
    names = [n for n in compared.metrics if n.endswith("accuracy")]
    names = list(dict.fromkeys([*compared.metrics[:1], *names]))
    columns = [["", *(group.letter for group in compared.groups)]]
    if compared.has_seeds:
        metric = (names or [""])[0]
        counts = [_count(g, g.estimate(metric).count) for g in compared.groups]
        columns.append(["n", *counts])
    for name in names:
        found = [_write_margin(group.estimate(name)) for group in compared.groups]
        columns.append([name_of_epoch(name), *found])
    labels = ["run", *(group.label for group in compared.groups)]
    room = width - min(_LONGEST_LABEL, max(map(cell_len, labels)))
    columns += _choose_costs(compared.groups, room - _measure([labels, *columns]))
    columns.insert(1, labels)
    return [list(line) for line in zip(*columns, strict=True)]


def _choose_costs(groups: Sequence[Group], room: int) -> list[list[str]]:
    """Returns the columns of costs that fit: first those that say the most."""
    told = [_tell_costs(group) for group in groups]
    columns = [[name, *(row[n] for row in told)] for n, name in enumerate(_COSTS)]
    found = []
    for name in _BRIEF:
        column = columns[_COSTS.index(name)]
        if len(set(column[1:])) > 1 or name == _TIME:
            room -= _measure([column])
            if room < 0:
                break
            found.append(column)
    return found


def _measure(columns: Sequence[Sequence[str]]) -> int:
    """Returns what columns take of a line, their labels left out."""
    return sum(
        (0 if column[0] == "run" else max(map(cell_len, column))) + _GAP
        for column in columns
    )


def _name_columns(compared: Compared) -> list[str]:
    ranked, *others = [name_of_epoch(name) for name in compared.metrics] or [
        compared.objective.name
    ]
    seeds = ["n"] if compared.has_seeds else []
    interval = ["95 % interval"] if compared.has_intervals else []
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
        *([str(ranked)] if compared.has_intervals else []),
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
        _tell_state(group, member)
        for group in groups
        for member in group.members
        if member.state not in ("finished", "recorded in MLflow")
    ]


def _tell_state(group: Group, member: Member) -> str:
    which = f" seed {member.seed}" if group.seeds > 1 else ""
    which += f" fold {member.fold}" if group.has_folds else ""
    reason = f". {member.reason}" if member.reason else ""
    return f"{group.letter}{which}: {member.state}{reason}"


def _count(group: Group, found: int) -> str:
    """Returns how many runs count, and of how many where some do not."""
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
