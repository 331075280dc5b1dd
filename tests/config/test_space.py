from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from experiments.config.space import Condition, Parameter, Space, parse_space
from experiments.errors import ConfigError


def parse(*typed: str, when: Any = None, **params: object) -> Space:
    parser = OverridesParser.create().parse_overrides
    named = {key.replace("__", "."): value for key, value in params.items()}
    return parse_space(named, when or {}, parser(list(typed)), parser)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=interval(0,2)", Parameter(key="a", low=0.0, high=2.0)),
        (
            "a=tag(log,interval(1e-5,1e-2))",
            Parameter(key="a", low=1e-5, high=1e-2, log=True),
        ),
        ("a=int(interval(2,8))", Parameter(key="a", low=2, high=8, is_int=True)),
        (
            "a=range(16,65,16)",
            Parameter(key="a", low=16, high=64, is_int=True, step=16),
        ),
        ("a=range(0,0.5,0.25)", Parameter(key="a", choices=(), high=0.25, step=0.25)),
        ("a=x,y", Parameter(key="a", choices=("x", "y"))),
        ("a=1,2,1", Parameter(key="a", choices=(1, 2))),
        ("a=1e-3,1", Parameter(key="a", choices=(1e-3, 1.0))),
        ("a=true,false", Parameter(key="a", choices=("true", "false"))),
        ("a=1,x", Parameter(key="a", choices=("1", "x"))),
        ("+a=1,2", Parameter(key="a", prefix="+", choices=(1, 2))),
    ],
)
def test_each_form_of_the_grammar_is_a_parameter(
    text: str, expected: Parameter
) -> None:
    assert parse(text).parameters == (expected,)


def test_yaml_takes_the_same_texts_as_the_command_line() -> None:
    space = parse(optimizer__lr="tag(log,interval(1e-5,1e-2))", model="a,b")
    assert space == parse("optimizer.lr=tag(log,interval(1e-5,1e-2))", "model=a,b")


def test_typed_values_take_the_place_of_those_in_yaml() -> None:
    assert parse("a=3,4", a="1,2").parameters == (Parameter(key="a", choices=(3, 4)),)


def test_a_single_typed_value_takes_its_key_out_of_the_space() -> None:
    assert parse("a=3", a="1,2", b="1,2").keys == ("b",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a=interval(2,1)", "lower end below the upper one"),
        ("a=tag(log,interval(0,1))", "above 0 for the tag log"),
        ("a=tag(logg,interval(1,2))", "the tag logg, which means nothing"),
        ("a=range(3,1)", "has no value"),
    ],
)
def test_a_wrong_parameter_is_refused_with_its_key(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=f"a .*{words}"):
        parse(text)


def test_a_search_without_parameters_is_refused() -> None:
    with pytest.raises(ConfigError, match="has no parameter"):
        parse()


def test_a_condition_puts_the_parent_first_and_leaves_others_out() -> None:
    space = parse(
        "momentum=interval(0,1)",
        "optimizer=adam,sgd",
        when={"momentum": "optimizer=sgd"},
    )
    assert space.keys == ("optimizer", "momentum")
    assert space.parameters[1].when == Condition("optimizer", ("sgd",))
    assert space.as_overrides({"optimizer": "adam"}) == ("optimizer=adam",)
    assert space.as_overrides({"optimizer": "sgd", "momentum": 0.5}) == (
        "optimizer=sgd",
        "momentum=0.5",
    )


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ({"momentun": "optimizer=sgd"}, "Did you mean `momentum`"),
        ({"momentum": "sgd"}, "must be a condition"),
        ({"momentum": "optimizer=sgdd"}, "values of optimizer: adam, sgd"),
        ({"optimizer": "momentum=1"}, "must be a condition on a parameter with choice"),
    ],
)
def test_a_wrong_condition_is_refused(when: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse("momentum=interval(0,1)", "optimizer=adam,sgd", when=when)


def test_conditions_in_a_circle_are_refused() -> None:
    with pytest.raises(ConfigError, match="form a circle"):
        parse("a=1,2", "b=1,2", when={"a": "b=1", "b": "a=1"})


def test_a_condition_on_a_parameter_that_was_fixed_is_settled() -> None:
    when = {"momentum": "optimizer=sgd"}
    typed = ("momentum=interval(0,1)",)
    held = parse(*typed, "optimizer=sgd", when=when, optimizer="adam,sgd")
    assert held.parameters == (Parameter(key="momentum", high=1.0),)
    with pytest.raises(ConfigError, match="has no parameter"):
        parse(*typed, "optimizer=adam", when=when, optimizer="adam,sgd")


def test_the_current_config_is_a_point_where_it_lies_in_the_space() -> None:
    config = OmegaConf.create({"lr": 1e-3, "size": 32, "flag": True})
    space = parse(
        "model=a,b",
        "lr=tag(log,interval(1e-5,1e-2))",
        "size=range(16,65,16)",
        "flag=true,false",
    )
    point = {"model": "b", "lr": 1e-3, "size": 32, "flag": "true"}
    assert space.current(config, {"model": "b"}) == point
    assert space.current(config, {"model": "c"}) is None
    assert space.outside(config, {"model": "c"}) == {"model": "c"}
    config.size = 33
    assert space.current(config, {"model": "b"}) is None


@pytest.mark.parametrize("value", [1e-05, 0.1, 3, "resnet18", "true"])
def test_an_override_means_the_value_that_it_was_made_of(value: Any) -> None:
    text = Parameter(key="a").format(value)
    (override,) = OverridesParser.create().parse_overrides([text])
    assert override.value() == (True if value == "true" else value)
