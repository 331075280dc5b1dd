"""A whole search, from Hydra's sweep to its last trial."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from experiments import job_files
from experiments.command.sweeping.folds import find_searched_folds
from experiments.command.sweeping.search_plan import SearchPlan, sample_jobs
from experiments.config.reading.values import write_value
from experiments.config.search.schema import choose_n_jobs, read_search
from experiments.config.search.space import ABSENT, parse_space
from experiments.config.validation import validate
from experiments.disk_space import DiskSpace
from experiments.search.disk import WeightKeeper
from experiments.search.display import SearchDisplay
from experiments.search.driver import Driver
from experiments.search.oracle.proposer import Proposer
from experiments.search.repeats import repeated_runs
from experiments.search.runner import RepeatedRun, TrialRunner
from experiments.search.trial_jobs import choose_task, own_overrides
from experiments.search.trials.journal import keep_order
from experiments.search.trials.trial import Proposal, Trial
from experiments.workers.container import end_processes
from experiments.workers.hydra_jobs import HydraLaunch, HydraSweep
from experiments.workers.stop_file import forget_stop, request_stop


def run_search(sweep: HydraSweep) -> Sequence[Trial]:
    """Searches, from wherever an earlier process of the same search stopped.

    Returns:
        All trials by their number.

    Raises:
        ConfigError: The search or its space is wrong.
        ExperimentError: A trial failed and `on_failure` is `stop`.
    """
    config = sweep.config
    search = read_search(config.hydra.sweeper)
    parser = OverridesParser.create(config_loader=sweep.context.config_loader)
    typed = parser.parse_overrides(list(sweep.arguments))
    space = parse_space(search.params, search.when or {}, typed, parser.parse_overrides)
    fixed = space.list_fixed(typed)
    n_jobs = choose_n_jobs(search, str(config.hydra.launcher._target_))
    sweep_dir = Path(str(config.hydra.sweep.dir)).absolute()
    folder = sweep_dir / job_files.SEARCH
    folder.mkdir(parents=True, exist_ok=True)
    space = keep_order(space, folder)
    stop = folder / job_files.STOP
    forget_stop(stop)
    choices: Any = OmegaConf.to_container(config.hydra.runtime.choices)
    start = space.current(config, choices)
    folds = find_searched_folds(config, space.keys)
    plan = SearchPlan(config=search, space=space, fixed=fixed, folds=folds)
    proposer = Proposer(search, space, start, folder)
    if not proposer.trials:
        for reason in space.left_out:
            print(reason)
        if start is None and search.start_from_current:
            _show_outside(space.outside(config, choices))
    task = choose_task(sweep, search, folder=folder, stop=stop, n_jobs=n_jobs)
    display = SearchDisplay(search, proposer, n_jobs=n_jobs)
    driver = Driver(
        proposer=proposer,
        run_trial=TrialRunner(
            search=search,
            space=space,
            launch=HydraLaunch(sweep, task, n_jobs),
            fixed=[*fixed, *own_overrides(config, fixed)],
            seed=OmegaConf.select(config, "seed", default=0),
            folds=plan.folds,
            prepare=_prepare(sweep, plan),
            objectives=[o for t in proposer.trials if (o := t.objective) is not None],
        ),
        n_jobs=n_jobs,
        on_failure=search.on_failure,
        stop=partial(request_stop, stop),
        watchers=(WeightKeeper(search, proposer, sweep_dir), display),
        find_obstacle=_disk_space(config).find_obstacle,
    )
    try:
        with display:
            return driver.run()
    finally:
        proposer.close()
        end_processes()


def _disk_space(config: DictConfig) -> DiskSpace:
    most = OmegaConf.select(config, "max_disk_gb", default=None)
    return DiskSpace(folder=Path(str(config.output_dir)), most_gb=most)


def _show_outside(values: Mapping[str, object]) -> None:
    """Tells why trial 0 is not the config as it is."""
    words = " ".join(
        f"{key}, which is not set" if value is ABSENT else f"{key}={write_value(value)}"
        for key, value in values.items()
    )
    print(f"Trial 0 is not the config as it is, which lies outside the space: {words}")


def _prepare(
    sweep: HydraSweep, plan: SearchPlan
) -> Callable[[Proposal], RepeatedRun] | None:
    """Returns what makes the jobs of a trial children of a run of their own."""
    is_alone = plan.config.repeats == 1 and plan.folds is None
    if is_alone or "tracking" not in sweep.config:
        return None
    # Of a job: the config as it is may be none that could run.
    job = list(sample_jobs(plan)[0])
    config = sweep.context.config_loader.load_sweep_config(sweep.config, job)
    names: list[Any] = [name for name in config if name != "hydra"]
    run = validate(OmegaConf.masked_copy(config, names))
    folder = Path(str(sweep.config.hydra.sweep.dir)).absolute()
    return repeated_runs(run, plan.config, plan.space, folder)
