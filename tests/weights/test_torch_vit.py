"""Against a vision transformer that is written out as timm computes it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import erf, softmax

from experiments.models.vit import build_vit
from experiments.weights.fit import load_into
from experiments.weights.source import read_weights
from experiments.weights.torch_vit import are_vit_names, name_vit
from tests.weights.test_source import save_tensors
from tests.weights.torch_writer import save, save_legacy

WIDTH, DEPTH, PATCH, SIDE, CLASSES = 128, 2, 4, 8, 5
HEADS = 2  # of 64

Arrays = dict[str, np.ndarray]


@pytest.fixture
def arrays() -> Arrays:
    """As a file of timm's has them, of random numbers."""
    shapes = {
        "cls_token": (1, 1, WIDTH),
        "pos_embed": (1, 5, WIDTH),
        "patch_embed.proj.weight": (WIDTH, 3, PATCH, PATCH),
        "patch_embed.proj.bias": (WIDTH,),
        "norm.weight": (WIDTH,),
        "norm.bias": (WIDTH,),
        "head.weight": (CLASSES, WIDTH),
        "head.bias": (CLASSES,),
    }
    linears = {
        "attn.qkv": (3 * WIDTH, WIDTH),
        "attn.proj": (WIDTH, WIDTH),
        "mlp.fc1": (4 * WIDTH, WIDTH),
        "mlp.fc2": (WIDTH, 4 * WIDTH),
    }
    for number in range(DEPTH):
        for part, shape in linears.items():
            shapes[f"blocks.{number}.{part}.weight"] = shape
            shapes[f"blocks.{number}.{part}.bias"] = shape[:1]
        for part in ("norm1", "norm2"):
            shapes[f"blocks.{number}.{part}.weight"] = (WIDTH,)
            shapes[f"blocks.{number}.{part}.bias"] = (WIDTH,)
    generator = np.random.default_rng(0)
    return {n: generator.normal(0, 0.1, s).astype("float32") for n, s in shapes.items()}


def compute(arrays: Arrays, images: np.ndarray) -> np.ndarray:
    """Returns the logits of images (B, H, W, C), as timm's forward does."""

    def linear(x: np.ndarray, name: str) -> np.ndarray:
        return x @ arrays[f"{name}.weight"].T + arrays[f"{name}.bias"]

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt(x.var(-1, keepdims=True) + 1e-6)
        return scaled * arrays[f"{name}.weight"] + arrays[f"{name}.bias"]

    def attend(x: np.ndarray, name: str) -> np.ndarray:
        batch, count, _ = x.shape
        qkv = linear(x, f"{name}.qkv").reshape(batch, count, 3, HEADS, WIDTH // HEADS)
        q, k, v = qkv.transpose(2, 0, 3, 1, 4)
        weights = softmax(q @ k.swapaxes(-2, -1) / np.sqrt(WIDTH // HEADS), axis=-1)
        return linear((weights @ v).swapaxes(1, 2).reshape(x.shape), f"{name}.proj")

    batch, cells = len(images), SIDE // PATCH
    patches = images.reshape(batch, cells, PATCH, cells, PATCH, 3)
    patches = patches.transpose(0, 1, 3, 5, 2, 4).reshape(batch, cells**2, -1)
    kernel = arrays["patch_embed.proj.weight"].reshape(WIDTH, -1)
    x = patches @ kernel.T + arrays["patch_embed.proj.bias"]
    token = np.broadcast_to(arrays["cls_token"], (batch, 1, WIDTH))
    x = np.concatenate([token, x], axis=1) + arrays["pos_embed"]
    for number in range(DEPTH):
        name = f"blocks.{number}"
        x = x + attend(norm(x, f"{name}.norm1"), f"{name}.attn")
        h = linear(norm(x, f"{name}.norm2"), f"{name}.mlp.fc1")
        x = x + linear(h * (1 + erf(h / np.sqrt(2))) / 2, f"{name}.mlp.fc2")
    return linear(norm(x, "norm")[:, 0], "head")


def build() -> Any:
    return build_vit(
        input_shape=(SIDE, SIDE, 3),
        num_classes=CLASSES,
        patch_size=PATCH,
        width=WIDTH,
        depth=DEPTH,
        heads=HEADS,
        mlp_ratio=4.0,
        pooling="class_token",
        dropout=0.0,
        stochastic_depth=0.0,
    )


@pytest.mark.parametrize(
    ("write", "suffix"),
    [(save, "pth"), (save_legacy, "pth"), (save_tensors, "safetensors")],
)
def test_network_answers_as_timms_with_its_file(
    arrays: Arrays,
    images: np.ndarray,
    tmp_path: Path,
    write: Callable[[Path, Arrays], None],
    suffix: str,
) -> None:
    path = tmp_path / f"vit_mini_patch4_8.{suffix}"
    write(path, arrays)
    weights = read_weights(path)
    assert weights.preprocessing is None  # the file does not tell
    network = build()
    table = load_into(network, weights.layers)
    assert {row.state for row in table.rows} == {"loaded"}
    expected = compute(arrays, images.astype("float64"))
    np.testing.assert_allclose(network(images), expected, rtol=1e-4, atol=1e-5)


def test_names_are_known_and_what_has_no_place_keeps_its_own(arrays: Arrays) -> None:
    assert are_vit_names(arrays)
    assert not are_vit_names({"pos_embed": 0})
    found = name_vit({"blocks.0.ls1.gamma": np.ones(3)})
    assert list(found) == ["blocks.0.ls1"]
