"""What a search is told before anything runs."""

from pathlib import Path
from typing import Any

import pytest

from experiments.command.sweeping.search_plan import sample_jobs
from experiments.errors import ConfigError
from tests.conftest import CONF

SEARCH = ("hydra/sweeper=keras_tuner", "optimizer.lr=tag(log,interval(1e-5,1e-2))")


@pytest.fixture
def plan(check: Any) -> Any:
    return lambda *overrides: check(*SEARCH, *overrides, multirun=True)


def test_a_plan_holds_the_search_its_space_and_what_every_trial_has(plan: Any) -> None:
    planned = plan("model=resnet18,resnet34", "trainer.epochs=3")
    assert planned.search.config.oracle == "random"
    assert planned.search.config.objective.name == "val_accuracy"
    assert planned.search.config.hyperband.max_epochs == 3
    assert planned.search.space.keys == ("optimizer.lr", "model")
    assert planned.search.fixed == ("trainer.epochs=3",)
    assert planned.swept_keys == ("optimizer.lr", "model")
    assert planned.jobs == ()


def test_trials_with_several_seeds_are_told_apart_by_them(plan: Any) -> None:
    assert plan("hydra.sweeper.repeats=2").swept_keys == ("optimizer.lr", "seed")


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (
            ["optimizer.lrr=1,2"],
            [
                "The search space has 1",
                "optimizer.lrr",
                "Did you mean `optimizer.lr=1,2`?",
            ],
        ),
        (["model=resnet18,resnet51"], ["model must be one of", "resnet51"]),
        (["trainer.batch_size=0,16"], ["trainer.batch_size must be an integer >= 1"]),
        (["model.dropout=interval(0,2)"], ["model.dropout must be a number", "2.0"]),
        (["hydra.sweeper.oracle=baysian"], ["hydra.sweeper.oracle must be one of"]),
        (
            ["hydra.sweeper.objective.name=val_acc"],
            ["hydra.sweeper.objective.name must be one of", "`val_accuracy`?"],
        ),
        (["hydra.sweeper.max_trials=0"], ["hydra.sweeper.max_trials must be"]),
        (["hydra.sweeper.max_trials=null"], ["max_trials must not be null"]),
        (["hydra.sweeper.n_jobs=2"], ["n_jobs must be 1 with the basic launcher"]),
        (["optimizer.lr=1e-3"], ["has no parameter"]),
        (["hydra.sweeper.when={model: 'optimizer=sgd'}"], ["names no parameter"]),
        (
            ["hydra.sweeper.oracle=hyperband", "hydra.sweeper.hyperband.max_epochs=99"],
            ["max_epochs must not be above trainer.epochs=5. Received: 99"],
        ),
        (
            ["hydra.sweeper.oracle=hyperband", "trainer.epochs=3,9"],
            ["trainer.epochs cannot be searched by Hyperband"],
        ),
        (
            ["seed=range(0,3)", "hydra.sweeper.repeats=2"],
            ["seed cannot be searched with hydra.sweeper.repeats"],
        ),
        (
            ["hydra.sweeper.oracle=hyperband", "hydra.sweeper.repeats=3"],
            ["repeats must be 1 with oracle=hyperband"],
        ),
    ],
)
def test_what_is_wrong_is_told_before_anything_runs(
    plan: Any, overrides: list[str], words: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        plan(*overrides)
    for word in words:
        assert word in str(caught.value)


def test_a_value_that_is_wrong_under_one_choice_only_is_found(plan: Any) -> None:
    """Adam has no momentum: without a condition every second trial would fail."""
    hint = r"hydra\.sweeper\.when={optimizer\.momentum: 'optimizer=\.\.\.'}"
    with pytest.raises(ConfigError, match=hint):
        plan("optimizer=sgd,adam", "optimizer.momentum=interval(0,0.9)")
    planned = plan(
        "optimizer=sgd,adam",
        "optimizer.momentum=interval(0,0.9)",
        "hydra.sweeper.when={optimizer.momentum: 'optimizer=sgd'}",
    )
    assert planned.search.space.keys == (
        "optimizer.lr",
        "optimizer",
        "optimizer.momentum",
    )


def test_the_folder_is_named_by_the_search_and_not_by_its_budget(plan: Any) -> None:
    folder = plan().folder
    for same in (
        "max_trials=99",
        "max_retries=3",
        "keep_top=1",
        "trial_minutes=5",
        "silent_minutes=5",
    ):
        assert plan(f"hydra.sweeper.{same}").folder == folder, same
    others = [
        plan("hydra.sweeper.seed=1"),
        plan("hydra.sweeper.oracle=grid"),
        plan("hydra.sweeper.repeats=2"),
        plan("trainer.epochs=3"),
        plan("model=resnet18,resnet34"),
        plan("optimizer.lr=tag(log,interval(1e-5,1e-1))"),
    ]
    assert len({folder, *(other.folder for other in others)}) == 7


def test_a_preset_brings_space_oracle_and_budget(check: Any) -> None:
    planned = check("experiment=search_resnet50", multirun=True)
    assert planned.search.config.oracle == "hyperband"
    assert planned.search.space.keys == (
        "optimizer",
        "optimizer.lr",
        "model.dropout",
        "optimizer.momentum",
    )
    fixed = check("experiment=search_resnet50", "optimizer=adam", multirun=True)
    assert fixed.search.space.keys == ("optimizer.lr", "model.dropout")


def test_a_preset_can_be_run_as_a_single_job(check: Any) -> None:
    assert check("experiment=search_resnet50").search is None


def test_a_large_space_is_checked_at_its_ends(plan: Any) -> None:
    many = [f"+tags.a{i}=1,2,3" for i in range(9)]
    with pytest.raises(ConfigError, match=r"trainer\.batch_size"):
        plan(*many, "trainer.batch_size=16,0")


@pytest.mark.parametrize(
    ("overrides", "options", "hint"),
    [
        (["optimizer.lr=interval(0,1)"], {}, "Add -m hydra/sweeper=keras_tuner"),
        (
            ["optimizer.lr=interval(0,1)"],
            {"multirun": True},
            "Add hydra/sweeper=keras_tuner.",
        ),
        (["hydra/launcher=ray"], {"multirun": True}, r"pip install -e '.*\[ray\]'"),
        (["hydra/launcher=jobli"], {"multirun": True}, "mean `joblib`"),
        (["hydra/sweeper=keras_tunr"], {"multirun": True}, "mean `keras_tuner`"),
    ],
)
def test_the_way_to_a_search_is_told(
    check: Any, overrides: list[str], options: dict[str, bool], hint: str
) -> None:
    with pytest.raises(ConfigError, match=hint):
        check(*overrides, **options)


@pytest.mark.parametrize(
    "overrides",
    [
        # The base is Adam's, which has no momentum.
        ["optimizer=sgd,rmsprop", "optimizer.momentum=0.9"],
        ["optimizer=sgd,rmsprop", "optimizer.momentum=0.8,0.9"],
        ["dataset=folder", "dataset.path=a,b"],
        ["trainer.accumulate_steps=3", "trainer.batch_size=24,48"],
        ["schedule.warmup_epochs=9", "trainer.epochs=10,20"],
        [
            "dataset=synthetic",
            "trainer.monitor=val_top5_accuracy",
            "dataset.classes=20,30",
        ],
    ],
    ids=" ".join,
)
def test_what_a_sweep_accepts_is_accepted(check: Any, overrides: list[str]) -> None:
    assert check(*overrides, multirun=True).search is None
    search = check("hydra/sweeper=keras_tuner", *overrides, multirun=True).search
    assert set(search.fixed) == {o for o in overrides if "," not in o}


@pytest.mark.parametrize(
    "overrides",
    [
        ["optimizer=adam,sgd", "optimizer.momentum=0.9"],
        ["optimizer=adam,sgd", "optimizer.momentum=0.8,0.9"],
        ["optimizer=sgd,rmsprop", "optimizer.momentun=0.9"],
        ["model=resnet18,resnet51"],
        ["dataset=folder", "optimizer.lr=1e-3,1e-4"],
        ["trainer.accumulate_steps=5", "trainer.batch_size=24,48"],
        ["trainer.epochs=0", "model=resnet18,resnet34"],
        ["trainer.monitor=val_top5_accuracy", "dataset=cifar100,cifar10"],
    ],
    ids=" ".join,
)
def test_what_a_sweep_refuses_is_refused_for_the_same_reason(
    check: Any, overrides: list[str]
) -> None:
    found = []
    for sweeper in ("basic", "keras_tuner"):
        with pytest.raises(ConfigError) as caught:
            check(f"hydra/sweeper={sweeper}", *overrides, multirun=True)
        found.append({(p.key, p.message) for p in caught.value.problems})
    assert found[0] == found[1]


def test_a_value_with_a_condition_is_set_only_where_it_holds(check: Any) -> None:
    search = check(
        "hydra/sweeper=keras_tuner",
        "optimizer=adam,sgd",
        "optimizer.momentum=0.9",
        "hydra.sweeper.when={optimizer.momentum: 'optimizer=sgd'}",
        multirun=True,
    ).search
    assert search.fixed == ()
    assert sample_jobs(search) == [
        ("optimizer=adam",),
        ("optimizer=sgd", "optimizer.momentum=0.9"),
    ]


def test_what_is_wrong_in_every_trial_names_none(plan: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        plan("trainer.epochs=0", "model=resnet18,resnet34")
    assert [str(problem) for problem in caught.value.problems] == [
        "trainer.epochs must be an integer >= 1. Received: 0."
    ]


@pytest.mark.parametrize("sweeper", ["basic", "keras_tuner"])
def test_a_group_that_only_the_jobs_choose_may_be_open(
    check: Any, tmp_path: Path, sweeper: str
) -> None:
    config = (CONF / "config.yaml").read_text()
    (tmp_path / "open.yaml").write_text(config.replace("resnet50", "???"))
    options: dict[str, Any] = {"config_name": "open", "extra_config_dir": tmp_path}
    choice = "model=resnet18,resnet34"
    plan = check(f"hydra/sweeper={sweeper}", choice, multirun=True, **options)
    assert plan.config.model.depth == 18
    with pytest.raises(ConfigError, match="model"):
        check(**options)
