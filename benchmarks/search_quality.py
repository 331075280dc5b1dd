"""How good a search is at equal epochs: ours, plain Keras Tuner and Optuna.

Every trial reads its learning curve from the table of `learning_curves.py`. A method
goes on until the epochs of its trials reach the budget; epochs that a continued trial
had before are not counted again. Compared is the best validation loss so far.
"""

import argparse
import functools
import itertools
import json
import logging
import math
import os
import statistics
import sys
import tempfile
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from results import describe_machine, store_plain

os.environ.setdefault("KERAS_BACKEND", "numpy")  # no model is built here
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its matrices are small
TABLE = Path(__file__).resolve().parent / "results" / "learning_curves.json"
FACTOR = 3
NOT_FINITE = 1e6
SPACING = 1000  # Keras Tuner takes the seed, the next number, ... one after the other
WARMUP, MIN_SIBLINGS = 3, 4  # as in conf/callbacks/median_pruner.yaml

Trace = list[tuple[int, float]]  # epochs used, best loss so far


@dataclass
class Budget:
    """Counts epochs and keeps the best loss.

    Attributes:
        epochs: How many there are.
        trace: Best loss after each trial.
    """

    epochs: int
    used: int = 0
    best: float = math.inf
    trace: Trace = field(default_factory=list)

    def spend(self, epochs: int, loss: float) -> None:
        """Notes a trial."""
        self.used += epochs
        self.best = min(self.best, loss)
        self.trace.append((min(self.used, self.epochs), self.best))

    @property
    def is_left(self) -> bool:
        """Tells whether another trial may start."""
        return self.used < self.epochs


class Table:
    """The learning curves of a space."""

    def __init__(self) -> None:
        content = json.loads(TABLE.read_text())
        self.space: dict[str, list[Any]] = content["space"]
        self.epochs: int = content["epochs"]
        self._curves: dict[str, list[float]] = content["curves"]

    def read(self, values: dict[str, Any], epochs: int | None = None) -> list[float]:
        """Returns the losses of a point's first epochs."""
        key = json.dumps([values[name] for name in self.space])
        return self._curves[key][:epochs]

    @property
    def best(self) -> float:
        """The smallest loss of the whole table."""
        return min(min(curve) for curve in self._curves.values())


Method = Callable[[Table, Budget, int], None]


