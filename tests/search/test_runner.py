from collections.abc import Sequence
from typing import Any

import pytest

from experiments.config.kinds.objective import Objective
from experiments.errors import ConfigError, Preempted
from experiments.jobs.job import JobResult
from experiments.search.runner import RepeatedRun, TrialRunner
from experiments.search.trials.trial import Outcome, Proposal
from experiments.search.trials.verdict import combine, judge
from experiments.workers.report import Report


def finished(value: float | None, **result: Any) -> Report:
    metrics = {} if value is None else {"best_val_accuracy": value}
    return returned(value, metrics, **result)


def returned(value: float | None, metrics: dict[str, float], **result: Any) -> Report:
    left = JobResult(name="a", status="FINISHED", metrics=metrics, **result)
    return Report(status="returned", value=value, result=left)


class Launches:
    """Answers with one report after the other and keeps what was launched."""

    def __init__(self, *reports: Report) -> None:
        self.reports = list(reports)
        self.calls: list[list[str]] = []

    def __call__(self, overrides: Sequence[str], number: int) -> Report:
        self.calls.append(list(overrides))
        return self.reports.pop(0)


PROPOSAL = Proposal(number=4, values={"x": 0.5})


@pytest.fixture
def runner(settings: Any, space_of: Any) -> Any:
    def make(launches: Launches, **changed: Any) -> TrialRunner:
        names = ("fixed", "prepare", "objectives", "folds")
        own = {name: changed.pop(name) for name in names if name in changed}
        return TrialRunner(
            search=settings(**changed),
            space=space_of("x=interval(0,1)"),
            launch=launches,
            **own,
        )

    return make


def test_a_trial_has_the_typed_overrides_and_its_own(runner: Any) -> None:
    launches = Launches(finished(0.5))
    outcome = runner(launches, fixed=["model=a"])(PROPOSAL)
    assert launches.calls == [["model=a", "x=0.5"]]
    assert (outcome.end, outcome.objective, outcome.attempts) == ("complete", 0.5, 1)


def test_a_round_of_hyperband_pauses_after_its_epochs(runner: Any) -> None:
    launches = Launches(finished(0.5, end="paused", epochs=2))
    outcome = runner(launches)(Proposal(number=0, values={"x": 0.5}, epochs=2))
    assert launches.calls[0][-1] == "trainer.until_epoch=2"
    assert (outcome.end, outcome.epochs) == ("paused", 2)


@pytest.mark.parametrize(
    ("failure", "attempts"),
    [
        ("killed", 3),
        ("timeout", 3),
        ("error", 3),
        ("oom", 1),
        ("config", 1),
        ("nan", 1),
    ],
)
def test_only_what_may_end_otherwise_is_tried_again(
    runner: Any, failure: Any, attempts: int
) -> None:
    report = Report(status="failed", failure=failure, reason="why")
    outcome = runner(Launches(*[report] * 3), max_retries=2)(PROPOSAL)
    assert (outcome.end, outcome.failure) == ("failed", failure)
    assert (outcome.reason, outcome.attempts) == ("why", attempts)


def test_a_trial_that_ends_well_on_its_second_start_is_complete(runner: Any) -> None:
    killed = Report(status="failed", failure="killed", reason="SIGKILL")
    outcome = runner(Launches(killed, finished(0.7)), max_retries=1)(PROPOSAL)
    assert (outcome.objective, outcome.attempts) == (0.7, 2)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_an_objective_that_is_no_number_is_a_failure(value: float | None) -> None:
    outcome = judge(finished(value), "val_accuracy")
    assert (outcome.end, outcome.failure, outcome.objective) == ("failed", "nan", None)
    assert "val_accuracy is" in str(outcome.reason)


def test_the_objective_is_the_named_metric_of_the_best_epoch() -> None:
    metrics = {"best_val_loss": 0.3, "best_val_accuracy": 0.9, "test_loss": 0.4}
    report = returned(0.9, metrics)
    assert judge(report, "val_loss").objective == 0.3
    assert judge(report, "test_loss").objective == 0.4


def test_a_task_without_a_result_is_judged_by_what_it_returned() -> None:
    assert judge(Report(status="returned", value=0.25), "x").objective == 0.25


def test_a_pruned_trial_keeps_its_value_and_its_reason() -> None:
    outcome = judge(finished(0.2, end="pruned", reason="below 0.5"), "val_accuracy")
    assert (outcome.end, outcome.objective) == ("pruned", 0.2)
    assert outcome.reason == "below 0.5"


def test_a_stopped_search_is_not_an_outcome() -> None:
    with pytest.raises(Preempted):
        judge(Report(status="stopped", reason="the search was stopped"), "x")


def test_a_trial_that_reached_its_own_limit_timed_out() -> None:
    reason = "stopped by trainer.max_minutes=1"
    outcome = judge(Report(status="stopped", reason=reason), "x")
    assert (outcome.failure, outcome.reason) == ("timeout", reason)


