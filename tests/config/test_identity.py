from typing import Any

import pytest

from experiments.config.identity import (
    describe_choices,
    identify,
    name_folder,
    name_job_folder,
    name_sweep_folder,
)


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


def test_task_that_keeps_no_result_has_one_folder(compose: Any) -> None:
    name = describe_choices({"task": "sync", "model": "a", "dataset": "b"})
    assert name_folder(name, compose("task=sync")) == "sync"
