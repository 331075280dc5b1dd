import gzip
import importlib
import urllib.error

import keras
import numpy as np
import pytest

from experiments.errors import DataError

FASHION_FILES = "a folder fashion-mnist with the four published .gz files"
SETS = {
    "mnist": ((28, 28, 1), 10, "mnist.npz"),
    "fashion_mnist": (
        (28, 28, 1),
        10,
        "a folder fashion-mnist with the four published .gz files",
    ),
    "cifar10": ((32, 32, 3), 10, "cifar-10-python.tar.gz"),
    "cifar100": ((32, 32, 3), 100, "cifar-100-python.tar.gz"),
}


def load(name, **changes):
    module = importlib.import_module(f"experiments.data.datasets.{name}")
    arguments = {
        "path": None,
        "image_size": None,
        "mean": None,
        "std": None,
        "validation_fraction": 0.1,
        "split_seed": 0,
        "cache": "auto",
        "decode_threads": None,
    }
    return getattr(module, f"load_{name}")(**{**arguments, **changes})


def make_arrays(shape, classes, count):
    random = np.random.RandomState(count)
    labels = np.arange(count, dtype=np.uint8) % classes
    images = random.randint(0, 256, (count, *shape)).astype(np.uint8)
    return (images[..., 0] if shape[2] == 1 else images), labels[:, None]


def write(path, name, **changes):
    shape, classes, _ = SETS[name]
    x_train, y_train = make_arrays(shape, classes, classes * 10)
    x_test, y_test = make_arrays(shape, classes, classes)
    arrays = {"x_train": x_train, "y_train": y_train}
    arrays |= {"x_test": x_test, "y_test": y_test}
    with path.open("wb") as file:
        np.savez(file, **{**arrays, **changes})
    return path


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty Keras cache, and no network."""

    def refuse(*arguments):
        raise urllib.error.URLError("no network")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", refuse)
    monkeypatch.setattr(
        "keras.src.utils.file_utils.config.keras_home", lambda: str(tmp_path / "keras")
    )
    (tmp_path / "keras" / "datasets").mkdir(parents=True)
    return tmp_path / "keras"


@pytest.mark.parametrize("name", SETS)
def test_a_local_file_is_read(name, tmp_path):
    shape, classes, _ = SETS[name]

    data = load(name, path=str(write(tmp_path / "own.npz", name)))

    assert data.name == name
    assert data.image_shape == shape
    assert data.num_classes == len(set(data.class_names)) == classes
    counts = {split: len(part) for split, part in data.splits.items()}
    assert counts == {
        "train": classes * 9,
        "validation": classes,
        "test": classes,
    }


@pytest.mark.parametrize("name", SETS)
def test_no_validation_image_is_a_test_image(name, tmp_path):
    shape, classes, _ = SETS[name]
    expected, _ = make_arrays(shape, classes, classes)

    data = load(name, path=str(write(tmp_path / "own.npz", name)))

    np.testing.assert_array_equal(data.test.images.reshape(expected.shape), expected)
    tested = set(map(bytes, data.test.images))
    assert not tested & set(map(bytes, data.validation.images))


def test_every_class_has_its_share_of_the_validation_split(tmp_path):
    data = load("cifar100", path=str(write(tmp_path / "own.npz", "cifar100")))

    assert np.bincount(data.validation.labels).tolist() == [1] * 100


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_a_file_in_keras_cache_is_read(name, home):
    write(home / "datasets" / SETS[name][2], name)

    assert len(load(name).train) == 90


def test_the_archive_that_keras_downloaded_is_read(home):
    write(home / "datasets" / "cifar-10-batches-py-target_archive", "cifar10")

    assert len(load("cifar10").train) == 90


def test_fashion_mnist_in_keras_cache_is_read(home):
    folder = home / "datasets" / "fashion-mnist"
    folder.mkdir()
    for prefix, count in (("train", 100), ("t10k", 10)):
        images, labels = make_arrays((28, 28, 1), 10, count)
        for kind, header, array in (
            ("images-idx3", 16, images),
            ("labels-idx1", 8, labels),
        ):
            content = gzip.compress(bytes(header) + array.tobytes())
            (folder / f"{prefix}-{kind}-ubyte.gz").write_bytes(content)

    assert len(load("fashion_mnist").train) == 90


def test_what_keras_loads_is_used_when_nothing_is_cached(home, monkeypatch):
    arrays = make_arrays((28, 28, 1), 10, 100), make_arrays((28, 28, 1), 10, 10)
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: arrays)

    assert len(load("mnist").train) == 90


@pytest.mark.parametrize("name", SETS)
def test_without_cache_and_network_one_sentence_says_what_to_do(name, home):
    with pytest.raises(DataError) as caught:
        load(name)

    wanted = SETS[name][2]
    assert str(caught.value) == (
        f"{name} is neither in Keras' cache nor could it be downloaded: put {wanted} "
        f"into {home / 'datasets'}, or set dataset.path to a local copy."
    )


def test_a_path_that_does_not_exist_is_named_with_its_nearest_parent(tmp_path):
    with pytest.raises(DataError) as caught:
        load("mnist", path=str(tmp_path / "no" / "mnist.npz"))

    assert f"{tmp_path}/no/mnist.npz" in str(caught.value)
    assert f"does is {tmp_path}." in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_train": np.zeros((100, 28, 28), np.float32)}, "must be uint8.*float32"),
        ({"x_test": np.zeros((10, 14, 14), np.uint8)}, r"\(10, 14, 14, 1\).*own\.npz"),
        ({"y_train": np.zeros(99, np.uint8)}, r"one integer label an image.*own\.npz"),
        ({"y_test": np.arange(1, 11)}, r"in 0\.\.9\. Received: 1\.\.10\. .*own\.npz"),
    ],
)
def test_arrays_that_cannot_be_mnist_are_refused(tmp_path, changes, message):
    path = write(tmp_path / "own.npz", "mnist", **changes)

    with pytest.raises(DataError, match=message):
        load("mnist", path=str(path))


def test_another_image_size_is_what_the_pipeline_shall_deliver(tmp_path):
    path = write(tmp_path / "own.npz", "cifar10")

    data = load("cifar10", path=str(path), image_size=224)

    assert data.image_shape == (224, 224, 3)
    assert data.train.images.shape[1:] == (32, 32, 3)


def test_folds_are_made_of_the_published_training_set(tmp_path):
    path = write(tmp_path / "mnist.npz", "mnist")
    whole = load("mnist", path=str(path))
    folds = [load("mnist", path=str(path), folds=5, fold=n) for n in range(1, 6)]
    numbers = np.concatenate([fold.test.numbers for fold in folds])

    assert sorted(numbers.tolist()) == list(range(100))
    with np.load(path) as arrays:
        held = arrays["x_train"][folds[2].test.numbers]
    assert (folds[2].test.images[..., 0] == held).all()
    assert {fold.fingerprint.content for fold in folds} == {whole.fingerprint.content}
