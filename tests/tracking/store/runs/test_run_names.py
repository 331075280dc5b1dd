"""What a person may type for a run, and what is told about the rest."""

import shutil
from pathlib import Path

import pytest

from experiments.config.kinds.objective import Objective
from experiments.tracking.store.runs import run_names
from experiments.tracking.store.runs.run_names import (
    AmbiguousRunError,
    UnknownRunError,
    Wanted,
    find_run,
    is_single,
    list_members,
)
from tests.tracking.conftest import settle
from tests.tracking.store.runs.test_run_folder import finish


@pytest.fixture
def run(open_run):
    return finish(open_run())


@pytest.fixture
def ask(run, tmp_path):
    """Returns the id of the run that is found by a name."""
    settle(run)
    connection = run._courier.connect()

    def ask(name, typed_in=tmp_path):
        return find_run(str(name), connection, typed_in=typed_in).run.info.run_id

    return ask


def create(run, count):
    """More runs beside one; returns the ids of all."""
    client = settle(run)
    experiment = client.get_run(run.run_id).info.experiment_id
    runs = [client.create_run(experiment, run_name=f"n{n}") for n in range(count)]
    return [run.run_id, *(other.info.run_id for other in runs)]


def shared_start(ids):
    """The longest beginning of two of them."""
    starts = (
        one[: next(i for i in range(32) if one[i] != other[i])]
        for one in ids
        for other in ids
        if one != other
    )
    return max(starts, key=len)


def test_first_characters_that_no_other_run_has_are_enough(run, ask):
    ids = create(run, 16)  # two of seventeen begin alike
    start = shared_start(ids)
    for run_id in ids:
        assert ask(run_id[: len(start) + 1]) == run_id


def test_first_characters_of_several_are_told_with_all_of_them(run, ask):
    ids = create(run, 16)
    start = shared_start(ids)
    alike = [run_id for run_id in ids if run_id.startswith(start)]
    with pytest.raises(
        AmbiguousRunError, match=f"^{start} is the beginning of"
    ) as error:
        ask(start)
    assert all(run_id in str(error.value) for run_id in alike)
    assert " n" in str(error.value)


def test_of_very_many_only_some_are_told(run, ask):
    ids = create(run, 16 * 5)  # six begin alike
    first = max("0123456789abcdef", key=lambda c: sum(i[0] == c for i in ids))
    with pytest.raises(AmbiguousRunError, match="of more than 5 runs") as error:
        ask(first)
    assert len(str(error.value).splitlines()) == 6


def test_run_of_every_experiment_is_found(run, ask, monkeypatch):
    monkeypatch.setattr(run_names, "_PAGE", 1)
    client = settle(run)
    other = client.create_run(client.create_experiment("another")).info.run_id
    assert (ask(other[:12]), ask(run.run_id[:12])) == (other, run.run_id)


def test_run_that_was_deleted_is_found_by_its_whole_id(run, ask):
    settle(run).delete_run(run.run_id)
    assert ask(run.run_id) == run.run_id


@pytest.mark.parametrize("name", ["f" * 32, "0123456789abcdef"])
def test_id_of_no_run_is_told_with_where_it_was_looked_for(name, ask, tmp_path):
    with pytest.raises(UnknownRunError) as error:
        ask(name)
    assert str(error.value).startswith(
        f"There is no run {name} in sqlite:///{tmp_path}/out/mlflow.db, and no folder "
        f"below {tmp_path}/out was ever its own."
    )


@pytest.mark.parametrize("name", ["runs/0", "out/runs/0", "{tmp}/out/runs/0", "."])
def test_folder_names_its_run(name, run, ask, tmp_path):
    typed_in = tmp_path / "out" / "runs" / "0" if name == "." else tmp_path
    assert ask(name.format(tmp=tmp_path), typed_in) == run.run_id


def test_folder_elsewhere_names_its_run(run, ask, tmp_path):
    shutil.move(tmp_path / "out" / "runs" / "0", tmp_path / "else where")
    assert ask("else where") == run.run_id


@pytest.mark.parametrize("name", ["nothing", "runs/9", "", "../..x", "a" * 33, "ABC"])
def test_what_names_nothing_is_told_with_what_may_be_typed(name, ask):
    with pytest.raises(UnknownRunError, match="names no run: it is neither an id, nor"):
        ask(name)


def test_folder_without_records_is_told(ask, tmp_path):
    with pytest.raises(UnknownRunError, match=r"it holds no tracking/journal\.jsonl"):
        ask(tmp_path)


def test_folder_whose_run_is_in_another_store_is_told(open_run, ask, tmp_path):
    other = open_run(folder=tmp_path / "b" / "job", output_dir=tmp_path / "b")
    finish(other)
    with pytest.raises(UnknownRunError, match=r"no run in sqlite.* is its own\. Were"):
        ask("b/job")


