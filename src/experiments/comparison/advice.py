"""What to type for what a comparison lacks."""

from pathlib import Path

from experiments.command.printed import describe_command, describe_output
from experiments.comparison.compared import Compared

_DONE = "finished"


def list_advice(compared: Compared, output_dir: Path | str) -> list[tuple[str, str]]:
    """Returns commands that make what is missing, each with what it is for.

    Args:
        compared: The comparison.
        output_dir: Of its runs.
    """
    missing = [
        (group, member)
        for group, members in compared.verdicts.missing
        for member in members
        if member.state == _DONE
    ]
    if not missing:
        return []
    group, member = missing[0]
    words = ["task=evaluate", f"run_id={member.word}"]
    if compared.data is not None:
        words += _name_images(compared)
    others = ", and of the others likewise" if len(missing) > 1 else ""
    command = describe_command(*words, *describe_output(output_dir))
    return [(f"To make those of {group.letter}{others}:", command)]


def advise_on_images(folder: Path, output_dir: Path | str) -> tuple[str, str]:
    """Returns the command that shows the images of a comparison, which take a while.

    Args:
        folder: Of the sweep or search.
        output_dir: Of its runs.
    """
    words = ["task=compare", f"run_id={folder}", *describe_output(output_dir)]
    return "To see the images that are named below:", describe_command(*words)


def _name_images(compared: Compared) -> list[str]:
    """Returns the words for the images that other rows were evaluated on."""
    for tables in compared.verdicts.tables.values():
        if folder := tables[0].facts.get("folder"):
            return ["dataset=folder", f"dataset.path={folder}"]
    return ["dataset=..."]