def search_ours(
    table: Table, budget: Budget, seed: int, *, oracle: str, prune: bool = False
) -> None:
    """Searches with this project's oracles, and its median rule where asked for."""
    from experiments.config.search.schema import HyperbandConfig
    from experiments.search.oracle.proposer import Proposer
    from experiments.search.trials.trial import Outcome, Proposal

    hyperband = HyperbandConfig(max_epochs=table.epochs, factor=FACTOR, iterations=1000)
    search = replace(
        _settings(oracle, seed, budget.epochs // table.epochs), hyperband=hyperband
    )
    histories: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        proposer = Proposer(search, _space(table), None, Path(folder))
        while budget.is_left:
            proposal = proposer.ask()
            if not isinstance(proposal, Proposal):
                break
            curve = table.read(dict(proposal.values), proposal.epochs)
            if prune:
                curve = curve[: _prune(curve, histories)]
            histories[str(proposal.number)] = curve
            before = 0
            if proposal.parent is not None:
                before = len(histories[str(proposal.parent)])
            budget.spend(len(curve) - before, min(curve))
            failed = NOT_FINITE in curve
            outcome = (
                Outcome(end="failed", failure="nan", reason="not finite")
                if failed
                else Outcome(end="complete", objective=min(curve), epochs=len(curve))
            )
            proposer.tell(proposal.number, outcome)
        proposer.close()


def search_keras_tuner(table: Table, budget: Budget, seed: int, *, oracle: str) -> None:
    """Searches with Keras Tuner's oracles as its tuners use them."""
    import keras_tuner
    from keras_tuner import oracles

    space = keras_tuner.HyperParameters()
    for name, values in table.space.items():
        space.Choice(name, values)
    common: dict[str, Any] = {
        "objective": keras_tuner.Objective("val_loss", "min"),
        "hyperparameters": space,
        "seed": seed + 1,
    }
    most = budget.epochs // table.epochs
    made: Any = {
        "random": lambda: oracles.RandomSearchOracle(max_trials=10 * most, **common),
        "bayesian": lambda: oracles.BayesianOptimizationOracle(
            max_trials=10 * most, **common
        ),
        "hyperband": lambda: oracles.HyperbandOracle(
            max_epochs=table.epochs,
            factor=FACTOR,
            hyperband_iterations=1000,
            **common,
        ),
    }[oracle]()
    made.verbose = 0
    with tempfile.TemporaryDirectory() as folder:
        made._set_project_dir(folder, "search")
        while budget.is_left:
            trial = made.create_trial("tuner")
            if trial.status != "RUNNING":
                break
            values = trial.hyperparameters.values
            until = values.get("tuner/epochs", table.epochs)
            before = values.get("tuner/initial_epoch", 0)
            curve = table.read(values, until)
            loss = min(curve)
            budget.spend(len(curve) - before, loss)
            trial.status = "COMPLETED" if loss < NOT_FINITE else "INVALID"
            if loss < NOT_FINITE:
                made.update_trial(trial.trial_id, {"val_loss": loss})
            try:
                made.end_trial(trial)
            except RuntimeError:
                break  # three failures in a row


def search_optuna(
    table: Table, budget: Budget, seed: int, *, sampler: str, prune: bool = False
) -> None:
    """Searches with Optuna, ordered parameters given as integers."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    made: Any = {
        "random": optuna.samplers.RandomSampler,
        "tpe": optuna.samplers.TPESampler,
    }[sampler](seed=seed)
    pruner = optuna.pruners.HyperbandPruner(
        min_resource=1, max_resource=table.epochs, reduction_factor=FACTOR
    )
    study = optuna.create_study(
        sampler=made, pruner=pruner if prune else optuna.pruners.NopPruner()
    )
    while budget.is_left:
        trial = study.ask()
        values = {
            name: options[trial.suggest_int(name, 0, len(options) - 1)]
            for name, options in table.space.items()
        }
        best, used, state = math.inf, 0, optuna.trial.TrialState.COMPLETE
        for epoch, loss in enumerate(table.read(values), start=1):
            best, used = min(best, loss), epoch
            if loss >= NOT_FINITE:
                state = optuna.trial.TrialState.FAIL
                break
            trial.report(loss, epoch)
            if prune and trial.should_prune():
                state = optuna.trial.TrialState.PRUNED
                break
        budget.spend(used, best)
        complete = state == optuna.trial.TrialState.COMPLETE
        study.tell(trial, best if complete else None, state=state)


METHODS: dict[str, Method] = {
    "random": functools.partial(search_ours, oracle="random"),
    "random, median rule": functools.partial(search_ours, oracle="random", prune=True),
    "bayesian": functools.partial(search_ours, oracle="bayesian"),
    "bayesian, median rule": functools.partial(
        search_ours, oracle="bayesian", prune=True
    ),
    "hyperband": functools.partial(search_ours, oracle="hyperband"),
    "Keras Tuner random": functools.partial(search_keras_tuner, oracle="random"),
    "Keras Tuner bayesian": functools.partial(search_keras_tuner, oracle="bayesian"),
    "Keras Tuner hyperband": functools.partial(search_keras_tuner, oracle="hyperband"),
    "Optuna random": functools.partial(search_optuna, sampler="random"),
    "Optuna TPE": functools.partial(search_optuna, sampler="tpe"),
    "Optuna TPE, hyperband": functools.partial(
        search_optuna, sampler="tpe", prune=True
    ),
}
OURS = tuple(itertools.takewhile(lambda name: "Tuner" not in name, METHODS))
PAIRS = (
    ("random", "Keras Tuner random"),
    ("random", "Optuna random"),
    ("bayesian", "Keras Tuner bayesian"),
    ("bayesian, median rule", "Optuna TPE"),
    ("hyperband", "Keras Tuner hyperband"),
    ("hyperband", "Optuna TPE, hyperband"),
)


def main() -> int:
    """Runs every method with every seed and stores what they reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="2 or more")
    parser.add_argument("--trials", type=int, default=30, help="whole ones: the budget")
    options = parser.parse_args()
    if options.seeds < 2:
        parser.error(f"--seeds must be 2 or more, to tell the spread: {options.seeds}")
    table = Table()
    budget = options.trials * table.epochs
    traces: dict[str, list[Trace]] = {}
    seeds = range(0, SPACING * options.seeds, SPACING)
    # Nothing is timed here, so that searches may go on side by side.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for name in METHODS:
            search = functools.partial(run, name, table, budget)
            traces[name] = list(pool.map(search, seeds))
            final = [trace[-1][1] for trace in traces[name]]
            print(
                f"{name:<24}{statistics.fmean(final):.4f}"
                f" +- {statistics.stdev(final):.4f}",
                flush=True,
            )
    return store_plain("search_quality", summarise(table, traces, options))


