"""What a person may type for a run, looked up in the folder of runs."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from experiments import job_files
from experiments.config.kinds.destination import Destination
from experiments.config.kinds.objective import Objective
from experiments.errors import ConfigError
from experiments.jobs.runs.run_names import find_named, may_move, settle_names
from experiments.tracking.store.runs.run_names import (
    AmbiguousRunError,
    UnknownRunError,
    Wanted,
)
from tests.jobs.left import leave_parent, leave_run

WANTED = Wanted(objective=Objective("val_accuracy", "max"))


@pytest.fixture
def ids(tmp_path: Path) -> dict[str, str]:
    """Four runs, the last of which repeats another one, and a search."""
    runs = tmp_path / "runs"
    ids = {
        "early": leave_run(runs / "a", name="early", score=0.9, run_id="a1" * 16),
        "failed": leave_run(
            runs / "b", name="failed", score=0.99, status="FAILED", run_id="b2" * 16
        ),
        "late": leave_run(runs / "c", name="late", score=0.7, run_id="b3" * 16),
        "copy": leave_run(runs / "d", name="copy", score=0.8, reproduces="x"),
        "other": leave_run(runs / "e", name="early", score=1.0, experiment="other"),
    }
    leave_parent(tmp_path / "sweeps" / "s", "search")
    return ids


@pytest.fixture
def ask(tmp_path: Path) -> Any:
    def ask(name: str, wanted: Wanted = WANTED, **place: Any) -> Any:
        given = {"experiment": "default", "enabled": False, **place}
        return find_named(name, Destination(output_dir=tmp_path, **given), wanted)

    return ask


def test_last_is_the_run_of_this_experiment_that_was_started_last(ask: Any, ids: Any):
    assert ask("last").run_id == ids["copy"]
    assert ask("last", experiment="other").run_id == ids["other"]
    assert ask("last", experiment="").run_id == ids["other"]


def test_best_is_the_finished_run_with_the_best_monitored_metric(ask: Any, ids: Any):
    assert ask("best").run_id == ids["early"]
    smallest = Wanted(objective=Objective("val_accuracy", "min"))
    assert ask("best", smallest).run_id == ids["late"]


def test_last_that_left_a_model_is_taken_where_one_is_asked(ask: Any, tmp_path: Path):
    early = leave_run(tmp_path / "runs" / "a", name="early")
    leave_run(tmp_path / "runs" / "b", name="late", status="FAILED")
    wanted = Wanted(objective=WANTED.objective, with_model=True)
    assert ask("last", wanted).listed.name == "late"  # its best epoch is kept
    shutil.rmtree(tmp_path / "runs" / "b" / job_files.CHECKPOINTS)
    found = ask("last", wanted)
    assert found.run_id == early
    assert str(found).endswith("; late is later and left no model: failed")
    assert ask("last").listed.name == "late"
    assert "later" not in str(ask("last"))


def test_no_run_with_a_model_is_told_so(ask: Any, tmp_path: Path):
    leave_run(tmp_path / "runs" / "a", name="early", status="FAILED")
    shutil.rmtree(tmp_path / "runs" / "a" / job_files.CHECKPOINTS)
    wanted = Wanted(objective=WANTED.objective, with_model=True)
    with pytest.raises(UnknownRunError) as error:
        ask("last", wanted)
    assert "left a model; the last one, early, is failed." in str(error.value)


@pytest.mark.parametrize(
    ("words", "key", "taken"),
    [
        (["task=evaluate", "run_id=last"], "run_id", "early"),
        (["task=export", "run_id=last"], "run_id", "early"),
        (["model.weights=run:last"], "model.weights", "early"),
        (["task=reproduce", "run_id=last"], "run_id", "late"),
    ],
)
def test_what_needs_a_model_takes_the_last_that_left_one(
    check: Any, tmp_path: Path, words: list[str], key: str, taken: str
):
    ids = {
        "early": leave_run(tmp_path / "runs" / "a", name="early"),
        "late": leave_run(tmp_path / "runs" / "b", name="late", status="FAILED"),
    }
    shutil.rmtree(tmp_path / "runs" / "b" / job_files.CHECKPOINTS)
    place = [f"output_dir={tmp_path}", "tracking.experiment=default"]
    settled = settle_names(check(*words, *place))[key]
    assert str(settled.words).removeprefix("run:") == ids[taken]


def test_what_is_reproduced_is_no_reproduction(ask: Any, ids: Any):
    originals = Wanted(objective=WANTED.objective, originals=True)
    assert ask("last", originals).run_id == ids["late"]


def test_reproduction_without_a_tracker_is_known_by_its_task(ask: Any, tmp_path: Path):
    for name, task in {"a": "train", "b": "reproduce"}.items():
        leave_run(tmp_path / "runs" / name, tracked=False)
        hydra = tmp_path / "runs" / name / ".hydra" / "hydra.yaml"
        hydra.parent.mkdir()
        hydra.write_text(f"hydra:\n  runtime:\n    choices:\n      task: {task}\n")
        os.utime(tmp_path / "runs" / name / "job.lock", (1e9 + ord(name),) * 2)
    originals = Wanted(objective=WANTED.objective, originals=True)
    assert (ask("last").folder.name, ask("last", originals).folder.name) == ("b", "a")


def test_search_is_named_where_one_is_wanted(ask: Any, ids: Any):
    searches = Wanted(objective=WANTED.objective, kinds=("search",))
    assert ask("last", searches).listed.name == "the search"
    assert ask("the search", searches).folder.name == "s"


def test_name_of_several_runs_is_told_with_their_ids(ask: Any, ids: Any):
    assert ask("late").run_id == ids["late"]
    with pytest.raises(AmbiguousRunError, match="'early' means 2 runs") as error:
        ask("early")
    assert all(ids[name] in str(error.value) for name in ("early", "other"))


def test_id_its_beginning_and_a_folder_need_no_tracker(ask: Any, ids: Any):
    for name in ("a1" * 16, "a1a", "runs/a"):
        assert ask(name).folder.name == "a"
    with pytest.raises(AmbiguousRunError, match="'b' means 2 runs"):
        ask("b")


@pytest.mark.parametrize("typed", ["net_on_digits-352ce85a", "352ce85a"])
def test_own_name_of_a_folder_and_its_end_are_enough(
    typed: str, ask: Any, check: Any, tmp_path: Path
):
    run_id = leave_run(tmp_path / "runs" / "net_on_digits-352ce85a", name="net")
    leave_run(tmp_path / "runs" / "net_on_digits-152ce85a", name="net")
    assert ask(typed).run_id == run_id
    place = Destination(output_dir=tmp_path, experiment="default", enabled=True)
    assert may_move(typed, place)
    plan = check(f"output_dir={tmp_path}", "task=evaluate", f"run_id={typed}")
    assert settle_names(plan)["run_id"].words == run_id


def test_id_that_begins_as_a_folder_ends_comes_first(ask: Any, tmp_path: Path):
    run_id = leave_run(tmp_path / "runs" / "a", name="a", run_id="352ce85a" * 4)
    leave_run(tmp_path / "runs" / "net-352ce85a", name="net")
    assert ask("352ce85a").run_id == run_id


def test_what_names_nothing_is_told_with_what_may_be_typed(ask: Any, ids: Any):
    with pytest.raises(UnknownRunError, match="nor the name of a run below"):
        ask("nothing")
    with pytest.raises(UnknownRunError, match="there are runs of default, other"):
        ask("last", experiment="empty")


def test_run_without_a_tracker_is_named_by_its_folder(ask: Any, tmp_path: Path):
    leave_run(tmp_path / "runs" / "a", tracked=False)
    assert ask("last").word == str(tmp_path / "runs" / "a")


@pytest.mark.parametrize(
    ("name", "moves"),
    [
        ("last", True),
        ("a name", True),
        ("0a1", False),
        ("runs/a", False),
        ("models:/digits@champion", False),
        ("away/net.keras", False),
    ],
)
def test_only_ids_and_folders_mean_the_same_tomorrow(
    name: str, moves: bool, ids: Any, tmp_path: Path
):
    assert may_move(name, Destination(output_dir=tmp_path)) is moves


def test_command_names_the_run_by_what_it_means_now(
    check: Any, ids: Any, tmp_path: Path
):
    place = [f"output_dir={tmp_path}", "tracking.experiment=default"]
    plan = check("task=reproduce", "run_id=last", *place)
    assert settle_names(plan)["run_id"].words == ids["late"]
    again = check("task=reproduce", f"run_id={ids['late']}", *place)
    assert settle_names(again) == {}


def test_list_names_each_run_by_what_it_means_now(check: Any, ids: Any, tmp_path: Path):
    place = [f"output_dir={tmp_path}", "tracking.experiment=default"]
    words = f"run_id=[last,{ids['early']},best,runs/c,failed]"
    settled = settle_names(check("task=compare", words, *place))["run_id"]
    assert [run.typed for run in settled.found] == ["last", "best", "failed"]
    named = (ids["copy"], ids["early"], ids["early"], "runs/c", ids["failed"])
    assert settled.words == named
    again = f"run_id=[{','.join(named)}]"
    assert settle_names(check("task=compare", again, *place)) == {}


def test_word_that_moves_is_refused_in_a_sweep(check: Any, ids: Any, tmp_path: Path):
    words = ["task=reproduce", "run_id=last,best", f"output_dir={tmp_path}"]
    plan = check(*words, multirun=True)
    with pytest.raises(ConfigError, match="must be an id or a folder in a sweep"):
        settle_names(plan)


def test_run_whose_weights_are_meant_is_settled_behind_its_word(
    check: Any, ids: Any, tmp_path: Path
):
    place = [f"output_dir={tmp_path}", "tracking.experiment=default"]
    plan = check("model=resnet18", "model.weights=run:last", *place)
    (found,) = settle_names(plan).items()
    key, settled = found
    assert [key, settled.found[0].typed] == ["model.weights", "run:last"]
    assert settled.words == f"run:{ids['copy']}"
    again = check("model=resnet18", f"model.weights={settled.words}", *place)
    assert settle_names(again) == {}
    words = ["model=resnet18", "model.weights=imagenet", "model.variant=v1"]
    assert settle_names(check(*words, "model.depth=50", *place)) == {}


def test_weights_of_a_run_that_moves_are_refused_in_a_sweep(
    check: Any, ids: Any, tmp_path: Path
):
    words = ["model=resnet18", "model.weights=run:last", "seed=1,2"]
    plan = check(*words, f"output_dir={tmp_path}", multirun=True)
    with pytest.raises(ConfigError, match=r"in a sweep. Received: 'run:last'"):
        settle_names(plan)
