import pytest

from experiments.config.reading.convert import convert
from experiments.config.schema.models.depths import DEPTHS
from experiments.config.schema.models.model import CustomModelConfig, ResNetConfig
from experiments.config.schema.models.resnet import final_map_size
from experiments.errors import ConfigError
from tests.conftest import CONF
from tests.models.conftest import compose_resnet

OPTIONS = sorted(
    path.stem
    for path in (CONF / "model").glob("*.yaml")
    if not path.stem.startswith(("keras_application", "vit"))
)


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_composes_to_its_schema(option):
    assert isinstance(compose_resnet(option), ResNetConfig)


@pytest.mark.parametrize("depth", sorted(DEPTHS))
def test_every_depth_is_the_number_of_its_layers(depth):
    layout = DEPTHS[depth]
    convolutions = {"basic": 2, "bottleneck": 3}[layout.block]
    assert depth == convolutions * sum(layout.blocks) + 2


def test_every_depth_has_an_option():
    assert {compose_resnet(option).depth for option in OPTIONS} >= set(DEPTHS)


@pytest.mark.parametrize(
    ("overrides", "messages"),
    [
        (
            ["depth=51"],
            ["model.depth must be one of 18, 20, 32, 34, 44, 50, 56, 101, 110, 152, "],
        ),
        (["blocks=[1,1]"], ["model.depth must be null when model.blocks is set."]),
        (["depth=null"], ["model.depth must be set when model.blocks is null."]),
        (
            ["depth=null", "blocks=[1,1]"],
            ["model.block must be one of basic, bottleneck when model.blocks is set."],
        ),
        (
            ["block=basic"],
            ["model.block must be null or bottleneck at model.depth=50.", "[3,4,6,3]"],
        ),
        (
            ["variant=v2", "shortcut=none", "zero_init_last_scale=true"],
            ["has 2 problems", "model.variant=v2, whose", "model.shortcut=none, where"],
        ),
        (
            ["depth=null", "blocks=[]"],
            ["model.blocks must be null or a list of at least 1"],
        ),
        (["depth=null", "blocks=[0]"], ["model.blocks[0] must be", ">= 1"]),
        (["variant=v3"], ["model.variant must be one of auto, v1, v1_5, v2."]),
        (["stem=imagnet"], ["Did you mean `imagenet`?"]),
        (["shortcut=null"], ["model.shortcut must be one of A, B, C, none."]),
        (["width=0"], ["model.width must be an integer >= 1."]),
        (["dropout=1"], ["model.dropout must be a number >= 0 and < 1."]),
        (["bn_momentum=1.0"], ["model.bn_momentum must be"]),
        (["bn_epsilon=0"], ["model.bn_epsilon must be a number > 0 or auto."]),
        (["conv_bias=maybe"], ["model.conv_bias must be true or false or auto."]),
        (["initializer=he"], ["model.initializer must be one of he_fan_out"]),
        (["activation=swish"], ["model.activation must be one of relu"]),
        (["groups=3"], ["model.groups must divide model.width=64. Received: 3."]),
        (["groups=0"], ["model.groups must be an integer >= 1."]),
        (["squeeze_excitation=0"], ["model.squeeze_excitation must be"]),
        (["stochastic_depth=1"], ["must be a number >= 0 and < 1."]),
        (["anti_aliasing=true"], ["model.anti_aliasing must be one of none, branch"]),
        (
            ["depth=18", "groups=2", "width_per_group=4"],
            ["model.groups belongs to bottlenecks", "model.width_per_group belongs"],
        ),
        (
            ["shortcut=none", "average_shortcut=true", "stochastic_depth=0.1"],
            [
                "model.average_shortcut must be false with model.shortcut=none",
                "model.stochastic_depth must be 0 with model.shortcut=none",
            ],
        ),
        (["+dept=3"], ["model.dept is not a key", "Did you mean `model.depth`?"]),
    ],
)
def test_what_is_wrong_is_told_with_its_key(overrides, messages):
    with pytest.raises(ConfigError) as error:
        compose_resnet("resnet50", *overrides)
    for message in messages:
        assert message in str(error.value)


@pytest.mark.parametrize("overrides", [[], ["variant=v1"], ["variant=v2"]])
def test_each_variant_of_the_default_is_accepted(overrides):
    assert compose_resnet("resnet50", *overrides).depth == 50


@pytest.mark.parametrize(
    ("option", "size", "key"),
    [
        ("resnet50", 1, None),
        ("resnet50_notebook", 224, None),
        ("resnet50_notebook", 35, "head"),
        ("resnet50_notebook", 2, "stem"),
    ],
)
def test_images_are_checked_before_anything_is_built(option, size, key):
    problems = list(compose_resnet(option).check_image(size))
    assert [problem.key for problem in problems] == ([key] if key else [])


@pytest.mark.parametrize(
    ("size", "stem", "final"),
    [(224, "imagenet", 7), (224, "notebook", 7), (32, "cifar", 4), (8, "cifar", 1)],
)
def test_final_map_size_follows_the_stem(size, stem, final):
    assert final_map_size(size, stem=stem, stages=4) == final


def test_a_custom_model_hands_on_its_own_keys():
    problems = []
    plain = {"_target_": "package.build", "layers": 3}
    config = convert(plain, CustomModelConfig, key="model", problems=problems)
    assert not problems
    assert config.arguments() == {"layers": 3}
