"""Against Keras Applications' own network and preprocessing."""

from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras.applications import mobilenet_v2, resnet
from keras.src.utils import file_utils

from experiments.builders.model import Images, normalise_inside
from experiments.models.keras_application import build_keras_application
from experiments.trained.start import Start
from experiments.weights import imagenet
from experiments.weights.applications import name_as_built
from experiments.weights.faults import WeightsError
from experiments.weights.preprocessing import PREPROCESSINGS
from tests.models.conftest import build_option, randomize_weights, relative_error
from tests.weights.test_keras_file import write_as_published

FILE = "resnet{}_weights_tf_dim_ordering_tf_kernels.h5"


@pytest.mark.parametrize(
    ("depth", "modes"),
    [
        (50, (False, True)),
        pytest.param(101, (False,), marks=pytest.mark.slow),
        pytest.param(152, (False,), marks=pytest.mark.slow),
    ],
)
def test_network_answers_as_keras_applications_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, depth: int, modes: tuple[bool, ...]
) -> None:
    """With weights out of a file like Keras', and its preprocessing of plain images."""
    shape = (64, 64, 3)
    reference = getattr(keras.applications, f"ResNet{depth}")(
        weights=None, input_shape=shape, classes=10, classifier_activation=None
    )
    randomize_weights(reference)
    path = tmp_path / FILE.format(depth)
    write_as_published(reference, path)
    asked: list[tuple[str, str]] = []

    def get_file(name: str, address: str, **options: str) -> str:
        asked.append((name, options["file_hash"]))
        return str(path)

    monkeypatch.setattr(keras.utils, "get_file", get_file)
    weights = imagenet.read_imagenet(depth)
    assert asked[0][0] == FILE.format(depth)
    network = build_option(
        f"resnet{depth}", "variant=v1", "stem=imagenet", "bn_momentum=0.99", image=shape
    )
    table = Start(weights=weights).put_into(network)
    assert table.share == 1
    known = PREPROCESSINGS["caffe"]
    names = tuple("0123456789")
    images = Images(
        class_names=names, image_shape=shape, mean=known.mean, std=known.std
    )
    model = normalise_inside(network, images)
    pixels = np.random.default_rng(1).integers(0, 256, (4, *shape)).astype("uint8")
    prepared = resnet.preprocess_input(pixels.astype("float32"))
    for training in modes:
        expected = reference(prepared, training=training)
        assert relative_error(model(pixels, training=training), expected) < 1e-4


def test_without_a_network_a_sentence_says_what_to_fetch_and_where_to_put_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*given: str, **options: str) -> None:
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.utils, "get_file", fail)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(WeightsError) as caught:
        imagenet.read_imagenet(101)
    told = str(caught.value)
    from keras.src.applications.resnet import BASE_WEIGHTS_PATH

    file = FILE.format(101)
    assert told == (
        f"{file} could not be downloaded. Fetch {BASE_WEIGHTS_PATH}{file} where there "
        f"is a network and put it into {tmp_path / 'models'} (MD5 "
        "f1aeb4b969a6efcfb50fad2f0c20cfc5)."
    )


def test_any_architecture_begins_with_what_keras_puts_into_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = keras.applications.MobileNetV2(
        weights=None, alpha=0.35, classifier_activation=None
    )
    randomize_weights(reference)
    path = tmp_path / "published.weights.h5"
    reference.save_weights(path)
    monkeypatch.setattr(file_utils, "get_file", lambda *given, **options: str(path))
    weights = imagenet.read_application("MobileNetV2", 0.35)
    assert weights.preprocessing == PREPROCESSINGS["tf"]
    assert weights.name.endswith("_0.35_224.h5")
    network = build_keras_application(
        input_shape=(64, 64, 3),
        num_classes=1000,
        architecture="MobileNetV2",
        alpha=0.35,
        pooling="average",
        dropout=0.0,
    )
    assert Start(weights=weights, names=name_as_built).put_into(network).share == 1
    smaller = keras.applications.MobileNetV2(
        weights=None, alpha=0.35, classifier_activation=None, input_shape=(64, 64, 3)
    )
    smaller.set_weights(reference.get_weights())
    pixels = np.random.default_rng(1).integers(0, 256, (2, 64, 64, 3))
    expected = smaller(mobilenet_v2.preprocess_input(pixels.astype("float32")))
    assert relative_error(network(pixels / 127.5 - 1.0), expected) < 1e-4


@pytest.mark.parametrize(
    ("architecture", "alpha", "told"),
    [
        (
            "MobileNetV2",
            0.35,
            "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224.h5 could not be "
            "downloaded. Fetch https://storage.googleapis.com/tensorflow/keras-"
            "applications/mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_"
            "0.35_224.h5 where there is a network and put it into {folder}.",
        ),
        (
            "MobileNetV3Small",
            None,
            "weights_mobilenet_v3_small_224_1.0_float.h5 could not be downloaded. "
            "Fetch https://storage.googleapis.com/tensorflow/keras-applications/"
            "mobilenet_v3/weights_mobilenet_v3_small_224_1.0_float.h5 where there is a "
            "network and put it into {folder} (MD5 8768d4c2e7dee89b9d02b2d03d65d862).",
        ),
    ],
)
def test_of_any_architecture_a_sentence_says_what_to_fetch(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    architecture: str,
    alpha: float | None,
    told: str,
) -> None:
    def fail(*given: str, **options: str) -> None:
        raise Exception("URL fetch failure")

    monkeypatch.setattr(file_utils, "get_file", fail)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(WeightsError) as caught:
        imagenet.read_application(architecture, alpha)
    assert str(caught.value) == told.format(folder=tmp_path / "models")
    assert file_utils.get_file is fail  # what Keras had is there again


def test_weights_say_that_they_are_of_the_papers_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(imagenet, "_fetch", lambda depth: Path())
    from experiments.weights.source import Weights

    read = SimpleNamespace(weights=Weights(name="w", sha256="", layers={}))
    monkeypatch.setattr(imagenet, "read_weights", lambda path: read.weights)
    found = imagenet.read_imagenet(50)
    assert (found.variant, found.preprocessing) == ("v1", PREPROCESSINGS["caffe"])
