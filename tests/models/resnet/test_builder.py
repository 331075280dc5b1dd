import keras
import numpy as np
import pytest

from experiments.errors import ConfigError
from tests.models.conftest import (
    build_option,
    build_small,
    compose_resnet,
    randomize_weights,
    relative_error,
    run_until,
    share_option,
)


def count(weights):
    return sum(int(np.prod(weight.shape)) for weight in weights)


def layers_of(model, kind):
    return [layer for layer in model.layers if isinstance(layer, kind)]


def has_layer(model, ending):
    return any(layer.name.endswith(ending) for layer in model.layers)


@pytest.mark.parametrize(
    ("depth", "parameters"),
    [
        (18, 11_689_512),
        (34, 21_797_672),
        (50, 25_557_032),
        pytest.param(101, 44_549_160, marks=pytest.mark.slow),
        pytest.param(152, 60_192_808, marks=pytest.mark.slow),
    ],
)
def test_trainable_parameters_equal_torchvision(depth, parameters):
    network = build_option(f"resnet{depth}", image=(224, 224, 3), classes=1000)
    assert count(network.trainable_weights) == parameters
    assert network.name == f"resnet{depth}"


LARGE = (96, 96, 3)  # beyond the stem for small images


@pytest.mark.parametrize(
    ("option", "overrides", "parameters"),
    [
        # torchvision, models/resnet.py, `num_params`
        ("resnext50_32x4d", [], 25_028_904),
        ("wide_resnet50_2", [], 68_883_240),
        pytest.param("resnext101_32x8d", [], 88_791_336, marks=pytest.mark.slow),
        pytest.param("wide_resnet101_2", [], 126_886_696, marks=pytest.mark.slow),
        # fast.ai's xresnet, whose stem and shortcuts are those of ResNet-D
        ("resnet18", ["stem=deep", "average_shortcut=true"], 11_708_744),
        ("resnet50d", [], 25_576_264),
        # osmr/imgclsmob, seresnet50 and seresnext50_32x4d
        ("seresnet50", [], 28_088_024),
        ("resnext50_32x4d", ["squeeze_excitation=16"], 27_559_896),
        # timm's resnetblur50: a blur has no parameters
        ("resnet50", ["anti_aliasing=all"], 25_557_032),
    ],
)
def test_trainable_parameters_equal_the_published(option, overrides, parameters):
    network = build_option(option, *overrides, image=LARGE, classes=1000)
    assert count(network.trainable_weights) == parameters


@pytest.mark.parametrize(
    ("option", "millions"),
    [
        ("resnet20_cifar", 0.27),
        ("resnet32_cifar", 0.46),
        ("resnet44_cifar", 0.66),
        ("resnet56_cifar", 0.85),
        pytest.param("resnet110_cifar", 1.7, marks=pytest.mark.slow),
        pytest.param("resnet110_v2_cifar", 1.7, marks=pytest.mark.slow),
        pytest.param("resnet164_v2_cifar", 1.7, marks=pytest.mark.slow),
    ],
)
def test_cifar_parameters_equal_the_papers(option, millions):
    digits = len(str(millions).partition(".")[2])
    network = build_option(option)
    assert round(count(network.trainable_weights) / 1e6, digits) == millions


def test_plain_network_has_the_same_parameters_and_no_shortcuts():
    plain, residual = share_option("plain20_cifar"), share_option("resnet20_cifar")
    assert plain.count_params() == residual.count_params()
    assert len(layers_of(residual, keras.layers.Add)) == 9
    assert not layers_of(plain, keras.layers.Add)


@pytest.mark.slow
def test_depth_200_has_its_66_bottlenecks():
    layout = compose_resnet("resnet200")
    network = build_option("resnet200", "width=2")
    assert layout.depth == 200
    assert len(layers_of(network, keras.layers.Add)) == 3 + 24 + 36 + 3


