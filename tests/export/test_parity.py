"""Parity is counted over every image, and nothing that is no number passes."""

import numpy as np
import pytest

from experiments.export.formats import FORMATS
from experiments.export.parity import compare_with_model
from experiments.export.runtimes import Loaded

WANTED = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
TRUTH = np.array([0, 0, -1])
BATCHES = (np.zeros((2, 1, 1, 1), np.uint8), np.full((1, 1, 1, 1), 2, np.uint8))


def compare(given, wanted=WANTED, truth=TRUTH, threshold=0.5):
    def answer(outputs):
        return lambda images: outputs[2:] if images.max() else outputs[:2]

    loaded = Loaded(form=FORMATS["onnx"], ask=answer(np.asarray(given)))
    found = compare_with_model(
        answer(wanted), [loaded], BATCHES, truth, threshold=threshold
    )
    return found["onnx"]


def test_agreement_accuracy_and_the_largest_difference():
    parity = compare([[0.9, 0.1], [0.7, 0.3], [0.6, 0.4]])
    assert parity.images == 3
    assert parity.agreement == 2 / 3
    assert (parity.model_accuracy, parity.accuracy) == (0.5, 1.0)
    assert np.isclose(parity.largest_difference, 0.5)


@pytest.mark.parametrize("threshold", [0.5, 0.0])
def test_of_several_labels_all_must_agree(threshold):
    shift = 0.5 - threshold  # of logits, so that the same ones are there
    truth = np.array([[1, 0], [0, 0], [1, 0]])
    given = np.array([[0.9, 0.6], [0.2, 0.8], [0.6, 0.4]])
    parity = compare(given - shift, WANTED - shift, truth, threshold)
    assert parity.agreement == 2 / 3
    assert (parity.model_accuracy, parity.accuracy) == (2 / 3, 1 / 3)


def test_logits_differ_in_units_of_the_largest_one():
    off_by_one = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    parity = compare(100 * WANTED + off_by_one, 100 * WANTED)
    assert np.isclose(parity.largest_difference, 1 / 90)


def test_what_is_no_number_differs_without_end():
    assert compare([[np.nan, 0.1], [0.2, 0.8], [0.6, 0.4]]).largest_difference == np.inf
