"""Every file in `conf/` composes and passes validation."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import CONF

# What these need beside themselves: a path of the user's, larger images, more epochs.
MISSING = {
    "model=resnet50_notebook": "dataset=synthetic_small",
    "model=keras_application": "dataset=synthetic_small",
    "model=vit": "dataset=synthetic_small",
    "model=vit_base": "dataset=synthetic_small",
    "model=vit_small": "dataset=synthetic_small",
    "model=vit_tiny": "dataset=synthetic_small",
    "dataset=folder": "dataset.path=/images",
    "dataset=huggingface": "dataset.path=/images",
    "dataset=tfds": "dataset.name=tiny",
    "dataset=imagenet": "dataset.path=/images",
    "dataset=table": "dataset.table=/images/labels.csv",
    "tracking=server": "tracking.uri=http://localhost:5000",
    "schedule=cosine_resnet18": "trainer.epochs=200",
    "schedule=step_imagenet": "trainer.epochs=90",
    "experiment=notebook": "dataset.path=/images",
    "schedule=cosine_rsb": "trainer.epochs=100",
    "experiment=imagenet_resnet50": "dataset.path=/images",
    "experiment=imagenet_rsb_a1": "dataset.path=/images",
    "experiment=imagenet_rsb_a2": "dataset.path=/images",
    "experiment=imagenet_rsb_a3": "dataset.path=/images",
    "experiment=finetune_folder": "dataset.path=/images",
    "experiment=linear_probe": "dataset.path=/images",
}


def options() -> Iterator[str]:
    for group in sorted(path for path in CONF.iterdir() if path.is_dir()):
        if group.name in ("hydra", "callbacks"):
            continue
        for option in sorted(group.glob("*.yaml")):
            yield f"{group.name}={option.stem}"


@pytest.mark.parametrize("option", list(options()))
def test_option_composes_and_is_valid(check: Any, option: str) -> None:
    needed = MISSING.get(option)
    check(option, *([] if needed is None else [needed]))


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in (CONF / "callbacks").glob("*.yaml"))
)
def test_callback_can_be_added_and_left_out(check: Any, name: str) -> None:
    assert check(f"callbacks=[{name}]").run.callbacks
    if name not in ("default", "full_length"):
        key = "pruner" if name.endswith("_pruner") else name  # one at a time
        everything = f"callbacks=[default,{name}]"
        assert key in check(everything).run.callbacks
        assert key not in check(everything, f"callbacks.{key}=null").run.callbacks


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in (CONF / "experiment").glob("*.yaml"))
)
@pytest.mark.parametrize("debug", ["one_step", "overfit"])
def test_experiment_composes_with_debug(check: Any, name: str, debug: str) -> None:
    needed = MISSING.get(f"experiment={name}") if debug == "overfit" else None
    options = [f"experiment={name}", f"debug={debug}", *([needed] if needed else [])]
    assert check(*options).run.trainer.epochs >= 1


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in (CONF / "experiment").glob("*.yaml"))
)
def test_experiment_opens_with_purpose_command_expectation_and_source(
    name: str,
) -> None:
    head = (CONF / "experiment" / f"{name}.yaml").read_text().split("defaults:")[0]
    for word in ("# Purpose: ", "# Command: ", "# Expected: ", "# Source: "):
        assert word in head


def test_default_is_the_documented_one(check: Any) -> None:
    run = check().run
    assert run.model.depth == 50
    assert run.optimizer._target_ == "keras.optimizers.Adam"
    assert run.optimizer.lr == 1e-4
    assert run.dataset._target_ == "experiments.data.datasets.digits.load_digits"


def test_digits_experiment_is_the_default_written_out(check: Any) -> None:
    assert check("experiment=digits_resnet50").run == check().run
