import json
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from experiments.command.composing.overlay import (
    describe_overlay,
    find_links,
    lay_over,
    list_overlay,
)
from experiments.config.identity import name_folder
from experiments.errors import ConfigError

COMPOSED = OmegaConf.create(
    {
        "optimizer": {"_target_": "Adam", "lr": 1e-4, "beta_1": 0.9},
        "trainer": {"epochs": 30, "batch_size": 16, "monitor": "val_accuracy"},
        "callbacks": {
            "timing": {"batch_size": "${trainer.batch_size}"},
            "checkpoint": {"monitor": "${trainer.monitor}", "keep": 2},
        },
        "tags": {},
        "seed": 0,
    }
)
RECORDED = {
    "optimizer": {"_target_": "SGD", "lr": 0.1, "momentum": 0.8},
    "trainer": {"epochs": 3, "batch_size": 64, "monitor": "val_accuracy"},
    "callbacks": {
        "timing": {"batch_size": 64},
        "checkpoint": {"monitor": "val_loss", "keep": 1},
    },
    "tags": {"a": "b"},
    "seed": 5,
}


def change(*typed: str, composed: Any = None) -> dict[str, Any]:
    """Lays over what Hydra would have composed of `typed`."""
    config = OmegaConf.merge(COMPOSED, composed or {})
    for override in list_overlay(typed):
        key, value = override.key_or_group, override.value()
        if override.is_delete():
            config.optimizer.pop(key.removeprefix("optimizer."), None)
        elif "." in key or key == "seed":
            OmegaConf.update(config, key, value, force_add=True)
    resolved: Any = OmegaConf.to_container(config, resolve=True)
    return lay_over(
        RECORDED, list_overlay(typed), composed=resolved, links=find_links(config)
    )


def test_nothing_typed_leaves_the_recorded_config() -> None:
    assert (
        change("from_search=abc", "output_dir=x", "gpu=cpu", "task=train") == RECORDED
    )


def test_a_value_sets_one_key_even_to_the_default() -> None:
    changed = change("from_search=abc", "trainer.epochs=30")
    assert changed["trainer"] == {**RECORDED["trainer"], "epochs": 30}
    assert {**changed, "trainer": RECORDED["trainer"]} == RECORDED


def test_a_chosen_file_replaces_its_group() -> None:
    lion = {"_target_": "Lion", "lr": 3e-5}
    changed = change("optimizer=lion", composed={"optimizer": lion})
    assert changed["optimizer"] == {**COMPOSED.optimizer, **lion}
    assert "momentum" not in changed["optimizer"]


def test_keys_that_followed_the_changed_one_still_do_and_others_do_not() -> None:
    changed = change("trainer.batch_size=8", "trainer.monitor=val_top5_accuracy")
    assert changed["callbacks"]["timing"]["batch_size"] == 8
    assert changed["callbacks"]["checkpoint"]["monitor"] == "val_loss"


def test_what_a_replaced_group_follows_is_of_the_recorded_config() -> None:
    changed = change("callbacks=[timing]")
    assert changed["callbacks"]["timing"]["batch_size"] == 64


def test_keys_are_added_and_removed() -> None:
    changed = change("+optimizer.nesterov=true", "~optimizer.momentum", "seed=7")
    assert changed["optimizer"] == {"_target_": "SGD", "lr": 0.1, "nesterov": True}
    assert changed["seed"] == 7


def test_a_mapping_sets_the_keys_in_it() -> None:
    changed = change("trainer={epochs: 9}", composed={"trainer": {"epochs": 9}})
    assert changed["trainer"] == {**RECORDED["trainer"], "epochs": 9}


@pytest.mark.parametrize(
    ("typed", "counts"),
    [
        (["trainer.epochs=4"], {"trainer.epochs": 4}),
        (["optimizer=sgd", "optimizer.lr=1e-2"], None),
        (["optimizer=sgd", "optimizer.lr=0.01"], None),
        (["tracking=off", "gpu=cpu", "+tags.a=b", "name=x", "fresh=true"], {}),
        (["~callbacks.timing"], {"callbacks.timing": "~"}),
    ],
    ids=str,
)
def test_what_was_typed_tells_jobs_apart_and_its_spelling_does_not(
    check: Any, typed: list[str], counts: Any
) -> None:
    run = check("from_search=abc").run
    described = describe_overlay(["from_search=abc", *typed], run)
    assert described == (counts or described)
    assert (described == {}) == (counts == {})
    json.dumps(described)


def test_a_job_without_a_recorded_config_is_what_its_config_says(check: Any) -> None:
    run = check("trainer.epochs=4").run
    assert describe_overlay(["trainer.epochs=4"], run) == {}


