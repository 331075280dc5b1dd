"""A key of another option is told with its file, its option and a way out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from experiments.command.answers.provenance import Place
from experiments.command.composing import loader
from experiments.errors import ConfigError, Problem
from tests.conf.swaps import list_commands

# An experiment that sets keys of what it chooses.
MINE = """\
# @package _global_
defaults:
  - override /model: resnet18
  - override /augment: flip_crop
  - override /optimizer: sgd
  - override /schedule: step

# Lines are counted from here too.
optimizer: {lr: 0.2, nesterov: true}
schedule:
  every_epochs: 2

augment:
  flip_crop:
    pad: 1
"""
SEARCH = """\
# @package _global_
defaults:
  - override /augment: flip_crop
  - override /hydra/sweeper: keras_tuner

hydra:
  sweeper:
    params:
      augment.flip_crop.pad: 1,2
      optimizer.lr: 1e-3,1e-4
"""
OWN = "_target_: my_components.Own\nspeed: 3\n"
ALLOWED = "allowed_targets=[experiments,keras.optimizers,my_components]"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Holds configs of a user's own, who types commands beside it."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "my_conf"
    files = {"experiment/mine.yaml": MINE, "schedule/own.yaml": OWN}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def find(check: Any, folder: Path) -> Any:
    """Returns the problems of a command line, with those configs."""

    def find(*words: str, **options: Any) -> Sequence[Problem]:
        try:
            check(*words, extra_config_dir=folder, **options)
        except ConfigError as error:
            return error.problems
        return ()

    return find


def test_key_of_a_file_is_told_with_its_line_and_option(find: Any) -> None:
    assert [str(problem) for problem in find("experiment=mine", "schedule=cosine")] == [
        "schedule.every_epochs is not a key of schedule=cosine but of schedule=step. "
        "It comes from my_conf/experiment/mine.yaml, line 11. "
        "To go without it, type ~schedule.every_epochs"
    ]


@pytest.mark.parametrize(
    ("swap", "key"),
    [
        ("schedule=constant", "schedule.every_epochs"),
        ("optimizer=adam", "optimizer.nesterov"),
        ("augment=none", "augment.flip_crop.pad"),
        ("augment=inception_crop", "augment.flip_crop.pad"),
        ("debug=one_step schedule=cosine", "schedule.every_epochs"),
    ],
)
def test_what_is_said_to_be_typed_mends_it(find: Any, swap: str, key: str) -> None:
    words = ["experiment=mine", *swap.split()]
    (problem,) = find(*words)
    assert problem.key == key
    assert list_commands(problem.hint) == [f"~{key}"]
    assert not find(*words, f"~{key}")


def test_several_keys_of_a_file_are_told_at_once(find: Any) -> None:
    words = ["experiment=mine", "schedule=cosine", "optimizer=adam", "augment=none"]
    typed = [c for p in find(*words) for c in list_commands(p.hint)]
    assert typed == [
        "~augment.flip_crop.pad",
        "~optimizer.nesterov",
        "~schedule.every_epochs",
    ]
    assert not find(*words, *typed)


@pytest.mark.parametrize("option", ["flip_crop", "inception_crop"])
def test_former_key_of_an_augmentation_is_answered_with_the_present_one(
    find: Any, option: str
) -> None:
    (problem,) = find(f"augment={option}", "augment.flip=false")
    assert problem.hint == f"Did you mean `augment.{option}.flip=false`?"


def test_file_of_an_experiment_goes_with_the_options_that_it_chooses(find: Any) -> None:
    assert not find("experiment=mine")


@pytest.mark.parametrize("word", ["experiment=mine", "debug=one_step"])
def test_component_of_ones_own_takes_no_key_of_another_one(
    find: Any, word: str
) -> None:
    words = [word, "schedule=own", ALLOWED]
    (problem,) = find(*words)
    assert "is not a key of schedule=own but of schedule=" in problem.message
    assert not find(*words, *list_commands(problem.hint))


def test_component_of_ones_own_takes_keys_beside_its_target(
    find: Any, folder: Path
) -> None:
    whole = "# @package _global_\nschedule: {_target_: my_components.Own, power: 2}\n"
    (folder / "experiment" / "whole.yaml").write_text(whole)
    assert not find("experiment=whole", "schedule=own", ALLOWED)
    assert not find("schedule=own", "+schedule.power=2", ALLOWED)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            "schedule=cosine schedule.every_epochs=3",
            "schedule.every_epochs is not a key of schedule=cosine but of "
            "schedule=step. Leave it out, or type schedule=step",
        ),
        (
            "optimizer=adam optimizer.momentum=0.9",
            "optimizer.momentum is not a key of optimizer=adam but of "
            "optimizer=muon, rmsprop, sgd. Leave it out, or choose one of these.",
        ),
        (
            "callbacks.plateau.factor=0.5",
            "callbacks.plateau is not a key of callbacks=default but of "
            "callbacks=plateau. Leave it out, or type 'callbacks=[default,plateau]'",
        ),
        (
            "model.dept=18",
            "model.dept is not a key of this configuration. Did you mean "
            "`model.depth=18`?",
        ),
        (
            "~callbacks.early_stopping callbacks=full_length",
            "callbacks.early_stopping is null already. Leave ~callbacks.early_stopping "
            "out.",
        ),
        (
            "+callbacks=tensorboard",
            "callbacks has a file already, and takes another in its place. To have "
            "both, type 'callbacks=[default,tensorboard]'",
        ),
        (
            "+schedule=step",
            "schedule has a file already, and takes another in its place. Drop the +: "
            "schedule=step",
        ),
    ],
)
def test_typed_key_is_told_with_the_options_that_have_it(
    find: Any, words: str, told: str
) -> None:
    assert [str(problem) for problem in find(*words.split())] == [told]


@pytest.mark.parametrize(
    "words", ["schedule.every_epochs=3", "callbacks.plateau.factor=0.5"]
)
def test_option_that_has_a_typed_key_takes_it(find: Any, words: str) -> None:
    (problem,) = find(words)
    assert not find(words, *list_commands(problem.hint))


def test_mistyped_key_of_a_file_is_told_with_its_line(find: Any, folder: Path) -> None:
    path = folder / "experiment" / "mistyped.yaml"
    path.write_text("# @package _global_\ntrainer:\n  epochs: 3\n  epoch: 2\n")
    (problem,) = find("experiment=mistyped")
    assert str(problem) == (
        "trainer.epoch is not a key of this configuration. It comes from "
        "my_conf/experiment/mistyped.yaml, line 4. Did you mean `trainer.epochs`?"
    )


def test_key_of_a_groups_own_file_is_told_with_its_line(
    find: Any, folder: Path
) -> None:
    path = folder / "schedule" / "slow.yaml"
    path.write_text("defaults: [cosine, _self_]\n\nspeed: 1\n")
    (problem,) = find("schedule=slow")
    assert "It comes from my_conf/schedule/slow.yaml, line 3." in problem.message


def test_sweep_tells_a_key_of_one_of_its_jobs(find: Any) -> None:
    (problem,) = find(
        "experiment=mine", "schedule=step,cosine", "seed=0,1", multirun=True
    )
    assert problem.key == "schedule.every_epochs"
    assert "(in 2 of 4 jobs, first in job 3: schedule=cosine seed=0)" in problem.hint


def test_search_of_a_file_goes_without_a_key_of_another_option(
    find: Any, folder: Path
) -> None:
    path = folder / "experiment" / "search_pad.yaml"
    path.write_text(SEARCH)
    words = ["experiment=search_pad", "augment=none"]
    (problem,) = find(*words, multirun=True)
    assert problem.key == "augment.flip_crop.pad"
    params = "hydra.sweeper.params={augment.flip_crop.pad: null}"
    hint = f"To search without it, type '{params}'"
    assert problem.hint.startswith(hint)
    typed = hint.split("'")[1]
    assert not find(*words, typed, multirun=True)


def test_parameter_set_to_null_is_not_searched_nor_its_condition_asked_for(
    check: Any, folder: Path
) -> None:
    typed = "hydra.sweeper.params={optimizer.momentum: null, model.dropout: null}"
    plan = check("experiment=search_resnet50", typed, multirun=True)
    assert plan.search.space.keys == ("optimizer", "optimizer.lr")


def test_place_outside_of_the_folder_is_told_whole(tmp_path: Path) -> None:
    assert str(Place(Path("/elsewhere/x.yaml"), 3)) == "/elsewhere/x.yaml, line 3"
    assert str(Place(Path("x.yaml").absolute(), None)) == "x.yaml"


@pytest.mark.usefixtures("unshared_files")
def test_slip_reads_no_option_that_is_not_chosen(
    find: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    monkeypatch.setattr(
        loader.ReadOnce, "_check_file", lambda _, path: read.append(path)
    )
    (problem,) = find("model=resnet18", "model.dept=3")
    assert problem.hint == "Did you mean `model.depth=3`?"
    models = {path for path in read if path.startswith("model/")}
    assert models == {"model/resnet", "model/resnet18"}


@pytest.mark.usefixtures("unshared_files")
@pytest.mark.parametrize(
    "words", ["model.dept=3", "experiment=mine schedule=cosine", "+model.dept=3"]
)
def test_files_are_listed_once_to_compose_and_to_tell(
    find: Any, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    listed: list[Any] = []
    plain = loader.create_defaults_list

    def create(**given: Any) -> Any:
        listed.append(given)
        return plain(**given)

    monkeypatch.setattr(loader, "create_defaults_list", create)
    assert len(find(*words.split())) == 1
    assert len(listed) == 1


MISTAKEN = """\
# @package _global_
defaults:
  - override /hydra/sweeper: keras_tuner
