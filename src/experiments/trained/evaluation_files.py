"""What an evaluation leaves: its report, its files, and where they are."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

import numpy as np
import numpy.typing as npt

from experiments import job_files
from experiments.counts import agree, count_of
from experiments.data.images.show import show_images
from experiments.errors import ExperimentError
from experiments.evaluation.reporting.report import Draw, Explain, Report, Unknown
from experiments.evaluation.reporting.report_files import write_report
from experiments.evaluation.several_labels.table import read_several
from experiments.evaluation.table import read_predictions, write_predictions
from experiments.records import NewerRecordError, RecordError
from experiments.tracking.addition import Addition
from experiments.tracking.spool.inputs import DatasetInput
from experiments.trained.evaluated import Evaluated, name_images
from experiments.trained.images import Chosen
from experiments.trained.sized import show_in_size
from experiments.trained.trained import Trained

_SHOWN = 5  # files that were left out
_KEPT = "The predictions are those of the training: of the same weights and images."


def build_report(
    trained: Trained,
    chosen: Chosen,
    evaluated: Evaluated,
    *,
    temperature: float | None,
) -> Report:
    """Returns what there is to tell of a model on images.

    Args:
        trained: The model.
        chosen: The images.
        evaluated: What it says of them.
        temperature: See `find_temperature`.
    """
    p, matching = evaluated.predictions, evaluated.matching
    known = np.flatnonzero(p.labelled)
    unknown = None
    if not p.labelled.all():
        rows = np.flatnonzero(~p.labelled)
        given = [matching.given[row] for row in rows.tolist()]
        unknown = Unknown(predictions=p.select(rows), given=given)
    return Report(
        p.select(known),
        f"{trained.name}, evaluated on {describe_images(chosen)}",
        temperature=temperature,
        draw=_draw_images(trained, chosen, known.tolist()),
        explain=_explain_images(trained, chosen, known.tolist()),
        notes=[
            *chosen.notes,
            *matching.describe(),
            *_describe_skipped(chosen),
            *([_KEPT] if evaluated.kept else []),
        ],
        unknown=unknown,
    )


def describe_images(chosen: Chosen) -> str:
    """Returns what is evaluated on, in words: `digits, test`."""
    labelled = chosen.labelled
    return ", ".join(part for part in (labelled.name, labelled.split) if part)


def name_evaluation(chosen: Chosen, beside: Path) -> str:
    """Returns the name of an evaluation, in files, folders and metrics.

    Args:
        chosen: The images.
        beside: Where other evaluations of the model are: images of another folder that
            is called alike get a name of their own.
    """
    name = name_images(chosen.labelled)
    if chosen.dataset is not None or chosen.folder is None:
        return name
    if _read_folder(beside / name / job_files.TABLE) in (None, chosen.folder):
        return name
    return f"{name}-{blake2b(chosen.folder.encode(), digest_size=3).hexdigest()}"


def write_evaluation(folder: Path, report: Report, evaluated: Evaluated) -> list[Path]:
    """Writes predictions, scores, pictures and the page; returns all of the files."""
    folder.mkdir(parents=True, exist_ok=True)
    write_predictions(folder / job_files.TABLE, evaluated.predictions)
    return [folder / job_files.TABLE, *write_report(folder, report)]


def describe_evaluation(
    chosen: Chosen,
    *,
    metrics: Mapping[str, float],
    images: int,
    files: Sequence[Path],
) -> Addition:
    """Returns what the run of a model gets: its scores under the name of the data.

    Args:
        chosen: The images.
        metrics: The scores.
        images: Over how many images they are.
        files: All that were written of them, in one folder.
    """
    labelled = chosen.labelled
    data = DatasetInput(
        name=labelled.name,
        digest=labelled.content,
        context="evaluation",
        folder=chosen.folder,
        code=chosen.config.dataset._target_,
        profile={"images": len(labelled.images), "split": labelled.split or "all"},
    )
    return Addition(
        name=files[0].parent.name,
        metrics={**metrics, "images": float(images)},
        files=files,
        dataset=data,
    )


def place_of_evaluations(folder: Path) -> Path:
    """Returns where the evaluations of a run are, or of the job that made them."""
    return folder / job_files.EVALUATION


def _draw_images(trained: Trained, chosen: Chosen, known: Sequence[int]) -> Draw:
    images, shape = chosen.labelled.images, trained.image_shape
    return lambda rows: show_images(images, [known[row] for row in rows], shape)


def _explain_images(
    trained: Trained, chosen: Chosen, known: Sequence[int]
) -> Explain | None:
    """Returns what finds heat maps; `None` for a network that has none."""
    from experiments.evaluation.explaining.heat_maps import make_heat_maps

    images, shape = chosen.labelled.images, trained.image_shape

    def explain(rows: Sequence[int], classes: Sequence[int]) -> npt.NDArray[np.float32]:
        seen = show_in_size(images, [known[row] for row in rows], shape)
        return make_heat_maps(trained.model, seen, classes).maps

    try:
        make_heat_maps(trained.model, np.zeros((1, *shape), np.uint8))
    except ExperimentError:
        return None
    return explain


def _describe_skipped(chosen: Chosen) -> list[str]:
    skipped = chosen.labelled.skipped_files
    if not skipped:
        return []
    were = agree(len(skipped), "is no usable image", "are no usable images")
    shown = [f"{file.path} {file.reason}" for file in skipped[:_SHOWN]]
    more = [f"and {len(skipped) - _SHOWN:,} more"] if len(skipped) > _SHOWN else []
    files = count_of(len(skipped), "file")
    return [f"{files} {were}, and left out: {'; '.join([*shown, *more])}."]


def _read_folder(path: Path) -> object:
    """Returns the folder of images of an evaluation; `None` where there is none."""
    for read in (read_predictions, read_several):
        with suppress(FileNotFoundError, RecordError, NewerRecordError):
            return read(path).facts.get("folder", "")
    return None
