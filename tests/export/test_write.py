"""What keeps a file from being written is told as what it is."""

import errno
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from experiments.errors import ExperimentError
from experiments.export.formats import FORMATS
from experiments.export.write import write_format


class Network:
    """Fails at its export as it is told to."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def export(self, path: str, **options: Any) -> None:
        raise self.error


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        tf.errors.ResourceExhaustedError(None, None, "x; No space left on device"),
    ],
)
def test_a_full_disk_is_no_fault_of_the_model(error: Exception, tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"full: model\.onnx does not fit"):
        write_format(Network(error), FORMATS["onnx"], tmp_path / "model.onnx")


def test_what_a_converter_refuses_is_told_in_its_words(tmp_path: Path) -> None:
    network = Network(NotImplementedError("No operation\nfor that."))
    with pytest.raises(
        ExperimentError,
        match=r"onnx cannot hold this model: NotImplementedError: No operation for",
    ):
        write_format(network, FORMATS["onnx"], tmp_path / "model.onnx")