trainer:
  epochs: 0
  monitor: val_acuracy
gpu: [0, x]
hydra:
  sweeper:
    max_trials: 0
    params:
      optimizer.lr: interval(-1, 1)
      trainer.epoch: 1,2
"""


def test_wrong_value_of_a_file_is_told_with_its_line(find: Any, folder: Path) -> None:
    path = folder / "experiment" / "mistaken.yaml"
    path.write_text(MISTAKEN)
    told = {p.key: p.message for p in find("experiment=mistaken", "seed=-1")}
    place = "It comes from my_conf/experiment/mistaken.yaml, line"
    assert told["trainer.epochs"].endswith(f"Received: 0. {place} 5.")
    assert told["gpu[1]"].endswith(f"{place} 7.")
    assert "It comes from" not in told["seed"]  # which was typed


def test_each_job_of_a_sweep_tells_the_line(find: Any, folder: Path) -> None:
    path = folder / "experiment" / "mistaken.yaml"
    path.write_text("# @package _global_\ntrainer:\n  epochs: 0\n")
    (problem,) = find("experiment=mistaken", "seed=1,2", multirun=True)
    assert problem.message.endswith("mistaken.yaml, line 3.")
    assert problem.hint == "(in 2 of 2 jobs)"
    (problem,) = find("experiment=mistaken,mine", multirun=True)
    assert problem.message.endswith("mistaken.yaml, line 3.")


def test_value_that_was_typed_has_no_line(find: Any, folder: Path) -> None:
    path = folder / "experiment" / "mistaken.yaml"
    path.write_text("# @package _global_\ntrainer:\n  epochs: 0\n")
    (problem,) = find("experiment=mistaken", "trainer.epochs=-3")
    assert "It comes from" not in str(problem)


@pytest.mark.parametrize(
    ("typed", "key", "line"),
    [
        ([], "hydra.sweeper.max_trials", 10),
        (["hydra.sweeper.max_trials=3"], "optimizer.lr", 12),
        (["hydra.sweeper.max_trials=3"], "trainer.epoch", 13),
    ],
)
def test_mistake_in_the_space_of_a_search_is_told_with_its_line(
    find: Any, folder: Path, typed: list[str], key: str, line: int
) -> None:
    path = folder / "experiment" / "mistaken.yaml"
    path.write_text(MISTAKEN.replace("epochs: 0", "epochs: 9"))
    typed = [*typed, "trainer.monitor=val_loss", "gpu=cpu"]
    found = {p.key: p for p in find("experiment=mistaken", *typed, multirun=True)}
    assert f"my_conf/experiment/mistaken.yaml, line {line}." in found[key].message


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("defaults:\n  - override /model: resnet19\n", 3),
        ("defaults:\n  - override /optimizer: sgd\n  - override /model: resnet19", 4),
    ],
)
def test_file_that_a_file_chooses_and_that_is_none_is_told_with_its_line(
    find: Any, folder: Path, text: str, line: int
) -> None:
    path = folder / "experiment" / "mistaken.yaml"
    path.write_text(f"# @package _global_\n{text}")
    (problem,) = find("experiment=mistaken")
    place = f"It comes from my_conf/experiment/mistaken.yaml, line {line}."
    assert problem.message.endswith(f"Received: 'resnet19'. {place}")
    assert problem.hint == "Did you mean `resnet18`?"


def test_choice_has_one_name_in_a_file_too(find: Any, folder: Path) -> None:
    """`resnet18.yaml` would name another job than `resnet18`, of the same network."""
    path = folder / "experiment" / "mistaken.yaml"
    text = "# @package _global_\ndefaults:\n  - override /model: resnet18.yaml\n"
    path.write_text(text)
    (problem,) = find("experiment=mistaken")
    assert problem.message.endswith("my_conf/experiment/mistaken.yaml, line 3.")
    assert problem.hint == "Did you mean `resnet18`?"


def test_rows_of_a_file_that_do_not_fit_are_told_with_its_line(
    find: Any, folder: Path
) -> None:
    path = folder / "experiment" / "mistaken.yaml"
    rows = "sweep:\n  zip: {seed: [1, 2], trainer.epochs: [1, 2, 3]}\n"
    path.write_text(f"# @package _global_\n{rows}")
    (problem,) = find("experiment=mistaken", multirun=True)
    assert "It comes from my_conf/experiment/mistaken.yaml, line 3." in problem.message
    typed = "sweep.zip={seed:[1,2],trainer.epochs:[1,2,3]}"
    (problem,) = find("experiment=mistaken", typed, multirun=True)
    assert "It comes from" not in problem.message


def test_parent_of_a_file_that_is_none_is_told_with_its_line(
    find: Any, folder: Path
) -> None:
    path = folder / "schedule" / "slow.yaml"
    path.write_text("# slow\ndefaults: [cosin, _self_]\nspeed: 1\n")
    (problem,) = find("schedule=slow")
    assert "It comes from my_conf/schedule/slow.yaml, line 2." in problem.message
