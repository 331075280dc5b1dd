"""A key of the chosen task is typed with `task.` or without, and is the same word."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hydra._internal.utils import create_config_search_path

from experiments.command.composing.composed import compose
from experiments.command.composing.loader import open_hydra
from experiments.command.typed.task_keys import name_task_keys
from experiments.config.schema.task import TASKS, TrainTaskConfig
from experiments.errors import ConfigError
from tests.conftest import CONF

OF_TRAINING = {field.name for field in fields(TrainTaskConfig)}
# Key of a task -> what else is called so: a group or a key of the whole config.
TAKEN = {("list", name) for name in ("model", "dataset", "experiment")}
SHORT = [
    ("task=serve", "run_id=abc", "page=true"),
    ("task=doctor", "full=true"),
    ("task=export", "run_id=abc", "formats=[saved_model,onnx,litert]"),
    ("task=promote", "run_id=abc", "registered_name=pets", "force=true"),
    ("task=promote", "from_search=abc", "registered_name=pets", "seeds=3"),
    ("task=evaluate", "run_id=abc", "batch_size=8"),
    ("task=compare", "run_id=[a1,b2]", "pair=[A,C]"),
    ("task=explain", "run_id=abc", "input=a.jpg", "class_name=it's"),
    ("task=explain", "run_id=abc", "input=a.jpg", "class_name=12e4"),
    ("task=find_lr", "steps=50"),
    ("task=audit", "folds=3"),
    ("task=list", "state=failed"),
    ("page=true", "task=serve", "run_id=abc"),  # in any order
    ("task=doctor", "page=true", "run_id=abc", "task=serve"),  # the last one counts
]


@pytest.mark.parametrize("words", SHORT, ids=" ".join)
def test_short_and_whole_name_are_the_same_job(
    check: Any, words: tuple[str, ...]
) -> None:
    top = ("task=", "run_id=", "registered_name=", "from_search=", "input=")
    whole = [w if w.startswith(top) else f"task.{w}" for w in words]
    short, long = check(*words), check(*whole)
    assert short.overrides == long.overrides  # which is recorded
    assert (short.run, short.folder) == (long.run, long.folder)


@pytest.mark.parametrize("task", sorted(TASKS))
def test_each_key_of_a_task_has_a_short_name_but_those_taken(task: str) -> None:
    name = task.rpartition(".")[2]
    own = {field.name for field in fields(TASKS[task])} - OF_TRAINING
    with open_hydra(create_config_search_path(str(CONF))) as hydra:
        for key in sorted(own):
            words = [f"task={name}", f"{key}=1"]
            named = name_task_keys(words, hydra.config_loader, "config")
            is_taken = (name, key) in TAKEN
            assert named == [words[0], words[1] if is_taken else f"task.{key}=1"]


def test_plan_and_fresh_stay_keys_of_the_whole_config(check: Any) -> None:
    words = ("task=promote", "run_id=abc", "registered_name=pets")
    run = check(*words, "plan=true", "fresh=true").run
    assert (run.plan, run.fresh) == (True, True)


def test_sign_stays_in_front(check: Any) -> None:
    plan = check("task=serve", "run_id=abc", "++page=true")
    assert plan.run.task.page
    assert plan.overrides[-1] == "++task.page=true"


def test_values_of_a_sweep_are_those_of_the_task(check: Any) -> None:
    plan = check("task=evaluate", "run_id=abc", "batch_size=8,9", multirun=True)
    assert [job[-1] for job in plan.jobs] == ["task.batch_size=8", "task.batch_size=9"]
    assert plan.swept_keys == ("task.batch_size",)


def test_key_of_several_tasks_is_one_that_all_of_them_have(check: Any) -> None:
    words = ("task=evaluate,predict", "run_id=abc", "batch_size=8")
    plan = check(*words, multirun=True)
    assert all("task.batch_size=8" in job for job in plan.jobs)
    with pytest.raises(ConfigError, match=r"top is not a key"):
        check("task=evaluate,predict", "run_id=abc", "top=3", multirun=True)


@pytest.mark.parametrize("words", [(), ("task=train",), ("task=inspect",)])
def test_key_of_a_training_keeps_its_whole_name(
    check: Any, words: tuple[str, ...]
) -> None:
    with pytest.raises(ConfigError, match=r"Did you mean `task.evaluate_test=false`"):
        check(*words, "evaluate_test=false")


def test_own_task_has_short_keys_too(check: Any, tmp_path: Path) -> None:
    (tmp_path / "task").mkdir()
    task = "_target_: my_components.count\nfarthest: 3\n"
    (tmp_path / "task" / "count.yaml").write_text(task, "utf-8")
    allowed = "allowed_targets=[experiments,keras,my_components]"
    words = ("task=count", allowed, "farthest=5")
    plan = check(*words, extra_config_dir=tmp_path)
    assert plan.run.task.arguments() == {"farthest": 5}


def test_key_of_ones_own_primary_config_stays_that(check: Any, tmp_path: Path) -> None:
    own = "defaults: [config, _self_]\npage: 3\n"
    (tmp_path / "mine.yaml").write_text(own, "utf-8")
    words = ("task=serve", "run_id=abc", "page=true")
    with pytest.raises(ConfigError, match=r"- page is not a key"):
        check(*words, extra_config_dir=tmp_path, config_name="mine")


def test_notebook_types_it_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = compose(["task=serve", "run_id=abc", "page=true"])
    assert config.run.task.page
    assert not config.with_overrides(["page=false"]).run.task.page
