"""Against torchvision's layout, as its file `mobilenet_v2-b0353104.pth` has it."""

import numpy as np
import pytest

from experiments.models.keras_application import build_keras_application
from experiments.weights.fit import load_into
from experiments.weights.torch_mobilenet import are_mobilenet_names, name_mobilenet

# Expansion, filters, repeats of each stage: arXiv:1801.04381, table 2.
STAGES = [
    (1, 16, 1),
    (6, 24, 2),
    (6, 32, 3),
    (6, 64, 4),
    (6, 96, 3),
    (6, 160, 3),
    (6, 320, 1),
]


def write_state() -> dict[str, np.ndarray]:
    """Returns arrays by the names and in the shapes of torchvision's network."""
    rng, state = np.random.default_rng(0), {}

    def add(conv: str, norm: str, shape: tuple[int, ...]) -> None:
        state[f"{conv}.weight"] = rng.normal(size=shape).astype("float32")
        for name in ("weight", "bias", "running_mean", "running_var"):
            state[f"{norm}.{name}"] = rng.uniform(0, 2, shape[0]).astype("float32")
        state[f"{norm}.num_batches_tracked"] = np.array(1)

    add("features.0.0", "features.0.1", (32, 3, 3, 3))
    channels, number = 32, 0
    for expansion, filters, repeats in STAGES:
        for _ in range(repeats):
            number += 1
            block, wide, place = f"features.{number}.conv", channels * expansion, 0
            if expansion > 1:
                add(f"{block}.0.0", f"{block}.0.1", (wide, channels, 1, 1))
                place = 1
            add(f"{block}.{place}.0", f"{block}.{place}.1", (wide, 1, 3, 3))
            last = f"{block}.{place + 1}"
            add(last, f"{block}.{place + 2}", (filters, wide, 1, 1))
            channels = filters
    add("features.18.0", "features.18.1", (1280, 320, 1, 1))
    state["classifier.1.weight"] = rng.normal(size=(1000, 1280)).astype("float32")
    state["classifier.1.bias"] = rng.normal(size=1000).astype("float32")
    return state


@pytest.fixture(scope="module")
def state() -> dict[str, np.ndarray]:
    return write_state()


def test_each_array_has_a_place_in_keras_network(state: dict[str, np.ndarray]) -> None:
    assert are_mobilenet_names(state)
    network = build_keras_application(
        input_shape=(32, 32, 3),
        num_classes=1000,
        architecture="MobileNetV2",
        alpha=None,
        pooling="average",
        dropout=0.0,
    )
    table = load_into(network, name_mobilenet(state))
    assert {row.state for row in table.rows} == {"loaded"}


def test_kernels_are_transposed(state: dict[str, np.ndarray]) -> None:
    named = name_mobilenet(state)
    given = state["features.2.conv.1.0.weight"]  # (channel, 1, row, column)
    kernel = named["block_1_depthwise"]["kernel"]
    assert kernel[2, 1, 5, 0] == given[5, 0, 2, 1]
    given = state["features.2.conv.2.weight"]
    assert named["block_1_project"]["kernel"][0, 0, 7, 3] == given[3, 7, 0, 0]


def test_batch_norms_answer_with_keras_epsilon_as_with_pytorchs(
    state: dict[str, np.ndarray],
) -> None:
    state = dict(state)
    state["features.0.1.running_var"] = np.geomspace(1e-7, 10, 32, dtype="float32")
    x = np.linspace(-2, 3, 32)
    name = "features.0.1."
    expected = (x - state[f"{name}running_mean"]) / np.sqrt(
        state[f"{name}running_var"] + 1e-5
    ) * state[f"{name}weight"] + state[f"{name}bias"]
    norm = name_mobilenet(state)["bn_Conv1"]
    assert (norm["moving_variance"] >= 0).all()
    found = (x - norm["moving_mean"]) / np.sqrt(norm["moving_variance"] + 1e-3)
    found = found * norm["gamma"] + norm["beta"]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_other_names_are_not_taken_for_its() -> None:
    assert not are_mobilenet_names({"features.0.weight": 0})
