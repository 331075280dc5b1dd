import random
from pathlib import Path
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from experiments.config.search.parameter import Condition, Parameter
from experiments.config.search.space import ABSENT, Space, parse_space
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


SPELLINGS = [
    ("true", "True"),
    ("null", "NULL"),
    ("[1,2]", "[1, 2]"),
    ("abc", "'abc'"),
    ("'a b'", '"a b"'),
    ("'1'", '"1"'),
    ("1e-3", "0.001"),
    ("1", "1.0"),
    ("{a: 1}", "{a:1}"),
]


@pytest.mark.parametrize(("one", "other"), SPELLINGS)
def test_a_condition_compares_values_and_not_spellings(one: str, other: str) -> None:
    when = {"b": f"a={one}"}
    searched = parse(f"a={other},zzz", "b=1,2", when=when)
    assert searched.keys == ("a", "b")
    assert (
        len(searched.as_overrides({"a": searched.parameters[0].choices[0], "b": 1}))
        == 2
    )
    assert len(searched.as_overrides({"a": "zzz", "b": 1})) == 1
    fixed = parse(f"a={other}", "b=1,2", when=when)
    assert fixed.keys == ("b",)
    assert fixed.left_out == ()


@pytest.mark.parametrize(("one", "other"), SPELLINGS)
def test_trial_0_is_found_by_its_value(one: str, other: str) -> None:
    (override,) = OverridesParser.create().parse_overrides([f"a={one}"])
    config = OmegaConf.create({"a": override.value()})
    for text in (one, other):
        space = parse(f"a={text},zzz")
        assert space.current(config, {}) == {"a": space.parameters[0].choices[0]}


def test_a_spelling_twice_is_one_choice() -> None:
    assert parse("a=true,True,'true'").parameters[0].choices == ("true", "'true'")


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        (True, "1,2"),
        (1, "true,false"),
        ("1", "1,2"),
        (1, "'1','2'"),
        (None, "'null',a"),
    ],
)
def test_what_only_looks_alike_lies_outside(value: Any, texts: str) -> None:
    config = OmegaConf.create({"a": value})
    space = parse(f"a={texts}")
    assert space.current(config, {}) is None
    assert space.outside(config, {}) == {"a": value}


def test_a_key_that_is_absent_is_not_null() -> None:
    space = parse("a=null,1")
    assert space.current(OmegaConf.create({"a": None}), {}) == {"a": "null"}
    for config in ({}, {"a": "???"}):
        assert space.outside(OmegaConf.create(config), {}) == {"a": ABSENT}


def test_a_group_that_is_still_to_be_chosen_is_absent() -> None:
    space = parse("model=a,b")
    assert space.outside(OmegaConf.create({}), {"model": "???"}) == {"model": ABSENT}


def test_a_group_is_found_by_its_file_also_as_a_list_and_null() -> None:
    config = OmegaConf.create({})
    space = parse("callbacks=[default],[default,plateau]", "experiment=null,notebook")
    point = space.current(config, {"callbacks": "default", "experiment": None})
    assert point == {"callbacks": "default", "experiment": "null"}


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        (
            ["optimizer=adam"],
            "momentum is not searched: it is with optimizer=sgd only, and optimizer "
            "is adam.",
        ),
        (
            ["optimizer=adam,lion"],
            "momentum is not searched: it is with optimizer=sgd only, and optimizer "
            "is one of adam, lion.",
        ),
    ],
)
def test_what_is_never_searched_is_told(typed: list[str], reason: str) -> None:
    space = parse(
        *typed,
        when={"nesterov": "momentum=0.9", "momentum": "optimizer=sgd"},
        optimizer="adam,sgd",
        momentum="0.5,0.9",
        nesterov="true,false",
        lr="interval(0,1)",
    )
    assert "lr" in space.keys
    assert "momentum" not in space.keys
    assert space.left_out == (
        reason,
        "nesterov is not searched: it is with momentum=0.9 only, and momentum is not "
        "searched.",
    )


def test_one_value_of_a_key_with_a_condition_is_set_where_it_holds() -> None:
    (lr, optimizer, momentum) = parse(
        "momentum=0.9",
        when={"momentum": "optimizer=sgd"},
        lr="interval(0,1)",
        optimizer="adam,sgd",
        momentum="interval(0,1)",
    ).parameters
    assert (lr.key, optimizer.key) == ("lr", "optimizer")
    assert momentum.choices == (0.9,)
    assert momentum.when == Condition("optimizer", ("sgd",))