@pytest.mark.parametrize("count", [1, 2, 5])
def test_blocks_take_any_number_of_stages(count):
    network = build_small(f"blocks={[1] * count}", image=(32, 32, 3))
    assert network.get_layer(f"conv{count + 1}_block1_out").output.shape[1:] == (
        32 // 2 ** (count - 1),
        32 // 2 ** (count - 1),
        4 * 2 ** (count - 1),
    )


@pytest.mark.parametrize(
    ("variant", "strides"),
    [("v1", (2, 1, 1)), ("v1_5", (1, 2, 1)), ("v2", (2, 1, 1))],
)
def test_variant_decides_which_convolution_has_the_stride(variant, strides):
    network = build_small("block=bottleneck", f"variant={variant}")
    convolutions = [network.get_layer(f"conv3_block1_{k}_conv") for k in (1, 2, 3)]
    assert tuple(layer.strides[0] for layer in convolutions) == strides


def test_v1_activates_after_the_addition():
    network = build_small("variant=v1")
    assert network.get_layer("conv2_block1_out").input is (
        network.get_layer("conv2_block1_add").output
    )


def run_preactivated_unit(network, name, x, own_activation):
    """Computes a v2 bottleneck from the network's weights, as its paper writes it."""

    def convolve(x, place):
        layer = network.get_layer(f"{name}_{place}_conv")
        if layer.kernel.shape[0] == 3:
            x = keras.ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        return keras.ops.conv(x, layer.kernel, strides=layer.strides[0])

    def activate(x, place):
        layer = network.get_layer(f"{name}_{place}_bn")
        scale = layer.gamma / keras.ops.sqrt(layer.moving_variance + 1e-5)
        return keras.ops.relu((x - layer.moving_mean) * scale + layer.beta)

    active = activate(x, "preact") if own_activation else x
    shortcut = convolve(active, "0") if has_layer(network, f"{name}_0_conv") else x
    branch = convolve(active, "1")
    branch = convolve(activate(branch, "1"), "2")
    return shortcut + convolve(activate(branch, "2"), "3")


def test_v2_computes_what_its_paper_writes(images):
    network = build_small("block=bottleneck", "variant=v2", "blocks=[2,2]")
    randomize_weights(network)
    x = run_until(network, network.get_layer("conv1_relu").output, images)
    for place, own in [("2_block1", False), ("2_block2", True), ("3_block1", True)]:
        x = run_preactivated_unit(network, f"conv{place}", x, own)
    sums = network.get_layer("conv3_block1_add").output
    assert relative_error(run_until(network, sums, images), x) < 1e-5
    assert network.get_layer("post_bn").input is (
        network.get_layer("conv3_block2_add").output
    )


@pytest.mark.parametrize("variant", ["v1", "v2"])
def test_shortcut_a_pads_with_zeros_and_has_no_parameters(variant, images):
    network = build_small("shortcut=A", f"variant={variant}")
    plain = build_small("shortcut=none", f"variant={variant}")
    randomize_weights(network)
    shortcut = network.get_layer("conv3_block1_add").input[0]
    source = "conv3_block1_preact_relu" if variant == "v2" else "conv2_block2_out"
    x = run_until(network, network.get_layer(source).output, images)
    padded = np.concatenate([x[:, ::2, ::2], np.zeros((4, 4, 4, 4))], axis=-1)
    assert network.count_params() == plain.count_params()
    np.testing.assert_array_equal(run_until(network, shortcut, images), padded)


@pytest.mark.parametrize(
    ("shortcut", "projections"),
    [
        ("A", []),
        ("B", ["conv3_block1_0_conv"]),
        ("C", ["conv2_block1_0_conv", "conv2_block2_0_conv", "conv3_block1_0_conv"]),
        ("none", []),
    ],
)
def test_shortcut_decides_where_projections_are(shortcut, projections):
    network = build_small(f"shortcut={shortcut}")
    found = [layer.name for layer in network.layers if layer.name.endswith("0_conv")]
    assert found == projections


