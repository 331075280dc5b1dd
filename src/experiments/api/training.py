"""Trains a composed config in the calling process, as `run.py` does in its own."""

import logging

from omegaconf import DictConfig

from experiments import job_files
from experiments.command.composing.composed import PRIMARY, Config
from experiments.command.composing.loader import use_hydra
from experiments.command.plan import Plan
from experiments.config.checks.memory import check_memory
from experiments.config.code.programs import name_command
from experiments.config.schema.task import ReproduceTaskConfig, SyncTaskConfig
from experiments.data.readiness.check import check_data
from experiments.errors import ConfigError, Preempted, Problem, RestartNeeded
from experiments.guest import alone, as_guest, guarded_screen, job_log
from experiments.jobs import running
from experiments.jobs.folder import claim_folder
from experiments.jobs.job import Job, JobResult
from experiments.jobs.place import choose_place, create_place
from experiments.jobs.stored import show_stored, stored_result
from experiments.jobs.weights_file import check_weights

log = logging.getLogger(__name__)


def train(config: Config, *, quiet: bool = False) -> JobResult:
    """Trains, keeps the best epoch and records the run; the same as `python run.py`.

    A job that finished before shows its stored result at once, and one that was
    interrupted continues. Ctrl-C, or a notebook's stop button, saves the state at the
    next step and raises `KeyboardInterrupt`: the same call continues. A second one does
    not wait.

    The first job of a process claims its devices and the backend, before TensorFlow is
    imported if you have not done so; what cannot be changed any more is refused in a
    sentence. Precision and the random numbers of Python and NumPy are yours again
    afterwards; the seeds of Keras and TensorFlow are those of the config.

    Args:
        config: What `compose` returned.
        quiet: Print nothing but warnings.

    Returns:
        Metrics, objective, folder and run; its `status` is KILLED where one of the
        config's own limits, such as `trainer.max_steps`, ended it before its time.

    Raises:
        ExperimentError: What a person can mend: data, devices, divergence.
        KeyboardInterrupt: It was stopped.
        Preempted: Likewise, by another signal such as SIGTERM.

    Example:
        >>> import experiments
        >>> config = experiments.compose(["model=resnet20_cifar", "debug=one_step"])
        >>> result = experiments.train(config, quiet=True)
        >>> result.status, result.metrics["best_epoch"]
        ('FINISHED', 1.0)
        >>> experiments.train(config).metrics == result.metrics  # doctest: +ELLIPSIS
        resnet20_cifar on synthetic_small: finished before, not run again...
        True
    """
    task = config.run.task
    if isinstance(task, ReproduceTaskConfig | SyncTaskConfig):
        reason = "must train: it is another command, not for train()."
        hint = f"Type it in a shell: {name_command()} task=..."
        raise ConfigError([Problem("task", reason, hint)])
    with alone(), guarded_screen(quiet=quiet), as_guest(forget=True):
        plan = choose_place(config.plan)
        stored = stored_result(plan.folder, plan.run)
        if stored is not None:
            show_stored(stored, plan.run)
            return stored
        check_memory(plan.run)
        check_weights(plan.run, plan.folder)
        check_data([plan.run])
        create_place(plan)
        with job_log(plan.folder / job_files.LOG):
            return _run(config, plan)


def _run(config: Config, plan: Plan) -> JobResult:
    """Runs the job where Hydra would, without its own set-up of the log."""
    ended: list[JobResult] = []
    failed: list[Exception] = []

    def run(composed: DictConfig) -> None:
        # Hydra would print an error, and all overrides with it.
        try:
            ended.append(_run_job(composed))
        except Exception as error:
            failed.append(error)

    loader = config.loader
    words = [*plan.settings, *plan.overrides]
    with use_hydra(loader) as hydra:
        loader.settings = {"hydra.run.dir": str(plan.folder)}
        try:
            hydra.run(PRIMARY, run, words, with_log_configuration=False)
        finally:
            loader.settings = {}  # of this job alone
    if failed:
        raise failed[0]
    return ended[0]


def _run_job(composed: DictConfig) -> JobResult:
    job = running.describe_job(composed)
    with claim_folder(job.output_dir):
        try:
            return running.show_finished(job) or running.execute(job, own_process=False)
        except RestartNeeded as restart:
            raise running.postpone(job, restart) from restart
        except Preempted as stop:
            return _answer(job, stop)
        except Exception as error:
            log.info("The job failed.", exc_info=error)
            raise


def _answer(job: Job, stop: Preempted) -> JobResult:
    """Returns what a job left that its own limits ended; raises what stopped it."""
    if job.stop.reason == "Ctrl-C":
        message = f"Stopped by {stop}. The same call of train() continues."
        raise KeyboardInterrupt(message) from None
    result = JobResult.load(job.output_dir)
    if job.stop.reason is not None or result is None:
        raise stop
    print(f"Stopped by {stop}. The same call of train() continues.")
    return result
