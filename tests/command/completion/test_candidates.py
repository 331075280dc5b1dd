import shutil
from pathlib import Path
from typing import Any

import pytest

from experiments.command.completion.answer import answer_completion, complete
from experiments.command.hydra_node.flags import make_parser
from experiments.errors import ConfigError
from experiments.launch.configs import open_configs
from tests.conftest import CONF


def offer(line: str) -> list[str]:
    def opening(args: Any) -> Any:
        return open_configs(lambda _: None, str(CONF), "config", args)

    return complete(line, make_parser(), opening)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("begun", "found"),
    [
        ("optimi", ["optimizer.", "optimizer="]),
        ("see", ["seed="]),
        ("hydra/sw", ["hydra/sweeper="]),
        ("hydra/sweeper=k", ["hydra/sweeper=keras_tuner"]),
        ("augment=f", ["augment=flip_crop"]),
        ("optimizer.beta", ["optimizer.beta_1=", "optimizer.beta_2="]),
        ("optimizer.lr=", ["optimizer.lr=0.0001"]),
        ("trainer.precision=mixed_f", ["trainer.precision=mixed_float16"]),
        ("fresh=", ["fresh=false", "fresh=true"]),
        ("task=serve pa", ["page="]),
        ("task=serve page=", ["page=false", "page=true"]),
        ("task=serve page=true po", ["port="]),
        ("task=export output=", ["output=logits", "output=probabilities"]),
        ("pag", []),
        ("task=find_lr eval", []),
        ("trainer.jit=", ["trainer.jit=auto", "trainer.jit=false", "trainer.jit=true"]),
        ("optimizer=adam,r", ["optimizer=adam,rmsprop"]),
        ("callbacks=[default,tim", ["callbacks=[default,timing"]),
        ("callbacks.early_stopping.pat", ["callbacks.early_stopping.patience="]),
        ("~callbacks.tim", ["~callbacks.timing."]),
        ("--cfg j", ["job"]),
        ("--config-n", ["--config-name"]),
        ("ini", ["init"]),
        ("seed=1 ini", []),
        ("nothing.at.all", []),
        ("seed=1 [", []),
        ("--config-dir nowhere mod", []),
    ],
)
@pytest.mark.parametrize("program", ["experiments ", "A=1 python run.py "])
def test_word_becomes_what_the_config_has(
    folder: Path, program: str, begun: str, found: list[str]
) -> None:
    assert offer(program + begun) == found


def test_every_option_of_a_group_is_offered_and_no_part_of_one(folder: Path) -> None:
    for group in ("model", "dataset", "tracking"):
        names = {path.stem for path in (CONF / group).glob("*.yaml")}
        assert offer(f"experiments {group}=") == sorted(f"{group}={n}" for n in names)
    assert offer("experiments dataset/") == []


def test_keys_are_those_of_what_was_chosen_before(folder: Path) -> None:
    assert offer("experiments optimizer=sgd optimizer.m") == ["optimizer.momentum="]
    assert offer("experiments optimizer.m") == []


def test_wrong_word_before_does_not_keep_a_word_from_being_completed(
    folder: Path,
) -> None:
    line = "experiments optimizer=sgd model.dept=3 optimizer.m"
    assert offer(line) == ["optimizer.momentum="]


def test_files_beside_and_of_a_typed_folder_are_offered(folder: Path) -> None:
    for place in ("conf", "typed"):
        (folder / place / "model").mkdir(parents=True)
        shutil.copy(
            CONF / "model/resnet18.yaml", folder / place / f"model/x{place}.yaml"
        )
    assert offer("experiments model=x") == ["model=xconf"]
    line = "experiments --config-dir typed model=x"
    assert offer(line) == ["model=xconf", "model=xtyped"]


def test_paths_are_offered_for_keys_and_flags_that_take_one(folder: Path) -> None:
    (folder / "images").mkdir()
    (folder / "image.txt").touch()
    line = "experiments dataset=folder dataset.path="
    assert offer(f"{line}im") == [
        "dataset.path=image.txt",
        "dataset.path=images/",
    ]
    assert offer("experiments --config-dir im") == ["images/"]
    offered = ["input=[a.jpg,image.txt", "input=[a.jpg,images/"]
    assert offer("experiments task=train input=[a.jpg,im") == offered


@pytest.mark.parametrize(
    "words", [[], ["install"], ["install=csh"], ["query=bash", "x"]]
)
def test_other_words_beside_the_flag_are_refused(words: list[str]) -> None:
    with pytest.raises(ConfigError, match="install=bash"):
        answer_completion(words, make_parser(), lambda _: None)  # type: ignore[arg-type, return-value]