@pytest.mark.parametrize(
    ("variant", "shortcut"), [("v1", "A"), ("v1", "B"), ("v1_5", "B")]
)
def test_zero_init_makes_identity_blocks_the_identity(variant, shortcut, images):
    network = build_small(f"variant={variant}", f"shortcut={shortcut}")
    before = run_until(network, network.get_layer("conv1_relu").output, images)
    after = run_until(network, network.get_layer("conv2_block2_out").output, images)
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    ("override", "last_scale"),
    [
        ("zero_init_last_scale=true", 0),
        ("zero_init_last_scale=false", 1),
        ("shortcut=none", 1),
    ],
)
def test_only_the_last_scale_of_a_branch_starts_at_zero(override, last_scale):
    network = build_small(override, "block=bottleneck")
    for norm in layers_of(network, keras.layers.BatchNormalization):
        expected = last_scale if norm.name.endswith("_3_bn") else 1
        np.testing.assert_array_equal(norm.gamma, expected)


def test_v2_scales_all_start_at_one():
    for norm in layers_of(build_small("variant=v2"), keras.layers.BatchNormalization):
        np.testing.assert_array_equal(norm.gamma, 1)


@pytest.mark.parametrize(
    ("override", "size", "last_map"),
    [
        ("stem=auto", 64, 32),
        ("stem=auto", 65, 9),
        ("stem=cifar", 96, 48),
        ("stem=imagenet", 64, 8),
        ("stem=notebook", 64, 8),
    ],
)
def test_stem_decides_the_size_of_the_maps(override, size, last_map):
    network = build_small(override, image=(size, size, 1))
    assert network.get_layer("conv3_block1_out").output.shape[1] == last_map


def test_auto_stem_looks_at_the_shorter_side():
    network = build_small(image=(64, 500, 3))
    assert not has_layer(network, "pool1_pool")


def test_notebook_stem_pools_without_padding():
    network = build_small("stem=notebook", image=(224, 224, 3))
    assert network.get_layer("pool1_pool").output.shape[1:3] == (55, 55)
    assert not has_layer(network, "pool1_pad")


def test_width_is_the_number_of_filters_of_the_first_stage():
    network = build_small("width=6", "block=bottleneck")
    widths = {
        name: network.get_layer(name).filters
        for name in ("conv1_conv", "conv2_block1_1_conv", "conv3_block1_3_conv")
    }
    assert list(widths.values()) == [6, 6, 48]


@pytest.mark.parametrize(
    ("head", "pool"),
    [("average", lambda x: x.mean((1, 2))), ("max", lambda x: x.max((1, 2)))],
)
def test_head_pools_over_all_positions_and_returns_logits(head, pool, images):
    network = build_small(f"head={head}")
    randomize_weights(network)
    maps = run_until(network, network.get_layer("conv3_block1_out").output, images)
    kernel, bias = network.get_layer("predictions").get_weights()
    assert relative_error(network(images), pool(maps) @ kernel + bias) < 1e-5


