"""Heat maps are what their papers say, in models of every make."""

import os
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from scipy.special import softmax

from experiments.builders.model import Images, normalise_inside
from experiments.errors import ExperimentError
from experiments.evaluation.explaining.heat_maps import HeatMaps, make_heat_maps
from tests.conftest import ROOT
from tests.models.conftest import build_small, randomize_weights

# Keras 3.15 saves TensorFlow's variables through numpy's old `__array__` protocol.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)

SIZE = 16
IMAGES = np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE, 3)).astype("uint8")


def in_front(network: Any, channels: int = 3) -> Any:
    """Returns a network as it is trained: of uint8 images, nested in another model."""
    facts = Images(
        class_names=tuple("abcde"),
        image_shape=(SIZE, SIZE, channels),
        mean=(0.4,) * channels,
        std=(0.25,) * channels,
    )
    randomize_weights(network)
    return normalise_inside(network, facts)


def build_residual(*keys: str, channels: int = 3) -> Any:
    return in_front(build_small(*keys, image=(SIZE, SIZE, channels)), channels)


def build_head(*head: Any) -> Any:
    """Returns a convolution and a head in a model in a model in a model."""
    inside = keras.Sequential([layers.Conv2D(6, 3, activation="relu")], name="inside")
    around = keras.Sequential([keras.Input((SIZE, SIZE, 3)), inside], name="around")
    inputs = keras.Input((SIZE, SIZE, 3))
    return in_front(keras.Model(inputs, keras.Sequential(head)(around(inputs))))


def last_dense(model: Any) -> Any:
    return model.layers[-1].layers[-1]


