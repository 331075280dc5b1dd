import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tensorflow as tf

from experiments import job_files
from experiments.config.validation import resolve
from experiments.errors import RestartNeeded
from experiments.fitting.memory import (
    MemoryGuard,
    OutOfMemoryError,
    fit_to_memory,
    is_exhaustion,
)
from experiments.jobs.job import Job
from experiments.records import RecordError
from tests.damage import WAYS

EXHAUSTED = tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")


@pytest.fixture
def make_job(check: Any, tmp_path: Path) -> Any:
    def make_job(*overrides: str) -> Job:
        plan = check("trainer.batch_size=12", *overrides)
        return Job(resolved=resolve(plan.config), output_dir=tmp_path, name="a")

    return make_job


@pytest.mark.parametrize(
    ("error", "exhausted"),
    [
        (EXHAUSTED, True),
        (MemoryError(), True),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 12 bytes"), True),
        (RuntimeError("something else"), False),
        (ValueError("memory"), False),
    ],
)
def test_exhausted_memory_is_told_from_other_errors(
    error: Exception, exhausted: bool
) -> None:
    assert is_exhaustion(error) is exhausted


def test_error_names_batch_size_estimate_and_ways_out(make_job: Any) -> None:
    cost: Any = SimpleNamespace(training_bytes=12.34e9, state_bytes=1e9)
    with (
        pytest.raises(OutOfMemoryError) as error,
        MemoryGuard(make_job(), cost=cost).watch(),
    ):
        raise EXHAUSTED
    assert str(error.value) == (
        "Out of memory with 12 images at a time (a step was estimated at 12.3 GB). "
        "Lower trainer.batch_size=12 or the image size, or set trainer.oom=accumulate "
        "to add up smaller micro-batches."
    )


@pytest.mark.parametrize(
    ("stage", "error", "words"),
    [
        (
            "data",
            MemoryError("Unable to allocate 3.1 TiB for an array"),
            "while the images were read (Unable to allocate 3.1 TiB for an array). ",
        ),
        ("network", EXHAUSTED, "while the network was built. Take a smaller one, such"),
    ],
)
@pytest.mark.parametrize("wish", ["error", "accumulate"])
def test_error_before_the_first_step_blames_what_asked_for_the_memory(
    make_job: Any, stage: Any, error: Exception, words: str, wish: str
) -> None:
    guard = MemoryGuard(make_job(f"trainer.oom={wish}"), stage=stage)
    with pytest.raises(OutOfMemoryError) as raised, guard.watch():
        raise error
    assert words in str(raised.value)
    assert "batch_size" not in str(raised.value)


def test_error_of_a_split_that_is_kept_when_training_begins_blames_the_images(
    make_job: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from experiments.data.datasets import synthetic

    def refuse(*_: Any, **__: Any) -> None:
        raise MemoryError("Unable to allocate 3.1 TiB")

    monkeypatch.setattr(synthetic.np, "arange", refuse)
    guard = MemoryGuard(make_job(), stage="step")
    sizes: Any = {"images": 9, "classes": 2, "channels": 1, "image_size": 4}
    with (
        pytest.raises(OutOfMemoryError, match="while the images were read"),
        guard.watch(),
    ):
        synthetic.make_synthetic(seed=0, **sizes)


@pytest.mark.parametrize("wish", ["error", "accumulate"])
def test_error_of_a_network_that_is_mostly_weights_blames_the_weights(
    make_job: Any, wish: str
) -> None:
    cost: Any = SimpleNamespace(
        parameters=2_000_000_000, training_bytes=40e9, state_bytes=32e9
    )
    job = make_job(f"trainer.oom={wish}", "trainer.batch_size=13")
    with (
        pytest.raises(OutOfMemoryError) as error,
        MemoryGuard(job, cost=cost).watch(),
    ):
        raise EXHAUSTED
    assert "2,000,000,000 weights alone" in str(error.value)
    assert "take 32.0 GB. Take a smaller network" in str(error.value)


def test_other_errors_pass(make_job: Any) -> None:
    with pytest.raises(ValueError, match="odd"), MemoryGuard(make_job()).watch():
        raise ValueError("odd")


def test_micro_batches_are_halved_until_they_are_odd(
    make_job: Any, tmp_path: Path
) -> None:
    wish = "trainer.oom=accumulate"
    job = fit_to_memory(make_job(wish))
    for steps, images in ((2, 6), (4, 3)):
        with (
            pytest.raises(RestartNeeded, match=f"Restarting with {images}"),
            MemoryGuard(job).watch(),
        ):
            raise EXHAUSTED
        job = fit_to_memory(make_job(wish))
        assert job.run.trainer.accumulate_steps == steps
        assert job.resolved["trainer"]["accumulate_steps"] == steps
        assert job.run.trainer.batch_size == 12
    with (
        pytest.raises(OutOfMemoryError, match="cannot be divided any further"),
        MemoryGuard(job).watch(),
    ):
        raise EXHAUSTED
    assert (
        json.loads((tmp_path / job_files.ACCUMULATE).read_text())["accumulate_steps"]
        == 4
    )


def test_found_micro_batch_counts_only_as_long_as_it_is_wished_for(
    make_job: Any, tmp_path: Path
) -> None:
    (tmp_path / job_files.ACCUMULATE).write_text('{"accumulate_steps": 4}')
    assert fit_to_memory(make_job()).run.trainer.accumulate_steps == 1


@pytest.mark.timeout(60)
@pytest.mark.parametrize("way", WAYS)
def test_damaged_memory_is_named_with_what_to_do(
    way: str, make_job: Any, tmp_path: Path
) -> None:
    job = make_job("trainer.oom=accumulate")
    (tmp_path / job_files.ACCUMULATE).write_text('{"accumulate_steps": 4}')
    WAYS[way](tmp_path / job_files.ACCUMULATE)

    with pytest.raises(RecordError, match=r"e.json is damaged: .*\. Remove it"):
        fit_to_memory(job)


@pytest.mark.parametrize("steps", ["0", "-4", "5", "24", "1e0", "true", '"4"', "1e400"])
def test_parts_that_the_batch_does_not_have_are_refused(
    steps: str, make_job: Any, tmp_path: Path
) -> None:
    (tmp_path / job_files.ACCUMULATE).write_text(f'{{"accumulate_steps": {steps}}}')

    with pytest.raises(RecordError, match=r"accumulate.json is damaged: "):
        fit_to_memory(make_job("trainer.oom=accumulate"))