def test_notebook_head_pools_in_pairs_and_returns_probabilities(images):
    network = build_small("head=notebook")
    assert network.get_layer("avg_pool").output.shape[1:] == (2, 2, 8)
    np.testing.assert_allclose(np.sum(network(images), axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("variant", "setting", "biased", "epsilon"),
    [
        ("v1", "auto", True, 1.001e-5),
        ("v1_5", "auto", False, 1e-5),
        ("v2", "auto", False, 1e-5),
        ("v1", "false", False, 1.001e-5),
        ("v1_5", "true", True, 1e-5),
    ],
)
def test_auto_follows_the_variant(variant, setting, biased, epsilon):
    network = build_small(f"variant={variant}", f"conv_bias={setting}")
    convolutions = layers_of(network, keras.layers.Conv2D)
    norms = layers_of(network, keras.layers.BatchNormalization)
    assert {layer.use_bias for layer in convolutions} == {biased}
    assert {layer.epsilon for layer in norms} == {epsilon}


def test_batch_norm_settings_reach_every_batch_norm():
    network = build_small("bn_momentum=0.5", "bn_epsilon=0.01", "variant=v2")
    norms = layers_of(network, keras.layers.BatchNormalization)
    assert {(layer.momentum, layer.epsilon) for layer in norms} == {(0.5, 0.01)}


def test_dropout_acts_in_training_only(images):
    dropped, whole = build_small("dropout=0.5"), build_small()
    assert not has_layer(whole, "dropout")
    np.testing.assert_array_equal(dropped(images), dropped(images))
    dropped.get_layer("predictions").set_weights([np.eye(8)[:, :5], np.zeros(5)])
    for norm in layers_of(dropped, keras.layers.BatchNormalization):
        norm.trainable = False  # so that only dropout tells training from inference
    kept = np.asarray(dropped(images, training=True))
    expected = np.asarray(dropped(images))
    active = expected > 0
    ratios = kept[active] / expected[active]
    assert set(np.round(ratios, 4)) == {0.0, 2.0}


@pytest.mark.parametrize("block", ["basic", "bottleneck"])
@pytest.mark.parametrize("variant", ["v1", "v1_5", "v2"])
@pytest.mark.parametrize(
    "refinement",
    [
        "stem=deep",
        "squeeze_excitation=2",
        "average_shortcut=true",
        "anti_aliasing=branch",
        "anti_aliasing=all",
        "stochastic_depth=0.5",
    ],
)
def test_a_refinement_keeps_the_shapes_of_every_block(block, variant, refinement):
    changed = build_small(refinement, f"variant={variant}", f"block={block}")
    plain = build_small(
        f"variant={variant}",
        f"block={block}",
        "stem=imagenet" if "stem" in refinement else "stem=auto",
    )
    for name in [layer.name for layer in plain.layers if layer.name.endswith("_add")]:
        sums = [each.get_layer(name).output.shape for each in (changed, plain)]
        assert sums[0] == sums[1]


def test_all_refinements_go_together(images):
    network = build_small(
        "block=bottleneck",
        "width=8",
        "stem=deep",
        "groups=2",
        "squeeze_excitation=4",
        "average_shortcut=true",
        "anti_aliasing=all",
        "stochastic_depth=0.2",
    )
    randomize_weights(network)
    assert np.isfinite(network(images)).all()


@pytest.mark.parametrize(
    ("overrides", "filters"),
    [
        (["groups=4"], [8, 16]),
        (["groups=4", "width_per_group=1"], [4, 8]),
        (["width_per_group=16"], [16, 32]),
    ],
)
def test_groups_and_their_width_decide_the_filters_of_the_3x3(overrides, filters):
    network = build_small(*overrides, "block=bottleneck", "width=8")
    middle = [network.get_layer(f"conv{k}_block1_2_conv") for k in (2, 3)]
    assert [layer.filters for layer in middle] == filters
    assert {layer.groups for layer in middle} == {4 if "groups=4" in overrides else 1}
    assert network.get_layer("conv3_block1_out").output.shape[-1] == 64


def test_a_block_is_left_out_the_more_often_the_later_it_comes():
    network = build_small("stochastic_depth=0.6", "blocks=[2,2]")
    drops = layers_of(network, keras.layers.Dropout)
    assert [layer.name for layer in drops] == [
        f"conv{stage}_block{block}_drop" for stage in (2, 3) for block in (1, 2)
    ]
    assert [layer.rate for layer in drops] == pytest.approx([0.15, 0.3, 0.45, 0.6])


@pytest.mark.parametrize("variant", ["v1_5", "v2"])
def test_a_refinement_alone_changes_no_other_layer(variant):
    plain = [layer.name for layer in build_small(f"variant={variant}").layers[1:]]
    changed = build_small(
        f"variant={variant}", "stochastic_depth=0.1", "squeeze_excitation=2"
    )
    kept = [
        layer.name
        for layer in changed.layers[1:]
        if "_se_" not in layer.name and not layer.name.endswith("_drop")
    ]
    assert sorted(kept) == sorted(plain)


def test_shortcut_averages_what_it_merges(images):
    network = build_small("average_shortcut=true")
    randomize_weights(network)
    x = run_until(network, network.get_layer("conv2_block2_out").output, images)
    pooled = network.get_layer("conv3_block1_0_conv").input
    expected = x.reshape(4, 4, 2, 4, 2, 4).mean((2, 4))
    assert network.get_layer("conv3_block1_0_conv").strides == (1, 1)
    assert relative_error(run_until(network, pooled, images), expected) < 1e-6


@pytest.mark.parametrize("aliasing", ["branch", "all"])
def test_anti_aliasing_leaves_no_stride_but_the_first(aliasing):
    network = build_small(
        f"anti_aliasing={aliasing}", "stem=imagenet", "block=bottleneck", "width=16"
    )
    strided = [
        layer.name
        for layer in network.layers
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.MaxPooling2D))
        and layer.strides != (1, 1)
    ]
    rest = ["conv3_block1_0_conv"] if aliasing == "branch" else []
    assert strided == ["conv1_conv", *rest]