def run(name: str, table: Table, epochs: int, seed: int) -> Trace:
    """Returns the trace of one search."""
    warnings.simplefilter("ignore")
    logging.getLogger("absl").setLevel(logging.ERROR)
    budget = Budget(epochs)
    METHODS[name](table, budget, seed)
    return budget.trace


def summarise(
    table: Table, traces: dict[str, list[Trace]], options: argparse.Namespace
) -> dict[str, Any]:
    """Returns the figures to keep."""
    target = statistics.fmean(trace[-1][1] for trace in traces["Keras Tuner random"])
    methods = {}
    for name, several in traces.items():
        final = [trace[-1][1] for trace in several]
        epochs = [epochs_to(trace, target) for trace in several]
        reached = [e for e in epochs if e is not None]
        budget = options.trials * table.epochs
        methods[name] = {
            "mean": round(statistics.fmean(final), 5),
            "spread": round(statistics.stdev(final), 5),
            "regret": round(statistics.fmean(final) - table.best, 5),
            "epochs_to_target": round(
                statistics.median([e if e is not None else budget for e in epochs])
            ),
            "reached_target": f"{len(reached)} of {len(epochs)}",
        }
    return {
        **describe_machine(),
        "settings": vars(options),
        "budget_epochs": options.trials * table.epochs,
        "best_of_table": table.best,
        "target": round(target, 5),
        "methods": methods,
        "pairs": [
            {
                "ours": ours,
                "theirs": theirs,
                "difference": round(methods[ours]["mean"] - methods[theirs]["mean"], 5),
                "wins": sum(
                    a[-1][1] <= b[-1][1]
                    for a, b in zip(traces[ours], traces[theirs], strict=True)
                ),
            }
            for ours, theirs in PAIRS
        ],
    }


def epochs_to(trace: Trace, target: float) -> int | None:
    """Returns the epochs after which a loss was reached; `None` if it never was."""
    return next((epochs for epochs, best in trace if best <= target), None)


def _prune(curve: list[float], histories: dict[str, list[float]]) -> int:
    """Returns after how many epochs the median rule ends a trial."""
    from experiments.config.kinds.objective import Objective
    from experiments.training.callbacks.pruning import scores_at

    loss = Objective("val_loss", "min")
    for epoch in range(WARMUP + 1, len(curve)):
        others = scores_at(histories, epoch, loss)
        if len(others) >= MIN_SIBLINGS:
            score = max(map(loss.score, curve[:epoch]))
            if score < statistics.median(others):
                return epoch
    return len(curve)


def _settings(oracle: str, seed: int, trials: int) -> Any:
    from hydra._internal.utils import create_config_search_path

    from experiments.command.composing.composer import Composer
    from experiments.command.composing.loader import open_hydra
    from experiments.config.search.schema import read_search

    conf = Path(__file__).resolve().parents[1] / "conf"
    typed = [
        f"hydra.sweeper.oracle={oracle}",
        f"hydra.sweeper.seed={seed}",
        f"hydra.sweeper.max_trials={10 * trials}",
        "hydra.sweeper.objective.name=val_loss",
    ]
    with open_hydra(create_config_search_path(str(conf))) as hydra:
        settings = ("hydra/sweeper=keras_tuner", *typed)
        whole = Composer(hydra.config_loader, "config", settings).compose(())
        return read_search(whole.hydra.sweeper)


def _space(table: Table) -> Any:
    from experiments.config.search.parameter import Parameter
    from experiments.config.search.space import Space

    return Space(
        tuple(
            Parameter(key=name, choices=tuple(values))
            for name, values in table.space.items()
        )
    )


if __name__ == "__main__":
    sys.exit(main())
