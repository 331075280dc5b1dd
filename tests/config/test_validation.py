from copy import deepcopy
from typing import Any

import pytest
from omegaconf import OmegaConf

from experiments.command.plan import check_command_line
from experiments.config.schema.run import RunConfig
from experiments.config.validation import find_problems, resolve, validate
from experiments.errors import ConfigError
from tests.conftest import CONF


@pytest.fixture(scope="module")
def composed() -> Any:
    return check_command_line(["model=resnet18"], config_dir=CONF).config


@pytest.fixture
def plain(composed: Any) -> dict[str, Any]:
    return deepcopy(resolve(composed))


def messages(config: Any) -> list[str]:
    return [str(problem) for problem in find_problems(config)]


def test_composed_and_plain_config_give_the_same_typed_one(
    composed: Any, plain: dict[str, Any]
) -> None:
    run = validate(composed)
    assert isinstance(run, RunConfig)
    assert run.model.depth == 18  # type: ignore[attr-defined]
    assert run == validate(plain)


def test_good_config_has_no_problems(plain: dict[str, Any]) -> None:
    assert find_problems(plain) == []


def test_found_problems_are_those_that_are_raised(plain: dict[str, Any]) -> None:
    plain["seed"] = -1
    plain["trainer"]["epochs"] = 0
    with pytest.raises(ConfigError) as error:
        validate(plain)
    assert list(error.value.problems) == find_problems(plain)
    keys = [problem.key for problem in error.value.problems]
    assert sorted(keys) == ["seed", "trainer.epochs"]


def test_interpolation_is_resolved_before_it_is_checked(plain: dict[str, Any]) -> None:
    plain["trainer"]["epochs"] = "${trainer.batch_size}"
    config = OmegaConf.create(plain)
    assert resolve(config)["trainer"]["epochs"] == 16
    assert validate(config).trainer.epochs == 16


def test_broken_interpolation_is_one_problem_with_its_key(
    plain: dict[str, Any],
) -> None:
    plain["trainer"]["epochs"] = "${nothing}"
    (problem,) = find_problems(OmegaConf.create(plain))
    assert problem.key == "trainer.epochs"
    assert problem.message.startswith("cannot be resolved: ")
    assert "nothing" in problem.message


def test_foreign_target_is_told_beside_other_problems(plain: dict[str, Any]) -> None:
    plain["seed"] = -1
    plain["model"]["_target_"] = "os.system"
    keys = {problem.key for problem in find_problems(plain)}
    assert keys == {"seed", "model._target_"}


def test_own_package_is_accepted_when_it_is_allowed(plain: dict[str, Any]) -> None:
    plain["model"] = {"_target_": "mine.Net", "size": 3}
    assert [p.key for p in find_problems(plain)] == ["model._target_"]
    plain["allowed_targets"].append("mine")
    assert validate(plain).model.arguments() == {"size": 3}


def test_allow_list_that_is_no_list_is_told(plain: dict[str, Any]) -> None:
    plain["allowed_targets"] = "os"
    (message,) = messages(plain)
    assert message.startswith("allowed_targets must be a list of items, each a text.")


def test_contradictions_are_told_when_each_value_is_fine(plain: dict[str, Any]) -> None:
    plain["schedule"]["warmup_epochs"] = 99
    assert [p.key for p in find_problems(plain)] == ["schedule.warmup_epochs"]


def test_contradictions_wait_until_each_value_is_fine(plain: dict[str, Any]) -> None:
    plain["schedule"]["warmup_epochs"] = 99
    plain["allowed_targets"] = ["nothing"]
    keys = {problem.key.rpartition(".")[2] for problem in find_problems(plain)}
    assert keys == {"allowed_targets"}
