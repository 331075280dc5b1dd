from typing import Any

import keras
import numpy as np
import pytest

from experiments.builders.model import Images, build_model
from experiments.errors import ConfigError, ExperimentError
from experiments.evaluation.explaining.heat_maps import make_heat_maps
from experiments.models.cost import measure_cost
from experiments.models.freezing import freeze_layers
from experiments.models.layer_rates import find_rate_factors
from experiments.models.stages import list_layers, list_stages
from experiments.models.vit import HEAD, build_vit
from experiments.runtime.devices import Devices

SMALL = ("model.width=16", "model.depth=2", "model.heads=2")


def build(image: int = 8, channels: int = 3, **keys: Any) -> Any:
    options: dict[str, Any] = {
        "patch_size": 4,
        "width": 16,
        "depth": 3,
        "heads": 2,
        "mlp_ratio": 2.0,
        "pooling": "class_token",
        "dropout": 0.0,
        "stochastic_depth": 0.0,
        **keys,
    }
    shape = (image, image, channels)
    return build_vit(input_shape=shape, num_classes=5, **options)


def take(seed: int = 1, count: int = 4) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return generator.normal(size=(count, 8, 8, 3)).astype("float32")


@pytest.mark.parametrize(
    ("option", "parameters"),
    [  # timm's vit_tiny, vit_small and vit_base_patch16_224
        ("vit_tiny", 5_717_416),
        pytest.param("vit_small", 22_050_664, marks=pytest.mark.slow),
        pytest.param("vit_base", 86_567_656, marks=pytest.mark.slow),
    ],
)
def test_parameters_are_the_published_ones(
    check: Any, option: str, parameters: int
) -> None:
    run = check(
        f"model={option}", "dataset=synthetic_small", "dataset.image_size=224"
    ).run
    arguments = run.model.arguments()
    network = build_vit(input_shape=(224, 224, 3), num_classes=1000, **arguments)
    assert network.count_params() == parameters


def test_it_takes_a_training_step(check: Any) -> None:
    run = check(
        "model=vit",
        *SMALL,
        "model.stochastic_depth=0.5",
        "model.dropout=0.1",
        "dataset=synthetic_small",
        "dataset.image_size=8",
    ).run
    images = Images(
        class_names=("one", "two"),
        image_shape=(8, 8, 3),
        mean=(0.5,) * 3,
        std=(0.25,) * 3,
    )
    model = build_model(run, images, steps_per_epoch=1, devices=Devices(()))
    before = [np.array(variable) for variable in model.trainable_variables]
    pixels = np.random.default_rng(1).integers(0, 256, (16, 8, 8, 3))
    model.train_on_batch(pixels.astype("uint8"), np.arange(16) % 2)
    changed = [
        not np.array_equal(old, new)
        for old, new in zip(before, model.trainable_variables, strict=True)
    ]
    # A bias of all keys changes no weight of attention.
    names = [v.path for v in model.trainable_variables]
    idle = [n for n, c in zip(names, changed, strict=True) if not c]
    assert all(name.endswith("key/bias") for name in idle)
    assert not measure_cost(model, batch_size=4, precision="float32").uncounted_layers


def test_places_of_patches_count_by_what_was_learnt_of_them_alone() -> None:
    """Without positions, patches that change places give the same class token."""
    network, images = build(), take()
    swapped = np.concatenate([images[:, 4:], images[:, :4]], axis=1)
    logits = np.asarray(network(images))
    assert not np.allclose(network(swapped), logits, atol=1e-5)
    network.get_layer("positions").kernel.assign(np.zeros((1, 5, 16)))
    np.testing.assert_allclose(network(swapped), network(images), atol=1e-5)


def test_stages_are_the_blocks(check: Any) -> None:
    network = build()
    names = ["stem", "block1", "block2", "block3"]
    assert [stage.name for stage in list_stages(network)] == names
    config = check(
        "model=vit",
        "model.depth=3",
        "dataset=synthetic_small",
        "dataset.image_size=8",
    ).run.model
    assert config.list_stages() == names
    freeze_layers(network, "block2")
    learning = [layer.name for layer in list_layers(network) if layer.trainable]
    assert learning[0] == "block3_norm1"
    assert learning[-1] == HEAD


def test_rates_decay_from_block_to_block_as_in_beit() -> None:
    """`decay ** (depth + 1 - block)`; patches and positions are block 0."""
    network = build()
    found = find_rate_factors(network, decay=0.5, factors=None)
    by_path = dict(
        zip((v.path for v in network.trainable_variables), found, strict=True)
    )
    assert by_path["patch_embedding/kernel"] == 0.5**4
    assert by_path["positions/kernel"] == by_path["class_token/kernel"] == 0.5**4
    assert by_path["block1_attention/query/kernel"] == 0.5**3
    assert by_path["block3_mlp2/kernel"] == 0.5
    assert by_path[f"{HEAD}/kernel"] == 1


def test_average_of_patches_shows_what_each_place_gives_to_the_score() -> None:
    network = build(pooling="average")
    images = take()
    maps = make_heat_maps(network, images)
    assert maps.method == "cam"
    bias = np.asarray(network.get_layer(HEAD).bias)[maps.classes]
    scores = np.asarray(network(images)).max(axis=1)
    found = maps.activations.mean(axis=(1, 2)) + bias
    np.testing.assert_allclose(found, scores, rtol=1e-4, atol=1e-5)


def test_class_token_has_no_maps_and_it_is_said_what_has() -> None:
    with pytest.raises(ExperimentError, match=r"by attention.*model\.pooling=average"):
        make_heat_maps(build(), take())


def test_what_does_not_divide_is_refused(check: Any) -> None:
    with pytest.raises(ConfigError, match=r"model\.patch_size must divide"):
        build(image=10)
    with pytest.raises(ConfigError) as error:
        check("model=vit", "model.heads=5", "dataset=synthetic_small")
    assert "model.heads must divide model.width=192. Received: 5." in str(error.value)
    with pytest.raises(ConfigError) as error:
        check("model=vit_tiny", "dataset=synthetic_small", "dataset.image_size=60")
    assert "Type dataset.image_size=64, or a smaller patch." in str(error.value)


def test_saved_network_answers_alike_without_this_package(tmp_path: Any) -> None:
    network = build(pooling="average", stochastic_depth=0.1)
    network.save(tmp_path / "vit.keras")
    again = keras.saving.load_model(tmp_path / "vit.keras")
    images = take()
    np.testing.assert_array_equal(network(images), again(images))
    kinds = {type(layer).__module__.partition(".")[0] for layer in again.layers}
    assert kinds == {"keras"}
