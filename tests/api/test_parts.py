"""Single parts of an experiment are those of its job."""

from pathlib import Path

import keras
import numpy as np
import pytest

from experiments.api.parts import build_dataset, build_model, build_pipelines
from experiments.data.split import ArraySplit
from experiments.errors import DataError, DeviceError
from tests.api.conftest import small

pytestmark = pytest.mark.usefixtures("here")


def test_model_has_the_weights_of_its_seed(here: Path) -> None:
    config = small(output_dir=here)
    one, two = build_model(config), build_model(config)
    other = build_model(config.with_overrides(["seed=1"]), build_dataset(config))
    for weight, same in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, same)
    pairs = zip(one.get_weights(), other.get_weights(), strict=True)
    assert any(not np.array_equal(*pair) for pair in pairs)
    assert one.optimizer.learning_rate is not None


def test_precision_of_the_process_stays(here: Path) -> None:
    keras.config.set_dtype_policy("float64")
    try:
        model = build_model(small(output_dir=here))
        assert keras.config.dtype_policy().name == "float64"
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.output.dtype == "float32"


def test_pipelines_give_the_batches_of_the_job_from_any_step_on(here: Path) -> None:
    pipelines = build_pipelines(small(output_dir=here))
    assert pipelines.steps_per_epoch == 2
    first = list(pipelines.train_from(0).take(3).as_numpy_iterator())
    (later,) = pipelines.train_from(2).take(1).as_numpy_iterator()
    np.testing.assert_array_equal(first[2][0], later[0])
    assert first[0][0].shape == (8, 16, 16, 3)


def test_data_set_of_a_config_or_of_parts(here: Path) -> None:
    data = build_dataset(small(output_dir=here))
    assert (data.num_classes, data.image_shape) == (10, (16, 16, 3))
    images = np.zeros((4, 8, 8, 1), "uint8")
    split = ArraySplit(images, np.array([0, 1, 0, 1], "int32"))
    own = build_dataset(
        name="own",
        class_names=["a", "b"],
        image_shape=(8, 8, 1),
        train=split,
        validation=split,
        mean=[0.5],
        std=[0.5],
    )
    assert own.splits["train"] is split
    with pytest.raises(TypeError, match=r"not both\. Received beside a config: name"):
        build_dataset(small(output_dir=here), name="x")  # type: ignore[call-overload]
    with pytest.raises(DataError):
        build_dataset(
            name="own",
            class_names=["a"],
            image_shape=(8, 8, 1),
            train=split,
            validation=split,
        )


def test_device_that_is_not_there_is_told(here: Path) -> None:
    with pytest.raises(DeviceError, match="gpu=0 asks for a GPU that does not exist"):
        build_model(small("gpu=0", output_dir=here))