@pytest.mark.parametrize("name", ["{tmp}/out/runs/0", "runs/0", "."])
def test_what_nobody_typed_names_no_folder(name, ask, tmp_path):
    """A tag of a server names runs by their ids only, not files of this machine."""
    with pytest.raises(UnknownRunError, match="names no run"):
        ask(name.format(tmp=tmp_path), typed_in=None)


def test_folder_is_not_asked_for_more_than_it_says(open_run, ask, run, tmp_path):
    """One that came from elsewhere says that it is the run of somebody else."""
    stranger = open_run(folder=tmp_path / "stranger")
    finish(stranger)
    stranger._spool.write_run_id(run.run_id, "embedded")
    assert ask("stranger") == stranger.run_id


def test_two_folders_that_say_the_same_of_a_lost_run_are_told(open_run, run, ask):
    lost = "c" * 32
    other = finish(open_run())
    for claimant in (run, other):
        claimant._spool.write_run_id(lost, "a store of before")
    with pytest.raises(AmbiguousRunError, match="was, before, the id of 2 runs"):
        ask(lost)


WANTED = Wanted(objective=Objective("val_accuracy", "max"))


@pytest.fixture
def meant(run):
    """Returns the id of the run of the store that a word means."""
    client = settle(run)
    connection = run._courier.connect()
    experiment = client.get_run(run.run_id).info.experiment_id

    def add(
        name,
        score=None,
        *,
        metric="best_val_accuracy",
        status="FINISHED",
        experiment=experiment,
        **tags,
    ):
        made = client.create_run(
            experiment,
            run_name=name,
            tags={k.replace("_", "."): v for k, v in tags.items()},
        )
        if score is not None:
            client.log_metric(made.info.run_id, metric, score)
        client.set_terminated(made.info.run_id, status)
        return made.info.run_id

    def meant(name, wanted=WANTED):
        found = find_run(name, connection, typed_in=Path("/"), wanted=wanted)
        return found.run.info.run_id

    meant.add, meant.client = add, client
    return meant


def test_best_and_last_are_of_the_finished_runs_of_the_experiment(meant):
    elsewhere = meant.client.create_experiment("another")
    best = meant.add("best", 0.8)
    meant.add("failed", 0.95, status="FAILED")
    meant.add("other", 0.99, experiment=elsewhere)
    meant.add("nan", float("nan"))
    meant.add("search", 0.9, run_kind="search")
    last = meant.add("last", 0.1)
    assert (meant("best"), meant("last")) == (best, last)
    smallest = Wanted(objective=Objective("val_accuracy", "min"))
    assert meant("best", smallest) == last


def test_best_by_the_training_is_found_by_the_names_of_all_formats(meant):
    smallest = Wanted(objective=Objective("loss", "min"))
    former = meant.add("former", 0.3, metric="best_loss")  # until format 3
    assert meant("best", smallest) == former
    meant.add("worse", 0.4, metric="best_train_loss")
    assert meant("best", smallest) == former
    better = meant.add("better", 0.2, metric="best_train_loss")
    assert meant("best", smallest) == better


def test_search_and_original_are_told_apart(meant):
    original = meant.add("a", 0.5)
    search = meant.add("b", 0.9, run_kind="search")
    meant.add("c", 0.9, reproduces="a")
    searches = Wanted(objective=WANTED.objective, kinds=("search",))
    originals = Wanted(objective=WANTED.objective, originals=True)
    assert (meant("last", searches), meant("last", originals)) == (search, original)


@pytest.mark.parametrize("name", ["resnet on digits", "it's", 'the "first"', "~x"])
def test_run_is_found_by_its_name_in_any_experiment(name, meant):
    run_id = meant.add(name, experiment=meant.client.create_experiment("another"))
    assert meant(name) == run_id
    meant.add(name)
    with pytest.raises(AmbiguousRunError, match="is the name of 2 runs"):
        meant(name)


def test_name_that_no_query_can_say_is_told(meant):
    with pytest.raises(UnknownRunError, match="name the run's id"):
        meant("""'"'""")


def test_word_that_nobody_typed_is_no_name(run, ask):
    with pytest.raises(UnknownRunError, match="names no run"):
        ask("a run", typed_in=None)


def test_parent_means_the_runs_below_it_those_of_seeds_too(run, ask):
    client = settle(run)
    experiment = client.get_run(run.run_id).info.experiment_id

    def create_below(parent, kind):
        tags = {"run.kind": kind} if kind else {}
        tags |= {"mlflow.parentRunId": parent} if parent else {}
        return client.create_run(experiment, tags=tags).info.run_id

    search = create_below(None, "search")
    single = create_below(search, None)
    trial = create_below(search, "trial")
    seeds = [create_below(trial, None) for _ in range(2)]
    connection = run._courier.connect()
    found = [one.info.run_id for one in list_members(connection, search)]
    assert sorted(found) == sorted([single, *seeds])
    assert is_single(client.get_run(single))
    assert not is_single(client.get_run(trial))
