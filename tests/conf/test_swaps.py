"""Any option goes with any experiment, or a sentence says what to type."""

import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from experiments.config.code.extras import is_installed
from experiments.errors import Problem
from tests.conf.swaps import (
    BASES,
    GROUPS,
    Swap,
    Swaps,
    list_commands,
    list_options,
    list_words,
    open_swaps,
    read_preset,
)
from tests.conftest import ROOT
from tests.docs.pages import fenced_blocks

EXPERIMENTS = list_options("experiment")
# `trainer` and `tracking` have the same keys in all of their files.
ALIKE = ("trainer", "tracking")
PAIRS = 300
SAMPLE = 25
CALLBACKS = (
    "callbacks=early_stopping",
    "callbacks=[default,tensorboard]",
    "callbacks=[full_length,median_pruner]",
    "callbacks.early_stopping=null",
    "callbacks.checkpoint=null",
    "+callbacks.mine._target_=keras.callbacks.TerminateOnNaN",
)
CONTRADICTIONS = (
    "trainer.epochs=1",
    "trainer.monitor=val_top5_accuracy",
    "trainer.monitor=f1",
    "trainer.monitor=f1 trainer.monitor_mode=min",
    "trainer.jit=true trainer.deterministic=true",
    "trainer.max_steps_per_epoch=20 trainer.steps_per_execution=6",
    "trainer.accumulate_steps=3",
    "augment=flip_crop augment.flip_crop.pad=10",
    "model=resnet50_notebook dataset.image_size=4",
    "model.stem=notebook dataset.image_size=4",
    "model.head=notebook dataset.image_size=8",
    "model=resnet110_v2_cifar model.zero_init_last_scale=true",
    "model=plain34 model.zero_init_last_scale=true",
    "dataset=folder dataset.path=/images dataset.channels=1",
    "dataset=synthetic dataset.classes=500",
    "experiment=imagenet_resnet50 dataset.path=/images gpu=cpu",
    "backend=jax trainer.onednn=true",
    "backend=jax trainer.threads=2",
)


@pytest.fixture(scope="module")
def swaps() -> Iterator[Swaps]:
    with pytest.MonkeyPatch.context() as patch, open_swaps(patch) as opened:
        yield opened


def draw(count: int, *, groups: int) -> list[tuple[str, Swap]]:
    """Returns swaps of so many groups at once, always the same ones."""
    chance = random.Random(22)
    drawn: list[tuple[str, Swap]] = []
    for _ in range(count):
        chosen = chance.sample(sorted(GROUPS), groups)
        options = {group: chance.choice(GROUPS[group]) for group in chosen}
        drawn.append((chance.choice(BASES), options))
    return drawn


def judge(swaps: Swaps, base: str, swap: Swap) -> None:
    """Asserts that a swap is valid, or that typing what its problems say makes it so.

    What is wrong without the swap is no fault of it.
    """
    problems = swaps.check_swap(base, swap)
    unswapped = {*map(str, swaps.check_swap(base, {}))} if problems else set()
    own = [problem for problem in problems if str(problem) not in unswapped]
    for problem in own:
        assert any(f"{g}." in str(problem) or f"{g}=" in str(problem) for g in swap)
    for typed in list_ways(problems) if own else ():
        assert can_be_mended(swaps, base, swap, typed), (base, swap, typed)


def can_be_mended(swaps: Swaps, base: str, swap: Swap, typed: list[str]) -> bool:
    """Tells whether typing what is said, and then what is said of that, is enough.

    Contradictions are looked for when each key by itself is right.
    """
    for _ in range(3):
        problems = swaps.check_swap(base, swap, typed)
        if not problems:
            return True
        typed = [*typed, *next(list_ways(problems))]
    return False


def list_ways(problems: Sequence[Problem]) -> Iterator[list[str]]:
    """Yields what may be typed: one way out of each problem, each way once."""
    ways = [list_commands(problem.hint) for problem in problems]
    for problem, commands in zip(problems, ways, strict=True):
        assert commands, f"Nothing to type: {problem}"
    first = list(dict.fromkeys(commands[0] for commands in ways))
    yield first
    for number, commands in enumerate(ways):
        for command in commands[1:]:
            others = (c[0] for i, c in enumerate(ways) if i != number)
            yield list(dict.fromkeys([*others, command]))


@pytest.mark.parametrize("base", BASES)
def test_preset_lacks_only_what_it_says(swaps: Swaps, base: str) -> None:
    for typed in list_ways(swaps.check_swap(base, {})):
        assert not swaps.check([*list_words(base, {}), *typed])


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("base", BASES)
def test_each_option_of_a_group_goes_with_it(
    swaps: Swaps, base: str, group: str
) -> None:
    for option in GROUPS[group]:
        judge(swaps, base, {group: option})