def check_exact(found: HeatMaps, model: Any) -> None:
    """The class's weights times the maps: their mean and the bias are the score."""
    dense = last_dense(model)
    bias = np.asarray(dense.bias)[found.classes]
    scores = found.scores[np.arange(len(found.classes)), found.classes]
    np.testing.assert_allclose(
        found.activations.mean(axis=(1, 2)) + bias, scores, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize(
    "keys",
    [
        ("variant=v1",),
        ("variant=v1_5", "block=bottleneck"),
        ("variant=v2",),
        ("variant=v1", "stem=imagenet", "shortcut=B"),
        ("variant=v1", "shortcut=none", "dropout=0.5"),
        ("variant=v1", "shortcut=A", "activation=silu"),
    ],
    ids=" ".join,
)
def test_cam_adds_up_to_the_score_and_grad_cam_is_proportional(
    keys: tuple[str, ...],
) -> None:
    model = build_residual(*keys)
    exact = make_heat_maps(model, IMAGES, [0, 3, 4])
    assert exact.method == "cam"
    np.testing.assert_allclose(
        exact.scores, np.asarray(model(IMAGES)), rtol=1e-4, atol=1e-4
    )
    check_exact(exact, model)
    other = make_heat_maps(model, IMAGES, [0, 3, 4], method="grad_cam")
    assert other.method == "grad_cam"
    places = exact.activations[0].size
    np.testing.assert_allclose(
        other.activations * places, exact.activations, rtol=1e-3, atol=1e-4
    )
    np.testing.assert_allclose(other.maps, exact.maps, atol=1e-3)


def pool_by_two(maps: Any) -> Any:
    """Returns the means of 2 x 2 places, flattened."""
    count, height, width, channels = maps.shape
    blocks = maps.reshape(count, height // 2, 2, width // 2, 2, channels)
    return blocks.mean(axis=(2, 4)).reshape(count, -1)


@pytest.mark.parametrize(
    ("head", "pool"),
    [("notebook", pool_by_two), ("max", lambda maps: maps.max(axis=(1, 2)))],
    ids=["notebook", "max"],
)
def test_other_heads_have_grad_cam_by_its_formula(head: str, pool: Any) -> None:
    """Its gradient by finite differences: near the maps these heads are linear."""
    model = build_residual(f"head={head}", "variant=v1")
    found = make_heat_maps(model, IMAGES[:1], [2])
    assert found.method == "grad_cam"
    network = model.layers[-1]
    kinds = [type(layer).__name__ for layer in network.layers]
    last = max(number for number, kind in enumerate(kinds) if "Pooling" in kind)
    upto = keras.Model(network.inputs, network.layers[last].input)
    maps = np.asarray(upto(model.layers[1](IMAGES[:1])), "float64")[0]
    kernel = np.asarray(last_dense(model).kernel, "float64")

    def score(maps: Any) -> Any:
        return (pool(maps) @ kernel)[:, 2]

    step = 1e-6
    moved = maps + step * np.eye(maps.size).reshape(-1, *maps.shape)
    gradient = (score(moved) - score(maps[None])) / step
    weights = gradient.reshape(maps.shape).mean(axis=(0, 1))
    expected = maps @ weights
    assert found.activations.shape[1:] == maps.shape[:2]
    np.testing.assert_allclose(
        found.activations[0], expected, atol=1e-4 * abs(expected).max()
    )


HEADS: dict[str, tuple[str, list[Any]]] = {
    "average, dense": ("cam", [layers.GlobalAveragePooling2D(), layers.Dense(5)]),
    "dropout, softmax inside": (
        "cam",
        [
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.5),
            layers.Dense(5, activation="softmax"),
        ],
    ),
    "softmax layer": (
        "cam",
        [layers.GlobalAveragePooling2D(), layers.Dense(5), layers.Softmax()],
    ),
    "softmax, cast": (
        "cam",
        [
            layers.GlobalAveragePooling2D(),
            layers.Dense(5),
            layers.Activation("softmax"),
            layers.Activation("linear", dtype="float32"),
        ],
    ),
    "two dense layers": (
        "grad_cam",
        [
            layers.GlobalAveragePooling2D(),
            layers.Dense(7, activation="relu"),
            layers.Dense(5),
        ],
    ),
    "flattened": ("grad_cam", [layers.Flatten(), layers.Dense(5)]),
    "maximum": ("grad_cam", [layers.GlobalMaxPooling2D(), layers.Dense(5)]),
    "convolution for dense": (
        "grad_cam",
        [
            layers.GlobalAveragePooling2D(keepdims=True),
            layers.Conv2D(5, 1),
            layers.Reshape((5,)),
            layers.Softmax(),
        ],
    ),
}


def compute_logits(model: Any) -> np.ndarray:
    """Returns scores by the logarithm of what a softmax gave, but for a constant."""
    given = np.asarray(model(IMAGES), "float64")
    is_shares = np.allclose(given.sum(axis=1), 1, atol=1e-5) and (given >= 0).all()
    scores = np.log(given) if is_shares else given
    return np.asarray(scores - scores.mean(axis=1, keepdims=True))


@pytest.mark.parametrize("name", HEADS)
def test_the_head_decides_on_the_method(name: str) -> None:
    expected, head = HEADS[name]
    model = build_head(*head)
    found = make_heat_maps(model, IMAGES)
    assert found.method == expected
    centred = found.scores - found.scores.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(centred, compute_logits(model), atol=1e-3)
    assert found.classes.tolist() == found.scores.argmax(axis=1).tolist()
    assert found.maps.shape == IMAGES.shape[:3]
    assert ((found.maps >= 0) & (found.maps <= 1)).all()
    np.testing.assert_array_equal(found.maps.max(axis=(1, 2)), 1)


def test_a_softmax_changes_no_map() -> None:
    plain, soft = (
        make_heat_maps(build_head(*HEADS[name][1]), IMAGES, [4, 4, 4])
        for name in ("average, dense", "softmax layer")
    )
    np.testing.assert_allclose(plain.activations, soft.activations, atol=1e-4)


def test_maps_of_classes_themselves_are_found_again() -> None:
    """A convolution to a map a class, then their means: the gradient is 1 / places."""
    model = build_head(
        layers.Conv2D(5, 1, name="maps"), layers.GlobalAveragePooling2D()
    )
    found = make_heat_maps(model, IMAGES, [1, 1, 1])
    _, around, head = model.layers[-1].layers
    maps = np.asarray(head.layers[0](around(model.layers[1](IMAGES))))[..., 1]
    places = maps[0].size
    np.testing.assert_allclose(found.activations * places, maps, atol=1e-3)


@pytest.fixture
def half_precision() -> Iterator[None]:
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.usefixtures("half_precision")
def test_networks_in_half_precision_have_the_maps_of_float32() -> None:
    for head in ("average", "notebook"):
        model = build_residual("variant=v1", f"head={head}")
        found = make_heat_maps(model, IMAGES, [0, 1, 2])
        assert found.scores.dtype == found.maps.dtype == np.float32
        keras.config.set_dtype_policy("float32")
        plain = make_heat_maps(
            build_residual("variant=v1", f"head={head}"), IMAGES, [0, 1, 2]
        )
        keras.config.set_dtype_policy("mixed_bfloat16")
        assert found.method == plain.method
        largest = abs(plain.activations).max()
        np.testing.assert_allclose(
            found.activations, plain.activations, atol=0.05 * largest
        )


def test_one_channel_and_one_image() -> None:
    model = build_residual("variant=v2", channels=1)
    found = make_heat_maps(model, IMAGES[:1, ..., :1])
    check_exact(found, model)
    assert found.maps.shape == (1, SIZE, SIZE)


def test_a_class_that_nothing_speaks_for_has_an_empty_map() -> None:
    model = build_head(*HEADS["average, dense"][1])
    dense = model.layers[-1].layers[-1].layers[-1]
    kernel = np.asarray(dense.kernel).copy()
    kernel[:, 2] = -abs(kernel[:, 2])  # of maps behind a ReLU
    dense.kernel.assign(kernel)
    for method in ("cam", "grad_cam"):
        found = make_heat_maps(model, IMAGES, [2, 2, 2], method=method)
        assert (found.activations <= 0).all()
        assert (found.maps == 0).all()


def test_what_rounding_leaves_is_no_heat() -> None:
    """The second channel is a third of the first, and is weighted three times."""
    model = build_head(*HEADS["average, dense"][1])
    inside = model.layers[-1].layers[1].layers[0].layers[0]
    dense = model.layers[-1].layers[-1].layers[-1]
    kernel, weights = (np.asarray(each.kernel).copy() for each in (inside, dense))
    kernel[..., 1] = kernel[..., 0] / 3
    weights[:, 2] = 0
    weights[:2, 2] = 0.1, -0.3
    inside.kernel.assign(kernel)
    inside.bias.assign(np.zeros(6))
    dense.kernel.assign(weights)
    for method in ("cam", "grad_cam"):
        found = make_heat_maps(model, IMAGES, [2, 2, 2], method=method)
        assert (found.activations > 0).any()
        assert (found.maps == 0).all()


def test_many_images_have_the_maps_that_each_has_alone() -> None:
    model = build_residual("head=max", "variant=v1")
    many = np.concatenate([IMAGES] * 6)  # more than are computed at once
    classes = [0, 1, 2] * 6
    found = make_heat_maps(model, many, classes)
    alone = make_heat_maps(model, IMAGES[1:2], [1])
    assert found.maps.shape == (18, SIZE, SIZE)
    np.testing.assert_allclose(found.maps[16], alone.maps[0], atol=1e-4)


def test_a_saved_model_has_the_maps_of_the_model_itself(tmp_path: Path) -> None:
    for keys in (("head=notebook", "variant=v1"), ("variant=v2",)):
        model = build_residual(*keys)
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
        one, other = (make_heat_maps(each, IMAGES) for each in (model, loaded))
        assert one.method == other.method
        np.testing.assert_allclose(one.maps, other.maps, atol=1e-4)


def test_keras_applications_inside_of_a_model() -> None:
    inputs = keras.Input((SIZE, SIZE, 3))
    larger = keras.layers.UpSampling2D(4)(inputs)  # 64: the last maps are 2 x 2
    base = keras.applications.MobileNetV2(
        (64, 64, 3), alpha=0.35, weights=None, classes=5
    )
    model = in_front(keras.Model(inputs, base(larger)))
    found = make_heat_maps(model, IMAGES[:2])
    assert found.method == "cam"
    assert found.activations.shape == (2, 2, 2)
    dense = base.layers[-1]
    scores = found.activations.mean(axis=(1, 2)) + np.asarray(dense.bias)[found.classes]
    given = np.asarray(model(IMAGES[:2]))
    np.testing.assert_allclose(
        softmax(found.scores, axis=1), given, rtol=1e-3, atol=1e-5
    )
    np.testing.assert_allclose(scores, found.scores.max(axis=1), rtol=1e-4)


def test_a_layer_that_is_called_twice_counts_where_it_was_last() -> None:
    inputs = keras.Input((SIZE, SIZE, 3))
    shared = layers.Conv2D(3, 3, padding="same", activation="relu")
    x = layers.GlobalAveragePooling2D()(shared(shared(inputs)))
    model = in_front(keras.Model(inputs, layers.Dense(5)(x)))
    exact = make_heat_maps(model, IMAGES, [0, 1, 2])
    other = make_heat_maps(model, IMAGES, [0, 1, 2], method="grad_cam")
    check_exact(exact, model)
    np.testing.assert_allclose(
        other.activations * SIZE**2, exact.activations, rtol=1e-3, atol=1e-4
    )


def test_scores_without_a_gradient_have_empty_maps() -> None:
    inputs = keras.Input((SIZE, SIZE, 3))
    pooled = layers.GlobalMaxPooling2D()(layers.Conv2D(3, 3)(inputs))
    model = in_front(
        keras.Model(inputs, layers.Dense(5)(keras.ops.stop_gradient(pooled)))
    )
    found = make_heat_maps(model, IMAGES)
    assert found.method == "grad_cam"
    assert (found.maps == 0).all()


class Squared(keras.Model):
    """Between its maps and their pooling there is what no layer does."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = layers.Conv2D(4, 3, activation="relu")
        self.pool = layers.GlobalAveragePooling2D()
        self.dense = layers.Dense(5)

    def call(self, images: Any) -> Any:
        """Returns five scores."""
        return self.dense(self.pool(self.maps(images) ** 2))


def test_cam_is_not_believed_where_the_maps_do_not_add_up() -> None:
    model = Squared()
    images = IMAGES / np.float32(128)
    model(images)
    randomize_weights(model)
    found = make_heat_maps(model, images, [0, 1, 2])
    assert found.method == "grad_cam"
    maps = np.asarray(model.maps(images))  # d score / d map = 2 map weight / places
    weights = 2 * maps.mean(axis=(1, 2)) * np.asarray(model.dense.kernel)[:, :3].T
    expected = np.einsum("nhwk,nk->nhw", maps, weights) / maps[0, ..., 0].size
    np.testing.assert_allclose(found.activations, expected, rtol=1e-3, atol=1e-5)


def test_the_network_of_the_example_has_exact_maps() -> None:
    place = ROOT / "examples" / "own_components" / "my_components" / "model.py"
    build_my_net = runpy.run_path(str(place))["build_my_net"]
    model = in_front(
        build_my_net(input_shape=(SIZE, SIZE, 3), num_classes=5, width=4, blocks=2)
    )
    found = make_heat_maps(model, IMAGES)
    assert found.method == "cam"
    assert found.activations.shape == (3, 4, 4)
    check_exact(found, model)


def test_a_model_without_maps_is_told_in_a_sentence() -> None:
    model = keras.Sequential(
        [keras.Input((SIZE, SIZE, 3)), layers.Flatten(), layers.Dense(5)], name="flat"
    )
    with pytest.raises(ExperimentError, match=r"flat has no maps of its images: .*"):
        make_heat_maps(model, IMAGES)


def test_cam_is_refused_where_it_would_not_be_exact() -> None:
    model = build_head(*HEADS["two dense layers"][1])
    with pytest.raises(ExperimentError, match=r"has GlobalAveragePooling2D, Dense, De"):
        make_heat_maps(model, IMAGES, method="cam")


def draw_squares(count: int, seed: int) -> tuple[Any, Any, Any]:
    """Returns grey noise, in every second image a bright square, and where it is."""
    generator = np.random.default_rng(seed)
    images = generator.integers(60, 120, (count, 24, 24, 3)).astype("uint8")
    corners = generator.integers(0, 17, (count, 2))
    inside = np.zeros((count, 24, 24), bool)
    for number, (top, left) in enumerate(corners.tolist()):
        inside[number, top : top + 8, left : left + 8] = True
    labels = np.arange(count) % 2
    images[inside & (labels == 1)[:, None, None]] += 100
    return images, labels, inside


@pytest.mark.parametrize("pool", ["average", "maximum"])
def test_the_map_of_a_trained_model_is_on_what_it_was_trained_to_see(pool: str) -> None:
    keras.utils.set_random_seed(0)
    images, labels, inside = draw_squares(256, 0)
    average = pool == "average"
    model = keras.Sequential(
        [
            keras.Input((24, 24, 3), dtype="uint8"),
            layers.Rescaling(1 / 64, -1.5),
            layers.Conv2D(8, 5, 2, padding="same", activation="relu"),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            (layers.GlobalAveragePooling2D if average else layers.GlobalMaxPooling2D)(),
            layers.Dense(2),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    model.fit(images, labels, epochs=8, batch_size=32, verbose=0)
    images, labels, inside = draw_squares(40, 1)
    assert model.evaluate(images, labels, verbose=0)[1] > 0.9
    squares = labels == 1
    found = make_heat_maps(model, images[squares], [1] * 20)
    assert found.method == ("cam" if average else "grad_cam")
    energy = found.maps.sum(axis=(1, 2))
    assert (energy > 0).mean() > 0.9
    within = (found.maps * inside[squares]).sum(axis=(1, 2))[energy > 0]
    shares = within / energy[energy > 0]
    area = inside[0].mean()
    assert (shares > 2 * area).mean() > 0.9
    assert shares.mean() > 3 * area


ON_JAX = """
import sys
import numpy as np
from experiments.evaluation.explaining.heat_maps import make_heat_maps
from tests.models.conftest import build_small, randomize_weights

images = np.random.default_rng(0).normal(size=(3, 8, 8, 3)).astype("float32")
found = []
for head, method in [("average", "cam"), ("average", "grad_cam"), ("max", "auto")]:
    model = build_small("variant=v2", "blocks=[1,1]", f"head={head}")
    randomize_weights(model)
    found.append(make_heat_maps(model, images, [0, 3, 4], method=method).activations)
assert "tensorflow" not in sys.modules
np.save(sys.argv[1], found)
"""


def test_jax_makes_the_maps_that_tensorflow_makes(tmp_path: Path) -> None:
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(ROOT)}
    path = tmp_path / "maps.npy"
    code = [sys.executable, "-c", ON_JAX, str(path)]
    subprocess.run(code, check=True, env=environment, cwd=ROOT)
    cam, grad_cam, other = np.load(path)
    images = np.random.default_rng(0).normal(size=(3, 8, 8, 3)).astype("float32")
    np.testing.assert_allclose(grad_cam * cam[0].size, cam, rtol=1e-3, atol=1e-4)
    for head, on_jax in [("average", cam), ("max", other)]:
        model = build_small("variant=v2", "blocks=[1,1]", f"head={head}")
        randomize_weights(model)
        found = make_heat_maps(model, images, [0, 3, 4]).activations
        np.testing.assert_allclose(found, on_jax, rtol=1e-3, atol=1e-4)
