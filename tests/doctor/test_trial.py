"""A loss is held against the known one, and two trainings against each other."""

from experiments.doctor.trial import KNOWN_LOSS, Trial, judge_determinism, judge_loss


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