def test_two_options_at_once_go_with_it(swaps: Swaps) -> None:
    for base, swap in draw(PAIRS, groups=2):
        judge(swaps, base, swap)


@pytest.mark.parametrize("line", CONTRADICTIONS)
def test_contradiction_says_what_to_type(swaps: Swaps, line: str) -> None:
    if "jax" in line and not is_installed("jax"):
        pytest.skip("JAX is not installed.")
    problems = swaps.check(line.split())
    assert problems
    for typed in list_ways(problems):
        assert not swaps.check([*line.split(), *typed]), typed


@pytest.mark.parametrize(("base", "swap"), draw(SAMPLE, groups=1))
def test_hydra_composes_a_swap_of_the_option_alone(
    swaps: Swaps, base: str, swap: Swap
) -> None:
    words = list_words(base, swap)
    assert swaps.compose(words) == swaps.swap(base, swap)
    # Only what was composed by Hydra knows from which line a value comes.
    told = {
        re.sub(r" It comes from .*?\.yaml, line \d+\.", "", str(problem))
        for problem in swaps.check(words)
    }
    assert told == {*map(str, swaps.check_swap(base, swap))}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_experiment_sets_no_key_of_an_option(name: str) -> None:
    foreign = read_preset(f"experiment={name}").keys() & GROUPS.keys() - {*ALIKE}
    assert not foreign, "Such values belong into a file that the experiment chooses."


def test_experiment_of_the_page_can_be_varied(check: Any, tmp_path: Path) -> None:
    for language, text, _ in fenced_blocks(ROOT / "docs" / "configs.md"):
        named = re.search(r"^# conf/(\w+/\w+\.yaml)$", text, re.MULTILINE)
        if language == "yaml" and named:
            path = tmp_path / named[1]
            path.parent.mkdir()
            path.write_text(text)

    def compose(*words: str) -> Any:
        return check("experiment=photos", *words, extra_config_dir=tmp_path).run

    assert (compose().optimizer.lr, compose().trainer.epochs) == (3e-4, 30)
    assert compose("optimizer=sgd").optimizer == check("optimizer=sgd").run.optimizer


@pytest.mark.parametrize("base", BASES[1:])
def test_preset_sets_only_keys_that_every_option_has(swaps: Swaps, base: str) -> None:
    own = read_preset(base)
    for group in own.keys() & GROUPS.keys():
        for option, node in swaps.nodes[group].items():
            set_keys = {key for key, value in own[group].items() if _is_part(value)}
            assert set_keys <= node.keys(), f"{group}={option}"


def _is_part(value: object) -> bool:
    """Tells whether a value needs something to be a part of; a component needs none."""
    return value is not None and not (isinstance(value, dict) and "_target_" in value)


@pytest.mark.parametrize("words", CALLBACKS)
@pytest.mark.parametrize("name", ["cifar10_resnet110", "digits_resnet50"])
def test_callback_goes_with_an_experiment(swaps: Swaps, name: str, words: str) -> None:
    assert not swaps.check([f"experiment={name}", words])


def test_callback_that_is_typed_is_there(swaps: Swaps) -> None:
    words = ["experiment=cifar10_resnet110", "callbacks=early_stopping"]
    assert swaps.compose(words)["callbacks"]["early_stopping"]["patience"] == 20


@pytest.mark.parametrize(
    ("name", "option", "lr"),
    [
        ("cifar10_resnet110", "optimizer=adam", 1e-4),
        ("digits_resnet50", "optimizer=sgd", 0.1),
    ],
)
def test_optimizer_that_is_typed_has_its_own_rate(
    swaps: Swaps, name: str, option: str, lr: float
) -> None:
    words = [f"experiment={name}", option]
    assert float(swaps.compose(words)["optimizer"]["lr"]) == lr


@pytest.mark.parametrize(
    "word",
    ["dataset=cifar10", "optimizer=adamw"],
)
def test_search_goes_with_another_option(check: Any, word: str) -> None:
    plan = check("experiment=search_resnet50", word, multirun=True)
    assert plan.search is not None


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_task_that_uses_no_experiment_says_which_one_does(
    check: Any, name: str
) -> None:
    words = [f"experiment={name}", "dataset=digits", "model=resnet50"]
    problems = check(*words, "task=reproduce").unused
    for problem in problems:
        assert list_commands(problem.hint) == ["task=train"]
    assert not check(*words, "task=train").unused
