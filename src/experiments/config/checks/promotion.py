"""What a promotion has to be told, before anything is looked for."""

from collections.abc import Iterator

from experiments.config.kinds.model_names import is_model_file
from experiments.config.schema.run import RunConfig
from experiments.config.schema.shipping import PromoteTaskConfig
from experiments.errors import Problem


def check_promotion(run: RunConfig, task: PromoteTaskConfig) -> Iterator[Problem]:
    """Yields what is wrong with the command of a promotion.

    Args:
        run: The job.
        task: Its task.
    """
    if run.registered_name is None:
        hint = "Such as registered_name=digits: models:/digits@champion is it then."
        yield Problem("registered_name", "is missing.", hint)
    if run.run_id is None and run.from_search is None:
        hint = "Type run_id=best, one that task=list shows, or from_search=last."
        yield Problem("run_id", "is missing.", hint)
    if run.run_id is not None and run.from_search is not None:
        yield Problem("from_search", "contradicts run_id.", "Leave one of them out.")
    if isinstance(run.run_id, str) and is_model_file(run.run_id):
        reason = (
            "must be a run: a file does not say what the card of a registered model "
            f"tells. Received: {run.run_id}."
        )
        yield Problem("run_id", reason, "task=list shows them.")
    if task.seeds is not None and run.from_search is None:
        hint = "Type from_search=last, or train with -m seed=0,1,2 and name the best."
        yield Problem("task.seeds", "trains the best trial of from_search only.", hint)
    if not run.tracking.enabled:
        hint = "Leave tracking=off out."
        yield Problem("tracking", "is off, and the registry is MLflow's.", hint)