def test_each_proposal_is_trained_with_so_many_seeds(runner: Any) -> None:
    launches = Launches(*map(finished, (0.5, 0.6, 0.7)))
    outcome = runner(launches, repeats=3)(PROPOSAL)
    assert [call[-1] for call in launches.calls] == ["seed=0", "seed=1", "seed=2"]
    assert outcome.objective == pytest.approx(0.6)
    assert outcome.repeats == (0.5, 0.6, 0.7)


def test_seeds_that_cannot_reach_the_best_any_more_are_left_out(runner: Any) -> None:
    launches = Launches(*map(finished, (0.9, 0.9, 0.9, 0.10, 0.11, 0.1)))
    make = runner(launches, repeats=3)
    assert len(make(PROPOSAL).repeats) == 3
    assert len(make(PROPOSAL).repeats) == 2


def test_a_search_that_goes_on_knows_the_best_of_before(runner: Any) -> None:
    launches = Launches(*map(finished, (0.10, 0.11, 0.1)))
    outcome = runner(launches, repeats=3, objectives=[0.9])(PROPOSAL)
    assert len(outcome.repeats) == 2


def test_an_objective_that_no_trial_has_ends_the_search(runner: Any) -> None:
    metrics = {"best_val_accuracy": 0.5, "test_loss": 1.0}
    other = returned(0.5, metrics)
    with pytest.raises(ConfigError, match=r"has: val_accuracy, test_loss\. Received"):
        runner(Launches(other), objective=Objective("f1", "max"))(PROPOSAL)


def test_an_objective_that_other_trials_have_is_a_failure(runner: Any) -> None:
    other = returned(0.5, {"loss": 0.5})
    outcome = runner(Launches(other), objectives=[0.9])(PROPOSAL)
    assert (outcome.failure, outcome.reason) == ("nan", "val_accuracy is missing")


def test_a_seed_that_fails_fails_its_trial(runner: Any) -> None:
    oom = Report(status="failed", failure="oom", reason="too large")
    outcome = runner(Launches(finished(0.5), oom), repeats=3)(PROPOSAL)
    assert (outcome.end, outcome.failure, outcome.repeats) == ("failed", "oom", (0.5,))


def test_the_jobs_of_a_trial_with_seeds_belong_to_its_own_run(runner: Any) -> None:
    closed: list[Outcome] = []
    launches = Launches(finished(0.5), finished(0.7))
    prepare = lambda proposal: RepeatedRun(["+a=1"], closed.append)  # noqa: E731
    runner(launches, repeats=2, prepare=prepare)(PROPOSAL)
    assert all("+a=1" in call for call in launches.calls)
    assert [outcome.objective for outcome in closed] == [pytest.approx(0.6)]


def test_each_proposal_is_trained_in_each_fold(runner: Any) -> None:
    launches = Launches(*map(finished, (0.5, 0.6, 0.7)))
    closed: list[Outcome] = []
    prepare = lambda proposal: RepeatedRun(["+a=1"], closed.append)  # noqa: E731
    outcome = runner(launches, folds=3, prepare=prepare)(PROPOSAL)
    folds = [f"dataset.fold={number}" for number in (1, 2, 3)]
    assert launches.calls == [["x=0.5", fold, "+a=1"] for fold in folds]
    assert outcome.objective == pytest.approx(0.6)
    assert outcome.repeats == (0.5, 0.6, 0.7)
    assert [each.objective for each in closed] == [outcome.objective]


def test_no_fold_is_left_out_for_the_others_are_no_measure_of_it(runner: Any) -> None:
    launches = Launches(*map(finished, (0.10, 0.11, 0.1)))
    outcome = runner(launches, folds=3, objectives=[0.9])(PROPOSAL)
    assert len(outcome.repeats) == 3


def test_fold_that_fails_fails_its_trial(runner: Any) -> None:
    oom = Report(status="failed", failure="oom", reason="too large")
    outcome = runner(Launches(finished(0.5), oom), folds=3)(PROPOSAL)
    assert (outcome.end, outcome.failure, outcome.repeats) == ("failed", "oom", (0.5,))


def test_epochs_and_attempts_of_seeds_add_up() -> None:
    seeds = [
        Outcome(end="complete", objective=0.5, epochs=3, attempts=2),
        Outcome(end="complete", objective=0.7, epochs=4),
    ]
    both = combine(seeds)
    assert (both.epochs, both.attempts) == (7, 3)


def test_trial_of_several_seeds_has_their_means_and_the_run_of_the_first() -> None:
    seeds = [
        Outcome(end="complete", objective=o, metrics=metrics, run_id=run_id)
        for o, metrics, run_id in (
            (0.5, {"test_loss": 1.0, "only": 9.0}, "a"),
            (0.75, {"test_loss": 2.0}, "luckiest"),
            (0.25, {"test_loss": 6.0}, "last"),
        )
    ]
    whole = combine(seeds)
    assert (whole.objective, whole.run_id) == (0.5, "a")
    assert whole.metrics == {"test_loss": 3.0}
