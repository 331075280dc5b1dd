"""`task=find_lr` tries rates beside a training, and leaves that alone."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from experiments.errors import ConfigError
from experiments.jobs.job import Job
from experiments.tasks.find_lr import find_lr
from tests.tiny import TINY

WORDS = [
    *TINY,
    "dataset=digits",
    "dataset.image_size=8",
    "model.blocks=[1,1]",
    "trainer.batch_size=32",
    "tracking=off",
]


@pytest.fixture(scope="module")
def search(check: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Looks for a rate and returns the job with its result."""
    outputs = tmp_path_factory.mktemp("outputs")

    def search(*overrides: str) -> Any:
        words = (*WORDS, *overrides, "task=find_lr", f"output_dir={outputs}")
        plan = check(*words)
        plan.folder.mkdir(parents=True)
        job = Job(
            resolved=OmegaConf.to_container(plan.config, resolve=True),
            output_dir=plan.folder,
            overrides=words,
            name="find_lr a network on digits",
        )
        return job, find_lr(job)

    return search


def read(job: Job) -> Any:
    return json.loads((job.output_dir / "find_lr.json").read_text())


def test_it_proposes_a_rate_and_trains_nothing(
    search: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    job, result = search(
        "optimizer=sgd",
        "optimizer.lr=7",
        "trainer.steps_per_execution=2",
        "trainer.max_steps_per_epoch=4",
        "trainer.accumulate_steps=2",
        "task.steps=120",
        "task.lowest=1e-3",
        "task.highest=30",
        "task.seeds=2",
    )
    screen = capsys.readouterr().out

    record = read(job)
    assert record["reason"] is None
    assert 1e-3 < record["lr"] < 10
    assert result.metrics == {"lr": record["lr"]}
    assert f"\n{record['proposal']}\n" in screen
    (line,) = re.findall(r"^to train it +(.*)$", screen, re.M)
    assert line.endswith(record["proposal"])
    assert "task" not in line
    assert "optimizer.lr=7" not in line
    assert [curve["seed"] for curve in record["curves"]] == [0, 1]
    assert record["curves"][0]["losses"] != record["curves"][1]["losses"]
    names = {path.name for path in job.output_dir.iterdir()}
    assert names == {"find_lr.json", "find_lr.html", "find_lr.png"}
    assert re.fullmatch("find_lr-[0-9a-f]{8}", job.output_dir.name)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_with_what_it_proposes_more_is_learnt_than_far_above_and_below(
    check: Any, run_job: Any, tmp_path: Path, optimizer: str
) -> None:
    """The figures of `docs/find_lr.md`."""
    words = ["dataset=digits", "model=resnet20_cifar", f"optimizer={optimizer}"]
    words.append("tracking=off")
    plan = check(*words, "task=find_lr", f"output_dir={tmp_path}")
    plan.folder.mkdir(parents=True)
    resolved = OmegaConf.to_container(plan.config, resolve=True)
    job = Job(resolved=resolved, output_dir=plan.folder, name="find_lr")
    proposed = find_lr(job).metrics["lr"]

    words += ["trainer.epochs=4", "schedule=constant", "task.picture_grid=false"]
    losses = {
        factor: run_job(*words, f"optimizer.lr={factor * proposed}").metrics[
            "best_val_loss"
        ]
        for factor in (1 / 30, 1, 30)
    }
    assert min(losses, key=lambda factor: losses[factor]) == 1


def test_it_tells_why_it_proposes_nothing(
    search: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    job, result = search("task.steps=10", "task.seeds=1", "task.highest=1e-6")

    assert read(job)["proposal"] is None
    assert "No proposal: the loss of the only seed fell by" in capsys.readouterr().out
    assert result.metrics == {}


def test_rates_are_those_that_are_typed_whatever_the_batch(search: Any) -> None:
    job, _ = search(
        "trainer.reference_batch_size=256",
        "task.steps=10",
        "task.seeds=1",
        "task.lowest=1e-6",
        "task.highest=1e-5",
    )
    (curve,) = read(job)["curves"]
    ends = [curve["rates"][0], curve["rates"][-1]]
    assert ends == pytest.approx([1e-6, 1e-5], rel=1e-4)


def test_last_phase_is_tried_at_its_own_multiple_of_the_rate(
    search: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    few = ("task.steps=10", "task.seeds=1", "trainer.epochs=2")
    plain, _ = search(*few, "task.lowest=1e-3", "task.highest=1e-2")
    phased, _ = search(
        *few,
        "task.lowest=4e-3",
        "task.highest=4e-2",
        "trainer.phases=[{epochs: 1, freeze: all}, {lr_factor: 0.25}]",
        "schedule.warmup_epochs=0",
    )
    (expected,), (found,) = read(plain)["curves"], read(phased)["curves"]
    assert found["losses"] == pytest.approx(expected["losses"], rel=1e-5)
    ends = [found["rates"][0], found["rates"][-1]]
    assert ends == pytest.approx([4e-3, 4e-2], rel=1e-4)
    assert "2 of 2, freeze=none, at 0.25 times the rate" in capsys.readouterr().out


def test_phases_with_rates_of_their_own_are_refused(search: Any) -> None:
    with pytest.raises(ConfigError, match=r"optimizer\.lr counts in none"):
        search(
            "trainer.epochs=2",
            "trainer.phases=[{epochs: 1, freeze: all, lr: 1e-3}, {lr: 1e-4}]",
            "schedule.warmup_epochs=0",
        )
