from fractions import Fraction
from typing import Any

import pytest

from experiments.config.fields import OpenTarget
from experiments.config.targets import check_targets, instantiate, resolve
from experiments.errors import ConfigError

ALLOWED = ["experiments", "keras.optimizers"]


def target(path: str, **extra: Any) -> OpenTarget:
    return OpenTarget(_target_=path, extra=extra)


@pytest.mark.parametrize(
    "path",
    [
        "experiments",
        "experiments.models.resnet.build_resnet",
        "keras.optimizers.Adam",
        "???",
    ],
)
def test_target_below_an_allowed_name_is_accepted(path: str) -> None:
    assert list(check_targets({"model": {"_target_": path}}, ALLOWED)) == []


@pytest.mark.parametrize(
    "path",
    ["os.system", "experiments_of_others.run", "keras.optimizersx.Adam", "keras", ""],
)
def test_target_that_only_resembles_an_allowed_name_is_refused(path: str) -> None:
    (problem,) = check_targets({"model": {"_target_": path}}, ALLOWED)
    assert problem.key == "model._target_"
    assert problem.message == (
        f"must begin with one of experiments, keras.optimizers. Received: {path!r}."
    )


def test_hint_is_the_override_that_allows_the_package() -> None:
    (problem,) = check_targets({"model": {"_target_": "mine.nets.Net"}}, ALLOWED)
    wanted = "allowed_targets='[experiments,keras.optimizers,mine]'."
    assert problem.hint.endswith(wanted)


def test_every_target_at_any_depth_is_checked() -> None:
    config = {
        "seed": 1,
        "model": {"_target_": "os.a", "head": {"_target_": "os.b"}},
        "callbacks": {
            "stop": {"_target_": "os.c"},
            "keep": {"_target_": "experiments.x"},
        },
    }
    keys = [problem.key for problem in check_targets(config, ALLOWED)]
    assert keys == [
        "model._target_",
        "model.head._target_",
        "callbacks.stop._target_",
    ]


def test_target_is_imported_by_its_path() -> None:
    assert resolve("fractions.Fraction", key="model") is Fraction


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        ("no_such_package.Net", "No module named 'no_such_package'"),
        ("fractions.Fracture", "fractions.Fracture"),
    ],
)
def test_target_that_does_not_exist_is_told_with_its_cause(
    path: str, cause: str
) -> None:
    with pytest.raises(ConfigError) as error:
        resolve(path, key="callbacks.stop")
    (problem,) = error.value.problems
    assert problem.key == "callbacks.stop._target_"
    assert repr(path) in problem.message
    assert cause in problem.hint


def test_object_is_built_from_its_keys_and_run_time_facts_win() -> None:
    config = target("fractions.Fraction", numerator=1, denominator=3)
    assert instantiate(config, key="model") == Fraction(1, 3)
    assert instantiate(config, key="model", denominator=5) == Fraction(1, 5)


def test_key_that_the_target_does_not_take_is_told_before_it_is_built() -> None:
    with pytest.raises(ConfigError) as error:
        instantiate(target("fractions.Fraction", numerater=1), key="model")
    (problem,) = error.value.problems
    assert problem.key == "model"
    assert problem.message.startswith("does not fit fractions.Fraction: ")
    assert "numerater" in problem.message


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"numerator": 1, "denominator": 0}, ZeroDivisionError),
        ({"numerator": "1", "denominator": 2}, TypeError),
    ],
)
def test_error_inside_the_target_keeps_its_type(
    values: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        instantiate(target("fractions.Fraction", **values), key="model")


def test_target_without_a_signature_is_built() -> None:
    assert instantiate(target("builtins.dict", a=1), key="model") == {"a": 1}