def test_values_that_every_trial_has_are_the_others() -> None:
    typed = OverridesParser.create().parse_overrides(
        ["seed=1", "optimizer=adam,sgd", "momentum=0.9"]
    )
    when = {"momentum": "optimizer=sgd"}
    space = parse_space({}, when, typed, OverridesParser.create().parse_overrides)
    assert space.list_fixed(typed) == ("seed=1",)


@pytest.mark.parametrize(
    ("typed", "when", "message"),
    [
        (
            ["a=1,2", "b=1,2"],
            {"b": "c=1"},
            "hydra.sweeper.when.b must be a condition on a parameter with choices "
            "or whole numbers: a. "
            "Received: 'c=1'.",
        ),
        (
            ["a=true,false", "b=1,2"],
            {"b": "a=1"},
            "hydra.sweeper.when.b must name values of a: true, false. Received: 1.",
        ),
        (
            ["a=x", "b=1,2"],
            {"b": "a=y"},
            "hydra.sweeper.when.b must name values of a: x. Received: y.",
        ),
        (
            ["a=x,y", "b=1,2"],
            {"b": "a=[x"},
            "hydra.sweeper.when.b must be a condition such as optimizer=sgd. "
            "Received: 'a=[x'.",
        ),
    ],
)
def test_a_condition_on_what_does_not_exist_is_refused(
    typed: list[str], when: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(*typed, when=when)
    assert [str(problem) for problem in caught.value.problems] == [message]


def test_choices_that_are_shuffled_are_one_space() -> None:
    spaces = []
    for seed in range(8):
        random.seed(seed)
        spaces.append(parse("optimizer.lr=shuffle(1e-3,1e-2,1e-1)"))
    assert spaces == [parse("optimizer.lr=1e-3,1e-2,1e-1")] * 8


@pytest.mark.parametrize(
    ("parent", "condition", "values"),
    [
        ("layers=range(0,5)", "layers=3,4", (3, 4)),
        ("layers=range(0,101,10)", "layers=20", (20,)),
        ("layers=int(interval(1,8))", "layers=2,4.0", (2, 4)),
    ],
)
def test_whole_numbers_are_a_parent_as_choices_are(
    parent: str, condition: str, values: tuple[int, ...]
) -> None:
    space = parse("rate=interval(0,1)", parent, when={"rate": condition})
    assert space.keys == ("layers", "rate")
    assert space.parameters[1].when == Condition("layers", values)
    assert len(space.as_overrides({"layers": values[0], "rate": 0.5})) == 2
    assert len(space.as_overrides({"layers": 1, "rate": 0.5})) == 1


@pytest.mark.parametrize(
    ("parent", "accepted"),
    [
        ("layers=range(0,5)", "0, 1, 2, 3, 4"),
        ("layers=range(0,101,5)", "0 to 100 by 5"),
        ("layers=int(interval(1,800))", "1 to 800"),
    ],
)
def test_a_condition_on_a_number_that_is_not_searched_says_which_are(
    parent: str, accepted: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        parse("rate=interval(0,1)", parent, when={"rate": "layers=999"})
    (problem,) = caught.value.problems
    assert f"must name values of layers: {accepted}. Received: 999." in str(problem)


@pytest.mark.parametrize(
    ("typed", "condition"),
    [
        (["optimizer=[sgd]"], "optimizer=sgd"),
        (["optimizer=[sgd]"], "optimizer=[sgd]"),
        (["optimizer=sgd"], "optimizer=[sgd]"),
        (["optimizer=[sgd],[adam]"], "optimizer=sgd"),
        (["optimizer=sgd,adam"], "optimizer=[sgd]"),
    ],
    ids=str,
)
def test_a_list_of_one_file_is_that_file_for_a_condition(
    typed: list[str], condition: str
) -> None:
    when = {"optimizer.momentum": condition}
    space = parse(*typed, "optimizer.momentum=0.5,0.9", when=when)
    assert space.keys[-1] == "optimizer.momentum"
    assert space.left_out == ()


def test_two_paths_to_one_folder_are_one_choice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pets = str(tmp_path / "pets")
    space = parse(f"dataset.path={pets},{pets}/../pets,pets,other")
    assert space.parameters[0].choices == (pets, str(tmp_path / "other"))
    config = OmegaConf.create({"dataset": {"path": "./pets"}})
    assert space.current(config, {}) == {"dataset.path": pets}
