import keras
import pytest

from experiments.errors import ConfigError
from experiments.models.freezing import freeze_layers
from experiments.models.layer_rates import describe_rate_factors, find_rate_factors
from tests.models.conftest import build_small


def factors_by_layer(network, **options) -> dict[str, float]:
    found = find_rate_factors(network, **{"decay": None, "factors": None} | options)
    pairs = zip(network.trainable_variables, found, strict=True)
    return {v.path.split("/")[-2]: factor for v, factor in pairs}


def test_decay_is_a_power_of_the_distance_from_the_head() -> None:
    """`decay ** (layers + 1 - layer)`, layers counted from 0 as BEiT counts them."""
    found = factors_by_layer(build_small("variant=v2"), decay=0.5)
    assert found["predictions"] == 1
    assert found["conv3_block1_1_conv"] == found["post_bn"] == 0.5
    assert found["conv2_block2_2_conv"] == 0.25
    assert found["conv1_conv"] == 0.125


def test_stem_has_its_share_whatever_the_depth() -> None:
    """`share ** ((n - stage) / n)`: even steps of the logarithm, up to the head's."""
    for blocks in ("blocks=[1,1,1]", "blocks=[1,1,1,1,1]"):
        found = factors_by_layer(build_small(blocks), stem=0.01)
        assert found["predictions"] == 1
        assert found["conv1_conv"] == pytest.approx(0.01)
    assert found["conv4_block1_1_conv"] == pytest.approx(0.01 ** (3 / 6))


def test_layers_take_the_place_of_stages_where_names_tell_none() -> None:
    names = ["first", "second", "third", "head"]
    layers = [keras.layers.Dense(2, name=name) for name in names]
    found = factors_by_layer(keras.Sequential([keras.Input((2,)), *layers]), stem=0.001)
    assert [found[n] for n in names] == pytest.approx([0.001, 0.01, 0.1, 1])


def test_factors_come_on_top_and_the_last_one_counts() -> None:
    factors = {"*_bn": 4.0, "conv2": 2.0, "head": 10.0}
    found = factors_by_layer(build_small(), decay=0.5, factors=factors)
    assert found["predictions"] == 10
    assert found["conv1_bn"] == 4 * 0.125
    assert found["conv1_conv"] == 0.125
    assert found["conv2_block1_1_bn"] == 2 * 0.25
    assert found["conv3_block1_1_bn"] == 4 * 0.5


def test_frozen_layers_have_none_and_others_keep_theirs() -> None:
    network = build_small()
    freeze_layers(network, "conv2")
    found = factors_by_layer(network, decay=0.5)
    assert set(found.values()) == {0.5, 1}
    told = describe_rate_factors(network, decay=0.5, factors=None)
    assert told == {"rate factors": "conv3 0.5, predictions 1"}


def test_without_any_all_are_alike_and_nothing_is_told() -> None:
    network = build_small()
    assert set(factors_by_layer(network).values()) == {1}
    assert describe_rate_factors(network, decay=1.0, factors=None) == {}


def test_name_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"names no layer by conv9. The stages are"):
        find_rate_factors(build_small(), decay=None, factors={"conv9": 2.0})
