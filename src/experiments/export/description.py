"""What the page of a run says of the export of its model."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from experiments.counts import count_of
from experiments.export.bundle import Facts
from experiments.export.latency import Latency
from experiments.export.tables import Exported, tabulate
from experiments.tracking.spool.notes import write_plain, write_table


def describe_export(
    facts: Facts,
    exported: Sequence[Exported],
    bundle: Path,
    keras_latency: Sequence[Latency] = (),
) -> str:
    """Returns what was exported, how close it is to the model, and where it is.

    Args:
        facts: Of the model.
        exported: Its files.
        bundle: Folder of all of them.
        keras_latency: How long the model itself takes, where it was timed.
    """
    heading, rows = tabulate(exported, keras_latency)
    size = "images of any size" if facts.any_size else "images of the model's size"
    return "\n\n".join(
        [
            f"{count_of(len(exported), 'file')} of {size}, checked over "
            f"{write_plain(facts.data)}; weights {facts.state_sha256[:16]}. "
            f"The bundle is in {write_plain(str(bundle))}.",
            " ".join(_explain(facts, timed=bool(keras_latency))),
            write_table([heading, *rows]),
        ]
    )


def _explain(facts: Facts, *, timed: bool) -> Iterator[str]:
    """Yields what the columns mean."""
    yield "A file agrees where its answer is Keras' own, and differs by that at most."
    if timed:
        machine = write_plain(facts.machine)
        yield f"Times are milliseconds a call, median/99th percentile, on {machine}."


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
