"""Experiments that somebody has renamed or deleted on MLflow's pages."""

import subprocess

import pytest

from experiments.errors import TrackingError
from experiments.tracking.recorded import read_tags
from experiments.tracking.store.runs.histories import SiblingHistories
from tests.tracking.conftest import COMPARISON, destination, run_of, settle, wait_until


def experiment_of(tracker):
    return run_of(tracker).info.experiment_id


def names(client):
    return sorted(experiment.name for experiment in client.search_experiments())


@pytest.fixture
def sweep(open_run):
    """The parent run of a sweep whose experiment has another name since."""
    sweep = open_run(run_name="sweep")
    settle(sweep).rename_experiment(experiment_of(sweep), "a better name")
    return sweep


def open_child(open_run, sweep, **options):
    return open_run(parent_dir=sweep._spool.job_folder, **options)


def test_jobs_of_a_sweep_follow_its_experiment(open_run, sweep):
    child = open_child(open_run, sweep)
    assert experiment_of(child) == experiment_of(sweep)
    assert f"/experiments/{experiment_of(sweep)}/" in child.run_url
    pages = sweep.compare_url([child.run_id], COMPARISON)
    assert f"/experiments/{experiment_of(sweep)}/" in pages
    assert names(settle(child)) == ["Default", "a better name"]


def test_trials_of_several_seeds_follow_it_too(open_run, sweep):
    trial = open_child(open_run, sweep)
    assert experiment_of(open_child(open_run, trial)) == experiment_of(sweep)


def test_job_that_goes_on_stays_in_its_experiment(open_run, sweep):
    sweep.finish("KILLED")
    again = open_run(folder=sweep._spool.job_folder)
    assert (experiment_of(again), again.run_id) == (experiment_of(sweep), sweep.run_id)
    assert names(settle(again)) == ["Default", "a better name"]


def test_new_run_of_its_own_goes_where_it_was_told(open_run, sweep):
    other = open_run()
    assert experiment_of(other) != experiment_of(sweep)
    assert names(settle(other)) == ["Default", "a better name", "some experiment"]


def test_trials_are_compared_after_the_renaming(open_run, sweep, tmp_path):
    one, two = (open_child(open_run, sweep) for _ in range(2))
    for value, trial in enumerate((one, two)):
        trial.log_metrics({"score": float(value)}, step=1)
        settle(trial)
    read = SiblingHistories(
        one._spool.job_folder,
        sweep._spool.job_folder,
        destination=destination(tmp_path / "out"),
        metric="score",
    )
    assert read() == {two.run_id: [1.0]}


def test_reading_a_run_makes_no_experiment(open_run, sweep, tmp_path):
    client = settle(sweep)
    read_tags(sweep.run_id, destination(tmp_path / "out"))
    assert names(client) == ["Default", "a better name"]


def test_run_that_does_not_exist_is_told_in_a_sentence(sweep, tmp_path):
    with pytest.raises(
        TrackingError, match=r"There is no run a+ in sqlite:///.*db, and no"
    ):
        read_tags("a" * 32, destination(tmp_path / "out"))


@pytest.mark.timeout(120)
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("what", ["experiment", "run"])
def test_printed_command_restores_what_was_deleted(
    open_run, tmp_path, what, monkeypatch
):
    """As it stands, in a shell, in a folder that has nothing to do with it."""
    out = tmp_path / "it's out"
    # The environment is not activated, as in a shell that was just opened.
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    tracker = open_run(output_dir=out, folder=out / "job")
    client = settle(tracker)
    if what == "experiment":
        client.delete_experiment(experiment_of(tracker))
    else:
        client.delete_run(tracker.run_id)
    tracker.log_metrics({"loss": 0.5}, step=1)
    wait_until(lambda: tracker.problem and "restore" in tracker.problem)
    assert f"{what}s restore" in tracker.problem
    _, _, command = tracker.problem.rpartition(": ")
    (tmp_path / "elsewhere").mkdir()
    subprocess.run(command, shell=True, check=True, cwd=tmp_path / "elsewhere")
    tracker.finish("FINISHED")
    assert (tracker.unsent, tracker.problem) == (0, None)
    assert run_of(tracker).info.status == "FINISHED"
