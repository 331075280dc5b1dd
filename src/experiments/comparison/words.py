"""What a comparison says in sentences, on a screen and on a page."""

from experiments.comparison.compared import Compared
from experiments.comparison.contrast import Contrast
from experiments.comparison.group import write_letters
from experiments.comparison.verdict import Verdict, describe_basis
from experiments.config.kinds.metric_names import name_best
from experiments.counts import count_of

_FEW = 4  # lines of a kind


def tell_best(compared: Compared) -> str:
    """Returns how many runs there are, and which row is the best."""
    runs = sum(len(group.members) for group in compared.groups)
    text = f"{count_of(runs, 'run')} in {count_of(len(compared.groups), 'row')}."
    if runs == len(compared.groups):
        text = f"{count_of(runs, 'run')}."
    best = compared.groups[0]
    found = best.estimate(name_best(compared.objective.name))
    if found.mean is None:
        return f"{text} None has a {compared.objective.name}."
    of = "runs over folds" if best.has_folds else "seeds"
    mean = f", the mean of {found.count} {of}" if found.count > 1 else ""
    return (
        f"{text} The best {compared.objective.name} is that of {best}: "
        f"{found.mean:.4f}{mean}."
    )


def tell_verdicts(compared: Compared) -> tuple[list[str], list[str]]:
    """Returns what is said of pairs of rows, and what else has to be known of it."""
    verdicts = compared.verdicts
    ordered = sorted(verdicts.told, key=lambda told: not told.is_shown)
    sentences = [_capitalise(told) for told in ordered]
    notes = [describe_basis(verdicts)] if verdicts.told else []
    notes += verdicts.problems[:_FEW]
    notes += describe_rest(len(verdicts.problems) - _FEW, "such row")
    if verdicts.missing:
        notes.append(_tell_missing(compared))
    elif not verdicts.told and not verdicts.problems:
        notes.append("There is one row only: nothing to compare it with.")
    if verdicts.left_out:
        notes.append(
            f"The best {len(compared.groups) - verdicts.left_out} rows are held "
            f"against the first; {count_of(verdicts.left_out, 'more row')} only stand "
            "in the table."
        )
    return sentences, notes


def summarise_verdicts(compared: Compared) -> list[str]:
    """Returns what is said of pairs of rows in a few lines."""
    told = compared.verdicts.told
    better = [each for each in told if each.is_shown]
    others = [each for each in told if not each.is_shown]
    lines = [_capitalise(each) for each in better[:_FEW]]
    lines += describe_rest(len(better) - _FEW, "pair")
    if len(others) <= _FEW:
        return [*lines, *map(_capitalise, others)]
    reference = compared.verdicts.reference
    first = "" if reference is None else reference.letter
    letters = {each.first.letter for each in others}
    letters |= {each.second.letter for each in others}
    rest = [g.letter for g in compared.groups if g.letter in letters - {first}]
    return [
        *lines,
        f"No difference shown between {first} and each of {write_letters(rest)}.",
    ]


def tell_contrast(found: Contrast) -> str:
    """Returns what the images are of."""
    if not found.is_any:
        return f"{found.first} and {found.second} get the same images right."
    return (
        f"Images that one of {found.first} and {found.second} gets right and the other "
        "wrong, the clearest first."
    )


def describe_rest(count: int, noun: str) -> list[str]:
    """Returns a line on how many more there are; none without any."""
    return [f"... and {count_of(count, f'more {noun}')}"] if count > 0 else []


def _tell_missing(compared: Compared) -> str:
    shown = write_letters([group.letter for group, _ in compared.verdicts.missing])
    if compared.data is not None:
        what = f"an evaluation on {compared.data!r}"
        return f"Without {what}, and so not compared by their images: {shown}."
    return (
        f"Without predictions on the test images, and so not compared by them: "
        f"{shown}. Such a run has not ended, or was trained by an earlier release, "
        "without a test split or with task.predictions=none."
    )


def _capitalise(told: Verdict) -> str:
    text = str(told)
    return f"{text[0].upper()}{text[1:]}."
