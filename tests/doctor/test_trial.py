"""A loss is held against the known one, and two trainings against each other."""

import subprocess

import pytest

from experiments.doctor.trial import (
    KNOWN_LOSS,
    Trial,
    judge_determinism,
    judge_loss,
    train_ten_steps,
)


def test_the_known_loss_passes_and_another_does_not():
    known = KNOWN_LOSS["tensorflow"]
    assert judge_loss(Trial(loss=1.001 * known), "tensorflow").level == "ok"
    assert judge_loss(Trial(loss=1.1 * known), "tensorflow").level == "error"


def test_a_training_that_failed_says_why():
    found = judge_loss(Trial(loss=None, output="No GPU 3."), "jax")
    assert (found.level, found.told) == ("error", "ten steps failed: No GPU 3.")


def test_determinism_is_equality_to_the_bit():
    first, other = (Trial(loss=1.0, state_sha256=digest) for digest in ("a", "b"))
    assert judge_determinism(first, first).level == "ok"
    assert judge_determinism(first, other).level == "warning"
    assert judge_determinism(first, Trial(loss=None)).level == "error"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (subprocess.TimeoutExpired("python", 600), "more than 600 s"),
        (OSError(28, "No space left on device"), "No space left on device"),
    ],
)
def test_a_training_that_cannot_be_waited_for_is_a_finding(
    monkeypatch, tmp_path, error, told
):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(subprocess, "run", fail)
    found = judge_loss(train_ten_steps([], {}, tmp_path), "tensorflow")
    assert found.level == "error"
    assert told in found.told
