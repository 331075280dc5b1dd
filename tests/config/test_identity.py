import re
from typing import Any

import pytest

from experiments.config.identity import (
    describe_choices,
    identify,
    name_folder,
    name_job_folder,
    name_run,
    name_sweep_folder,
)
from experiments.config.schema.task import DiffTaskConfig
from experiments.errors import ConfigError

SEARCH = "hydra/sweeper=keras_tuner"


@pytest.mark.parametrize(
    "override",
    [
        "gpu=cpu",
        "output_dir=/elsewhere",
        "name=mine",
        "+tags.note=x",
        "fresh=true",
        "resume.strict=true",
        "sweep.retry_failed=false",
        "sweep.job_minutes=5",
        "sweep.silent_minutes=5",
        "sweep.keep_top=1",
        "sweep.max_hours=2",
        "max_disk_gb=100",
        "tracking=off",
        "tracking.experiment=other",
        "trainer.progress=plain",
        "callbacks.timing=null",
        "callbacks=[default,tensorboard]",
        "callbacks.checkpoint.every_epochs=3",
        "dataset.decode_threads=1",
        "dataset.cache=none",
        "trainer.oom=accumulate",
        "optimizer.lr=0.0001",
        "allowed_targets=[experiments,keras.optimizers,keras.callbacks,mine]",
    ],
)
def test_what_leaves_the_result_alone_leaves_the_identity(
    compose: Any, override: str
) -> None:
    assert identify(compose(override)) == identify(compose())


@pytest.mark.parametrize(
    "override",
    [
        "seed=1",
        "backend=jax",
        "model=resnet18",
        "model.width=32",
        "optimizer.lr=0.001",
        "optimizer=adamw",
        "schedule=constant",
        "augment=flip_crop",
        "trainer.epochs=8",
        "trainer.precision=mixed_bfloat16",
        "trainer.threads=1",
        "trainer.accumulate_steps=2",
        "dataset.cache=memory",
        "dataset.image_size=12",
        "dataset.split_seed=1",
        "callbacks.early_stopping=null",
        "callbacks.early_stopping.patience=3",
        "trainer.monitor=val_loss trainer.monitor_mode=min",
        "task.evaluate_test=false",
    ],
)
def test_what_the_result_depends_on_makes_another_identity(
    compose: Any, override: str
) -> None:
    assert identify(compose(*override.split())) != identify(compose())


@pytest.mark.parametrize(
    ("dataset", "same"), [("imagenet", True), ("mnist", True), ("folder", False)]
)
def test_moved_data_are_the_same_job_where_their_name_says_what_they_are(
    compose: Any, dataset: str, same: bool
) -> None:
    here, there = (
        compose(f"dataset={dataset}", f"dataset.path={path}") for path in ("/a", "/b")
    )
    assert (identify(here) == identify(there)) is same


def test_folder_is_readable_and_safe(compose: Any) -> None:
    run = compose()
    assert (
        name_folder("resnet50 on digits", run) == f"resnet50_on_digits-{identify(run)}"
    )
    assert name_folder("a/../é b", run) == f"a_.._b-{identify(run)}"
    assert name_folder("///", run) == f"job-{identify(run)}"
    assert len(name_folder("x" * 500, run)) < 100


def test_jobs_of_a_sweep_differ_even_in_what_leaves_the_result_alone(
    compose: Any,
) -> None:
    run = compose()
    folders = {name_job_folder([f"gpu={gpu}"], run) for gpu in (0, 1)}
    assert len(folders) == 2
    assert all(folder.startswith("gpu_") for folder in folders)


def test_sweep_is_the_set_of_its_jobs() -> None:
    first = name_sweep_folder("seed", ["a", "b"])
    assert first == name_sweep_folder("seed", ["b", "a"])
    assert first != name_sweep_folder("seed", ["a", "c"])
    assert first.startswith("seed-")


def test_words_name_the_task_unless_it_is_training() -> None:
    choices = {"task": "train", "model": "resnet18", "dataset": "digits"}
    assert describe_choices(choices) == "resnet18 on digits"
    assert describe_choices({**choices, "task": "check"}) == "check resnet18 on digits"


def test_a_run_on_a_folder_is_called_by_the_folder(compose: Any) -> None:
    run = compose("dataset=folder", "dataset.path='/data/Blumen (2024)/'")
    choices = {"task": "train", "model": "resnet18", "dataset": "folder"}
    assert name_run(choices, run) == "resnet18 on Blumen (2024)"
    # Whoever gave it a file in `conf/dataset/` has said what it is called.
    assert name_run({**choices, "dataset": "flowers"}, run) == "resnet18 on flowers"
    digits = compose("dataset=digits")
    assert name_run({**choices, "dataset": "digits"}, digits) == "resnet18 on digits"


