import keras
import pytest

from experiments.models.cost import measure_cost, measure_layers
from tests.models.conftest import build_option, share_option


def measure(model, **changes):
    arguments = {"batch_size": 1, "precision": "float32", **changes}
    return measure_cost(model, **arguments)


def build_by_hand():
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(4, 3, strides=2, padding="same", name="conv"),
            keras.layers.Flatten(),
            keras.layers.Dense(5),
        ]
    )


def test_costs_of_two_layers_equal_a_calculation_by_hand():
    cost = measure(build_by_hand(), batch_size=10, optimizer_slots=1)
    parameters = (27 * 4 + 4) + (64 * 5 + 5)
    assert cost.parameters == cost.trainable_parameters == parameters
    assert cost.flops_per_image == 2 * (27 * 4 * 16 + 64 * 5)
    assert cost.activation_bytes_per_image == 4 * (4 * 4 * 4 + 5)
    assert cost.training_bytes == 4 * 3 * parameters + 10 * 4 * 69
    assert cost.uncounted_layers == ()


def giga_multiply_adds(network):
    return measure(network).flops_per_image / 2e9


def test_flops_of_resnet50_equal_the_published_ones():
    # 4.09 GMAC: torchvision's and NVIDIA's v1.5; 3.86: the paper's 3.8, Keras' v1.
    now = share_option("resnet50", image=(224, 224, 3), classes=1000)
    paper = build_option("resnet50", "variant=v1", image=(224, 224, 3), classes=1000)
    assert giga_multiply_adds(now) == pytest.approx(4.089, abs=5e-4)
    assert giga_multiply_adds(paper) == pytest.approx(3.858, abs=5e-4)


@pytest.mark.parametrize(
    ("option", "giga"),
    # torchvision's `_ops`, in billions of multiply-adds
    [("resnext50_32x4d", 4.230), ("wide_resnet50_2", 11.398)],
)
def test_flops_of_groups_equal_the_published_ones(option, giga):
    network = build_option(option, image=(224, 224, 3), classes=1000)
    assert giga_multiply_adds(network) == pytest.approx(giga, abs=1e-3)


def test_a_wrapped_network_costs_what_the_network_costs():
    network = share_option("resnet20_cifar")
    inputs = keras.Input((32, 32, 3), dtype="uint8")
    wrapped = keras.Model(inputs, network(keras.layers.Rescaling(1 / 255)(inputs)))
    inner, outer = measure(network), measure(wrapped)
    assert outer.flops_per_image == inner.flops_per_image
    assert outer.parameters == inner.parameters == network.count_params()
    rescaled = 4 * 32 * 32 * 3
    assert outer.activation_bytes_per_image == (
        inner.activation_bytes_per_image + rescaled
    )


def test_zero_padded_shortcuts_cost_memory_and_no_flops():
    padded = measure(share_option("resnet20_cifar"))
    plain = measure(share_option("plain20_cifar"))
    assert padded.flops_per_image == plain.flops_per_image
    assert padded.activation_bytes_per_image > plain.activation_bytes_per_image


def test_half_precision_halves_the_activations_only():
    network = build_by_hand()
    full, half = measure(network), measure(network, precision="mixed_bfloat16")
    assert 2 * half.activation_bytes_per_image == full.activation_bytes_per_image
    saved = full.training_bytes - half.training_bytes
    assert saved == half.activation_bytes_per_image


def test_moving_statistics_and_seeds_need_no_gradients():
    network = keras.Sequential(
        [
            keras.Input((4, 4, 3)),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
        ]
    )
    cost = measure(network, optimizer_slots=0)
    assert (cost.parameters, cost.trainable_parameters) == (12, 6)
    assert cost.training_bytes == 4 * (12 + 6) + 4 * 2 * 48


def test_layers_of_unknown_cost_are_named():
    class Own(keras.layers.Layer):
        def build(self, shape):
            self.weight = self.add_weight(shape=(shape[-1], 7), name="weight")

        def call(self, x):
            return keras.ops.matmul(x, self.weight)

    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(2)(Own(name="own")(inputs)))
    cost = measure(model)
    assert cost.uncounted_layers == ("own",)
    assert cost.flops_per_image == 2 * 7 * 2


def test_a_model_that_only_a_run_can_measure_is_named():
    class Own(keras.Model):
        def __init__(self):
            super().__init__(name="own")
            self.dense = keras.layers.Dense(2)

        def call(self, x):
            return self.dense(x)

    model = Own()
    model(keras.ops.zeros((1, 3)))
    cost = measure(model)
    assert cost.uncounted_layers == ("own",)
    assert cost.parameters == 8


def test_images_of_any_size_have_no_known_activations():
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, keras.layers.Conv2D(4, 3, name="conv")(inputs))
    assert measure(model).uncounted_layers == ("conv",)


def test_each_layer_has_its_costs_and_the_models_that_it_is_in():
    images = keras.Input((8, 8, 3))
    padded = keras.layers.ZeroPadding2D(1, name="pad")(images)
    maps = keras.layers.Conv2D(4, 3, strides=2, name="conv")(padded)
    inner = keras.Model(images, maps, name="inner")
    outer = keras.Input((8, 8, 3))
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(inner(outer))
    model = keras.Model(outer, keras.layers.Dense(2, name="dense")(pooled))
    layers = {each.name: each for each in measure_layers(model, precision="float32")}
    conv, pad, dense = layers["conv"], layers["pad"], layers["dense"]
    assert (conv.path, dense.path) == (("inner",), ())
    assert (conv.kind, conv.shape, conv.size) == ("Conv2D", (4, 4, 4), (4, 4))
    assert conv.parameters == 3 * 3 * 3 * 4 + 4
    assert conv.flops == 2 * 3 * 3 * 3 * 4 * 16
    assert conv.activation_bytes == 4 * 4 * 4 * 4
    assert (pad.shape, pad.size) == ((10, 10, 3), (8, 8))  # it adds but a margin
    assert (dense.shape, dense.size, dense.flops) == ((2,), (1, 1), 2 * 4 * 2)
