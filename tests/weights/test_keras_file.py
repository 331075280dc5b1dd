import json
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from experiments.errors import ExperimentError
from experiments.weights.faults import WeightsError
from experiments.weights.keras_file import read_h5, read_keras_file, read_layers


@pytest.fixture(scope="module")
def network():
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, name="first")(inputs)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dropout(0.5)(x)  # has a seed, which is no weight
    model = keras.Model(inputs, keras.layers.Dense(2, name="last")(x))
    for number, variable in enumerate(model.weights):
        variable.assign(np.full(variable.shape, number + 1))
    return model


def write_as_published(model, path: Path) -> None:
    """Writes a file as Keras Applications' are: a group a layer, `name/variable:0`."""
    with h5py.File(path, "w") as file:
        for layer in model.layers:
            group = file.create_group(layer.name)
            for variable in layer.weights:
                name = f"{layer.name}/{variable.name}:0"
                group.create_dataset(name, data=np.asarray(variable))


def as_numbers(layers) -> dict[str, list[float]]:
    return {
        layer: [float(np.ravel(array)[0]) for _, array in sorted(found.items())]
        for layer, found in layers.items()
    }


def test_layers_of_every_kind_of_file_are_those_of_the_model(
    network, tmp_path: Path
) -> None:
    """Sorted by name, in a `.weights.h5` by number, as Keras writes them."""
    outer = keras.Input((8, 8, 3))
    nested = keras.Model(outer, network(keras.layers.Rescaling(1 / 255)(outer)))
    named = {"first": [2, 1], "norm": [4, 3, 5, 6], "last": [8, 7]}
    write_as_published(network, tmp_path / "published.h5")
    assert as_numbers(read_h5(tmp_path / "published.h5")) == named
    assert as_numbers(read_layers(nested)) == named
    numbered = {"first": [1, 2], "norm": [3, 4, 5, 6], "last": [7, 8]}
    for model in (network, nested):
        model.save_weights(tmp_path / "own.weights.h5")
        assert as_numbers(read_h5(tmp_path / "own.weights.h5")) == numbered


def test_file_that_points_elsewhere_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(4000))
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        file["first"] = h5py.ExternalLink(str(secret), "/")
    assert read_h5(path) == {}
    with h5py.File(path, "w") as file:
        place = [(str(secret), 0, 4000)]
        file.create_dataset("first/kernel", (1000,), "float32", external=place)
    with pytest.raises(WeightsError, match="outside of it"):
        read_h5(path)


def test_file_that_would_grow_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset(
            "first/kernel", (10**12,), "float32", chunks=(10**6,), compression="gzip"
        )
    with pytest.raises(WeightsError, match="outside of it"):
        read_h5(path)


def test_file_that_is_cut_is_told(network, tmp_path: Path) -> None:
    path = tmp_path / "w.h5"
    write_as_published(network, path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(WeightsError, match="is damaged"):
        read_h5(path)


LAYERS = {
    "a Python lambda": (
        "keras.layers",
        "Lambda",
        {"function": {"class_name": "__lambda__", "config": {"code": "4wE="}}},
    ),
    "a program": ("os", "system", {"command": "touch touched"}),
    "a process": ("subprocess", "Popen", {"args": ["touch", "touched"]}),
    "Python": ("builtins", "exec", {"source": "open('touched', 'w')"}),
    "a download": (
        "keras.utils",
        "get_file",
        {"fname": "touched", "origin": "file:///etc/hostname", "cache_dir": "."},
    ),
    "another model": ("keras.layers", "TFSMLayer", {"filepath": "other"}),
    "an unsafe mode": ("keras.config", "enable_unsafe_deserialization", {}),
    "a part of this project": (
        "experiments.files",
        "drafting",
        {"path": "touched"},
    ),
    "a file of this machine": (
        "keras.layers",
        "StringLookup",
        {"vocabulary": "/etc/hostname"},
    ),
}


def rewrite(model, path: Path, *, layer=None, parts=None) -> None:
    """Saves a model in which a layer or a part of the file is another one."""
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        kept = {name: archive.read(name) for name in archive.namelist()}
    if layer is not None:
        module, name, config = layer
        content = json.loads(kept["config.json"])
        content["config"]["layers"][-1] |= {
            "module": module,
            "class_name": name,
            "config": {"name": "last", **config},
            "registered_name": None,
        }
        kept["config.json"] = json.dumps(content).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**kept, **(parts or {})}.items():
            archive.writestr(name, data)


@pytest.mark.parametrize("what", LAYERS)
def test_model_that_names_something_to_call_is_refused_and_calls_nothing(
    network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.chdir(tmp_path)
    rewrite(network, tmp_path / "m.keras", layer=LAYERS[what])
    with pytest.raises(ExperimentError, match=r"^m\.keras (holds code|cannot be read)"):
        read_keras_file(tmp_path / "m.keras")
    assert [path.name for path in tmp_path.rglob("*")] == ["m.keras"]


def test_lambda_of_python_is_not_run_and_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    touched, path = Path("touched"), tmp_path / "m.keras"
    touch = keras.layers.Lambda(lambda x: (__import__("os").mkdir("touched"), x)[1])
    keras.Sequential([keras.Input((4,)), touch]).save(path)
    touched.rmdir()
    with pytest.raises(ExperimentError) as refused:
        read_keras_file(path)
    assert str(refused.value).startswith("m.keras holds code, such as a Lambda layer")
    assert "safe_mode" not in str(refused.value)
    assert not touched.exists()
    keras.saving.load_model(path, safe_mode=False)  # what it would have done
    assert touched.exists()


@pytest.mark.parametrize("part", ["config.json", "model.weights.h5", "assets/x"])
def test_archive_that_would_fill_the_memory_is_refused_unread(
    network, tmp_path: Path, part: str
) -> None:
    path = tmp_path / "m.keras"
    rewrite(network, path, parts={part: bytes(3 * 10**7)})
    assert path.stat().st_size < 10**5
    with pytest.raises(ExperimentError, match="would grow to 30,"):
        read_keras_file(path)


@pytest.mark.filterwarnings("ignore:Skipping invalid path")
def test_part_with_a_path_out_of_the_archive_is_written_nowhere(
    network, tmp_path: Path
) -> None:
    path = tmp_path / "inner" / "m.keras"
    path.parent.mkdir()
    rewrite(network, path, parts={"assets/../../../out": b"x", "../out": b"x"})
    assert read_keras_file(path).name == network.name
    assert [p.name for p in tmp_path.rglob("*")] == ["inner", "m.keras"]