def test_two_typed_sets_are_two_jobs(check: Any) -> None:
    default = check().run.trainer.epochs
    sets = [
        [],
        [f"trainer.epochs={default}"],
        ["trainer.epochs=4"],
        ["trainer.epochs=4", "optimizer=sgd"],
    ]
    folders = [check("from_search=abc", *typed).folder.name for typed in sets]
    assert len(set(folders)) == len(sets)
    assert folders[0] == name_folder("best of abc", check("from_search=abc").run)
    assert folders[3].startswith("best_of_abc-optimizer_sgd-trainer.epochs_4-")
    same = check("from_search=abc", "trainer.epochs=4", "tracking=off").folder.name
    assert same == folders[2]


def test_two_typed_sets_are_two_jobs_of_a_sweep_too(check: Any) -> None:
    default = check().run.trainer.epochs
    one = check("from_search=abc", "seed=1,2", multirun=True)
    two = check(
        "from_search=abc", "seed=1,2", f"trainer.epochs={default}", multirun=True
    )
    assert set(one.job_folders).isdisjoint(two.job_folders)


@pytest.mark.parametrize(
    "typed",
    [
        ["trainer.epochs=4", "optimizer.lr=1"],
        ["optimizer.lr=1.0", "trainer.epochs=4"],
        ["trainer.epochs=3", "++trainer.epochs=4", "optimizer={lr: 1}"],
        ["trainer.epochs=4", "optimizer.lr=1", "debug=null", "experiment=null"],
        ["trainer={epochs: 4}", "optimizer.lr=1e0", "trainer.progress=plain"],
    ],
    ids=str,
)
def test_one_set_is_one_folder_in_any_spelling_and_order(
    check: Any, typed: list[str]
) -> None:
    expected = check("from_search=abc", "optimizer.lr=1.0", "trainer.epochs=4").folder
    assert check("from_search=abc", *typed).folder == expected


def test_typed_values_need_to_fit_the_best_trial_and_not_the_default(
    check: Any,
) -> None:
    # The default trains for fewer epochs than that.
    assert check("from_search=abc", "schedule.warmup_epochs=999").run.from_search


@pytest.mark.parametrize(
    "typed",
    [
        ["optimizer.momentum=0.5"],
        ["+optimizer.nesterov=true"],
        ["optimizer={momentum: 0.5}", "trainer.epochs=4"],
        ["~optimizer.momentum", "optimizer.lr=1e-2"],
        ["callbacks.plateau.patience=3"],
        ["dataset.path=pets", "model.blocks=[1,1]"],
    ],
    ids=str,
)
@pytest.mark.parametrize("multirun", [False, True])
def test_a_key_that_only_the_best_trials_choice_has_is_checked_with_that(
    check: Any, typed: list[str], multirun: bool
) -> None:
    swept = ["seed=1,2"] if multirun else []
    plan = check("from_search=abc", *swept, *typed, multirun=multirun)
    keys = [o.key_or_group for o in list_overlay([*swept, *typed])]
    assert [o.key_or_group for o in list_overlay(plan.job)] == keys


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["optimizer=adam", "optimizer.momentum=0.5"], "optimizer.momentum is not a"),
        (["optimzer.momentum=0.5"], "optimzer is not a key"),
        (["optimizer.momentum=0.5", "trainer.epoch=3"], "trainer.epoch is not a key"),
        (["optimizer=nope"], "optimizer must be one of"),
    ],
    ids=str,
)
def test_a_key_that_no_best_trial_can_have_is_refused_at_once(
    check: Any, typed: list[str], told: str
) -> None:
    with pytest.raises(ConfigError) as error:
        check("from_search=abc", *typed)
    assert told in str(error.value)


def test_a_value_without_a_place_in_the_present_config_is_laid_over() -> None:
    changed = lay_over(
        RECORDED,
        list_overlay(["optimizer.momentum=0.5", "optimizer={nesterov: true}"]),
        composed=OmegaConf.to_container(COMPOSED, resolve=True),  # type: ignore[arg-type]
        links=find_links(COMPOSED),
    )
    expected = {"_target_": "SGD", "lr": 0.1, "momentum": 0.5, "nesterov": True}
    assert changed["optimizer"] == expected


def test_a_path_beside_the_best_trial_is_the_folder_that_it_leads_to(
    check: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = []
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        monkeypatch.chdir(tmp_path / place)
        for pets in ("pets", "./pets", str(tmp_path / place / "pets")):
            typed = ("from_search=abc", f"dataset.path={pets}", "output_dir=/out")
            folders.append(check(*typed).folder)
    assert [len(set(folders[start : start + 3])) for start in (0, 3)] == [1, 1]
    assert folders[0] != folders[3]
