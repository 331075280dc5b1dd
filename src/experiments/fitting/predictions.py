"""Keeps what the best epoch says of each image."""

from collections.abc import Mapping
from typing import Any

from experiments import job_files
from experiments.config.schema.run import RunConfig
from experiments.evaluation.collect import collect_predictions
from experiments.evaluation.predictions import Output
from experiments.evaluation.several_labels.collect import collect_several
from experiments.evaluation.several_labels.table import write_several
from experiments.evaluation.table import write_predictions
from experiments.fitting.fitting import Fitting


def keep_predictions(fitting: Fitting, model: Any, *, state: str) -> None:
    """Keeps a table for each split that `task.predictions` asks for.

    They are `predictions/<split>.parquet` in the job's folder and in the run's files.

    Args:
        fitting: The training.
        model: Holds the weights of the best epoch.
        state: Hash of these weights.
    """
    from experiments.training.losses import outputs_probabilities

    job = fitting.job
    for split, batches in _choose_splits(fitting).items():
        path = job.output_dir / job_files.name_predictions(split)
        path.parent.mkdir(exist_ok=True)
        facts = {"run": job.name, "state_sha256": state, **_name_fold(job.run)}
        asked = model, fitting.dataset, split, batches
        if fitting.dataset.has_several_labels:
            write_several(path, collect_several(*asked, facts=facts))
        else:
            kind: Output = "probabilities" if outputs_probabilities(model) else "logits"
            write_predictions(path, collect_predictions(*asked, kind=kind, facts=facts))
        fitting.tracker.log_file(path, job_files.PREDICTIONS)


def _name_fold(run: RunConfig) -> dict[str, int]:
    """Returns which of how many folds the test split is."""
    fold = run.dataset.known_fold
    return {} if fold is None else {"fold": fold[0], "folds": fold[1]}


def _choose_splits(fitting: Fitting) -> Mapping[str, Any]:
    """Returns the splits that are kept, and one pass over each."""
    options, pipelines = fitting.job.run.task.arguments(), fitting.pipelines
    wanted = options["predictions"]
    found = {"validation": pipelines.validation} if wanted == "all" else {}
    if wanted != "none" and options["evaluate_test"] and pipelines.test is not None:
        found["test"] = pipelines.test
    return found