def test_task_that_keeps_no_result_has_one_folder(compose: Any) -> None:
    name = describe_choices({"task": "sync", "model": "a", "dataset": "b"})
    assert name_folder(name, compose("task=sync")) == "sync"


def test_folder_of_a_look_is_called_by_its_task_whatever_the_job_is_called(
    compose: Any,
) -> None:
    """What is typed beside `from_search` may be what the config is by itself."""
    run = compose("task=inspect", "name=mine", "from_search=abc")
    plain = name_folder("best of abc", run)
    changed = name_folder("mine", run, {"trainer.epochs": run.trainer.epochs})
    assert all(re.fullmatch("inspect-[0-9a-f]{8}", name) for name in (plain, changed))
    assert plain != changed


def test_task_that_looks_at_something_may_have_a_folder_a_command(
    compose: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DiffTaskConfig, "folder_of_its_own", True, raising=False)
    words = {"task": "diff", "model": "a", "dataset": "b"}

    folders = [
        name_folder(describe_choices(words), compose("task=diff", f"run_id={runs}"))
        for runs in ("[a1,b2]", "[a1,b2]", "[a1,c3]")
    ]

    assert re.fullmatch("diff-[0-9a-f]{8}", folders[0])
    assert folders[0] == folders[1] != folders[2]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["seed=1,2", "optimizer.lr=1e-3,1"], ["optimizer.lr=0.001,1.0", "seed=1,2"]),
        (["optimizer=sgd,adam"], ["optimizer='sgd',\"adam\""]),
        (["seed=1,2"], ["++seed=2,1"]),
        (["+tags.a=x,y"], ["++tags.a=choice(x,y)"]),
        (["trainer.jit=true,false"], ["trainer.jit=False,TRUE"]),
        (["optimizer.clip_norm=null,1"], ["optimizer.clip_norm=NULL,1.0"]),
    ],
    ids=str,
)
def test_jobs_of_a_sweep_are_the_same_in_any_spelling_and_order(
    check: Any, one: list[str], other: list[str]
) -> None:
    first, second = check(*one, multirun=True), check(*other, multirun=True)
    assert set(first.job_folders) == set(second.job_folders)
    assert first.folder == second.folder


def test_one_number_written_twice_is_one_job(check: Any) -> None:
    with pytest.raises(ConfigError, match="is the same job"):
        check("optimizer.clip_norm=1,1.0", multirun=True)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("optimizer.lr=1e-3,1", "++optimizer.lr=0.001,1.0"),
        ("optimizer.clip_norm=1,2", "optimizer.clip_norm=1.0,2.0"),
        ("optimizer=sgd,adam", "optimizer='sgd',adam"),
    ],
)
def test_a_search_is_found_by_any_spelling_of_its_values(
    check: Any, one: str, other: str
) -> None:
    first, second = (check(SEARCH, typed, multirun=True) for typed in (one, other))
    assert first.folder == second.folder


def test_a_search_is_found_by_its_parameters_in_any_order(check: Any) -> None:
    typed = ["optimizer.lr=interval(1e-3,1)", "seed=1,2", "model.width=range(1,9)"]
    first = check(SEARCH, "model=resnet", *typed, multirun=True)
    second = check(SEARCH, *reversed(typed), "model=resnet", multirun=True)
    assert first.folder == second.folder
    assert first.search.space.keys != second.search.space.keys


def test_a_name_beside_from_search_names_the_folder(check: Any) -> None:
    named = check("from_search=abc", "name=longer", "trainer.epochs=9").folder.name
    assert named.startswith("longer-trainer.epochs_9-")


def test_a_folder_of_a_reproduction_names_the_run_and_not_the_defaults(
    check: Any,
) -> None:
    words = ["task=reproduce", "run_id=5fcf9ec3feac4ad0"]
    assert check(*words).folder.name.startswith("reproduce_5fcf9ec3-")
    assert check(*words, "name=mine").folder.name.startswith("mine-")


@pytest.mark.parametrize("value", ["Kx7qCanary92", "other"])
def test_secret_neither_counts_nor_stands_in_a_name(value: str, compose: Any) -> None:
    run = compose()
    folder = name_job_folder([f"+tags.token={value}"], run)
    assert folder == name_job_folder(["+tags.token=x"], run)
    assert value not in folder
    assert value not in name_folder(f"token={value}", run)
    named = name_folder("a", run, {"tags.token": value})
    assert named == name_folder("a", run, {"tags.token": "x"})
    assert name_sweep_folder("a", [f"tags.token={value},b"]) == name_sweep_folder(
        "a", ["tags.token=c"]
    )
