"""Against Keras Applications' own network and preprocessing."""

from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras.applications import resnet

from experiments.builders.model import Images, normalise_inside
from experiments.trained.start import Start
from experiments.weights import imagenet
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


def test_weights_say_that_they_are_of_the_papers_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(imagenet, "_fetch", lambda depth: Path())
    from experiments.weights.source import Weights

    read = SimpleNamespace(weights=Weights(name="w", sha256="", layers={}))
    monkeypatch.setattr(imagenet, "read_weights", lambda path: read.weights)
    found = imagenet.read_imagenet(50)
    assert (found.variant, found.preprocessing) == ("v1", PREPROCESSINGS["caffe"])
