"""What MLflow loads runs no code of a model's file."""

import os
import shutil
from pathlib import Path

import keras
import pytest

from experiments.serving.answering import _load_pyfunc
from experiments.serving.names import MODEL


def test_a_layer_of_code_is_not_loaded(package: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(package / "data", data)
    told = str(tmp_path / "it_ran")
    images = keras.Input((8, 8, 3), dtype="uint8")
    outputs = keras.layers.Lambda(lambda x: (os.makedirs(told, exist_ok=True), x)[1])(  # noqa: PTH103
        images
    )
    keras.Model(images, outputs).save(data / MODEL)
    shutil.rmtree(told)  # building the model has called it
    with pytest.raises(ValueError, match="safe_mode"):
        _load_pyfunc(str(data))
    assert not Path(told).exists()
