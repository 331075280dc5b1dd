"""What the page of a run says of the export of its model."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from experiments.counts import count_of
from experiments.export.bundle import Facts
from experiments.export.tables import Exported, tabulate
from experiments.tracking.spool.notes import write_plain, write_table


def describe_export(facts: Facts, exported: Sequence[Exported], bundle: Path) -> str:
    """Returns what was exported, how close it is to the model, and where it is.

    Args:
        facts: Of the model.
        exported: Its files.
        bundle: Folder of all of them.
    """
    heading, rows = tabulate(exported)
    size = "images of any size" if facts.any_size else "images of the model's size"
    return "\n\n".join(
        [
            f"{count_of(len(exported), 'file')} of {size}, checked over "
            f"{write_plain(facts.data)}; weights {facts.state_sha256[:16]}.",
            write_table([heading, *rows]),
            f"The bundle is in {write_plain(str(bundle))}.",
        ]
    )


def list_files(bundle: Path, exported: Sequence[Exported]) -> Iterator[Path]:
    """Yields the files of a bundle.

    Args:
        bundle: Its folder.
        exported: Models that are left out.
    """
    models = [bundle / one.form.file for one in exported]
    for path in sorted(bundle.rglob("*")):
        if path.is_file() and not any(map(path.is_relative_to, models)):
            yield path
