"""One job, composed, and what is wrong in it."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from omegaconf import DictConfig

from experiments.command.answers.diagnosis import diagnose, is_own_fault
from experiments.command.answers.provenance import find_foreign, trace_keys
from experiments.command.composing.composer import Composer, without_hydra
from experiments.command.composing.overlay import list_overlay
from experiments.command.config_folders.permission import KEY
from experiments.config.reading.fields import is_component
from experiments.config.schema.run import RunConfig
from experiments.config.search.schema import is_search
from experiments.config.validation import examine
from experiments.errors import Problem


@dataclass(frozen=True)
class CheckedJob:
    """A job that was composed.

    Attributes:
        config: As far as there is one, without Hydra's own node.
        problems: What is wrong in it.
        run: The same, typed; `None` when something is wrong.
    """

    config: DictConfig
    problems: list[Problem]
    run: RunConfig | None = None


def check_job(job: Sequence[str], composer: Composer) -> CheckedJob:
    """Composes one job and lists what is wrong in it.

    What may only fit the record that a job is made of is left out of its config, and
    checked with that.
    """
    checked = _try_job(job, composer)
    words = _list_open(job, composer) if checked.problems else []
    if not words:
        return checked
    loader, former = composer.loader, composer.loader.left_out
    loader.left_out = former.union(words)
    if not _try_job(job, composer).problems:
        for word in words:
            smaller = loader.left_out - {word}
            loader.left_out, kept = smaller, loader.left_out
            if _try_job(job, composer).problems:
                loader.left_out = kept
        return _try_job(job, composer)
    loader.left_out = former
    return checked


def _try_job(job: Sequence[str], composer: Composer) -> CheckedJob:
    try:
        whole = composer.compose(job)
    except Exception as error:  # Hydra's, of many kinds
        if is_own_fault(error):
            raise
        return CheckedJob(*diagnose(job, composer, error))
    if composer.is_plain_sweep and is_search(whole.hydra.sweeper):
        return CheckedJob(without_hydra(whole), [_describe_search(job, composer)])
    config = without_hydra(whole)
    unauthorised = list(composer.loader.find_unauthorised(whole))
    if any(problem.key == KEY for problem in unauthorised):
        # What else it may do is judged by that list.
        return CheckedJob(config, unauthorised)
    run, problems = examine(config)
    if run is not None:
        problems += find_foreign(run, whole, composer.loader)
    words = composer.list_typed(job)
    problems = [*unauthorised, *problems]
    problems = trace_keys(problems, whole, composer.loader, words=words)
    return CheckedJob(config, problems, None if problems else run)


def _describe_search(job: Sequence[str], composer: Composer) -> Problem:
    """Returns why a search is no job of a sweep, which chose it among others."""
    chosen = next((o for o in job if o.lstrip("+").startswith("experiment=")), "")
    alone = chosen or "hydra/sweeper=keras_tuner"
    key, _, name = alone.partition("=")
    reason = f"cannot be one of several values: {name} searches, in jobs of its own."
    return Problem(key, reason, f"Type it by itself: -m {alone}")


def _list_open(job: Sequence[str], composer: Composer) -> list[str]:
    """Returns the values of a job that fit or do not fit a choice made elsewhere.

    Those of a group without a typed choice, beside `from_search`: the best trial, which
    is read when the job runs, has made another choice than the present config.
    """
    typed = composer.loader.parse(job)
    named = {o.key_or_group: o.value() for o in typed}
    if named.get("from_search") is None:
        return []
    chosen = {o.key_or_group for o in typed if not composer.is_value(o)}
    open_groups = {f.name for f in dataclasses.fields(RunConfig) if is_component(f)}
    return [
        o.input_line or ""
        for o in list_overlay(job)
        if o.key_or_group.partition(".")[0] in open_groups - chosen
    ]