def test_notebook_names_hold_for_every_layer_with_weights():
    network = build_small(
        "layer_names=notebook",
        "stem=deep",
        "squeeze_excitation=2",
        "stochastic_depth=0.1",
    )
    names = [layer.name for layer in network.layers if layer.variables]
    assert names[:3] == ["conv1_1_conv", "conv1_1_bn", "conv1_2_conv"]
    assert {"res2a_se_reduce", "res2a_se_expand", "res2a_drop"} <= set(names)


@pytest.mark.parametrize(
    ("initializer", "deviation"),
    [
        ("he_fan_out", np.sqrt(2 / (9 * 64))),
        ("he_normal", np.sqrt(2 / (9 * 32))),
        ("glorot_uniform", np.sqrt(2 / (9 * 96))),
    ],
)
def test_initializer_decides_the_spread_of_the_kernels(initializer, deviation):
    network = build_small(f"initializer={initializer}", "width=32")
    kernel = np.asarray(network.get_layer("conv3_block1_1_conv").kernel)
    assert kernel.std() == pytest.approx(deviation, rel=0.03)


def test_layers_of_the_same_shape_start_from_different_values():
    network = build_small()
    first, second = (network.get_layer(f"conv2_block{k}_1_conv") for k in (1, 2))
    assert not np.array_equal(first.kernel, second.kernel)


def test_the_same_seed_gives_the_same_weights():
    first = build_small().get_weights()
    keras.utils.set_random_seed(0)
    for one, other in zip(first, build_small().get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_activation_reaches_every_activation():
    network = build_small("activation=silu", "variant=v2")
    activations = layers_of(network, keras.layers.Activation)
    assert {layer.activation for layer in activations} == {keras.activations.silu}


def test_layer_names_do_not_depend_on_what_was_built_before():
    first = [layer.name for layer in build_small("shortcut=A").layers[1:]]
    assert [layer.name for layer in build_small("shortcut=A").layers[1:]] == first
    assert first[:3] == ["conv1_conv", "conv1_bn", "conv1_relu"]


def test_notebook_names_fit_other_networks_too():
    network = build_small("layer_names=notebook", "variant=v2")
    assert has_layer(network, "res3a_branch1")


@pytest.mark.parametrize(
    ("overrides", "image", "message"),
    [
        (["head=notebook"], (2, 2, 3), "model.head must be average or max"),
        (["stem=notebook"], (1, 1, 3), "model.stem notebook leaves nothing"),
    ],
)
def test_too_small_images_are_refused(overrides, image, message):
    with pytest.raises(ConfigError, match=message):
        build_small(*overrides, image=image)


def test_arguments_are_checked_without_a_config_too(images):
    from experiments.models.resnet.builder import build_resnet

    arguments = {**compose_resnet("resnet50").arguments(), "depth": 51}
    with pytest.raises(ConfigError, match=r"model\.depth must be one of 18, 20, 32"):
        build_resnet(input_shape=(8, 8, 3), num_classes=10, **arguments)
