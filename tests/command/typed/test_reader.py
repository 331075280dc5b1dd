"""Texts are taken as they were typed; what is no text is told."""

import subprocess
from typing import Any

import pytest
from omegaconf import OmegaConf

from experiments.command.composing.composer import quote_word
from experiments.errors import ConfigError

# Names of folders that people have.
NAMES = [
    *("~/photos", "Fotos_Müller", "it's", "photos (1)", "x=1", "my photos", "日本"),
    *("{a}", "[a]", "[2024] sea", "a&b", "a;b", "a#b", "a!b", "50%", "a^b", "a*b"),
    *('the "best"', "a`b", "a|b", "a<b>", "C:\\Users\\me", "a$b", "(a", "a]", "…"),
    *("a: b", "a b (2) [x]", "int(a", "1e3", "true", "-5", "@home", "+1"),
]
SHELL = ["bash", "-c"]


def read_words(command: str) -> list[str]:
    done = subprocess.run([*SHELL, f"printf '%s\\0' {command}"], capture_output=True)
    return done.stdout.decode().split("\0")[:-1]


@pytest.mark.parametrize("name", NAMES)
def test_text_is_taken_as_it_was_typed(check: Any, name: str) -> None:
    words = [f"name={name}", f"tracking.experiment={name}"]
    # A label may be a number too, and is no list.
    is_label = not name.startswith(("[", "{", "-", "+1", "1", "true"))
    plan = check(*words, *([f"+tags.x={name}"] if is_label else []))
    assert (plan.run.name, plan.run.tracking.experiment) == (name, name)
    assert plan.run.tags == ({"x": name} if is_label else {})
    # What was taken is what the job is run with, and found again by.
    again = check(*plan.overrides)
    assert (again.run, again.folder) == (plan.run, plan.folder)


@pytest.mark.parametrize("name", NAMES)
def test_path_is_taken_as_it_was_typed(check: Any, name: str) -> None:
    plain = check("dataset=folder", f"dataset.path=/data/{name}").run.dataset.path
    assert plain == f"/data/{name}"


def test_home_is_meant_by_its_sign(check: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    run = check("dataset=folder", "dataset.path=~/it's", "output_dir=~/out (1)").run
    assert run.dataset.path == "/home/ada/it's"
    assert run.output_dir == "/home/ada/out (1)"


@pytest.mark.parametrize("name", [*NAMES, "a,b", "a, b"])
def test_quoted_text_is_taken_when_a_shell_has_read_it(check: Any, name: str) -> None:
    (word,) = read_words(quote_word("name", name))
    assert check(word).run.name == name


@pytest.mark.parametrize(
    ("words", "key", "value"),
    [
        (["tags={}", "+tags.purpose=prüfung"], "tags", {"purpose": "prüfung"}),
        (["++tags={a: prüfung, b: 猫}"], "tags", {"a": "prüfung", "b": "猫"}),
        (
            [
                *("dataset=folder", "dataset.path=/x"),
                "dataset.splits={train: übung 1, test: prüfung}",
            ],
            "dataset.splits",
            {"train": "übung 1", "test": "prüfung"},
        ),
        (
            [
                *("dataset=table", "dataset.table=/x.csv", "loss=binary_focal"),
                *("trainer.monitor=val_map", "dataset.label_columns=[rot,grün, a b]"),
            ],
            "dataset.label_columns",
            ["rot", "grün", "a b"],
        ),
    ],
)
def test_texts_in_lists_and_mappings_need_no_quotes(
    check: Any, words: list[str], key: str, value: object
) -> None:
    assert OmegaConf.select(check(*words).config, key) == value


def test_text_with_a_comma_is_answered_with_both_commands(check: Any) -> None:
    with pytest.raises(ConfigError) as error:
        check("name=Müller, Sohn")
    told = str(error.value)
    assert "Add -m to run each of them" in told
    (word,) = read_words(told.rpartition("pass a text: ")[2])
    assert check(word).run.name == "Müller, Sohn"


def test_comma_divides_the_texts_of_a_sweep(check: Any) -> None:
    plan = check("name=Müller, it's,1e3", multirun=True)
    assert [check(*job).run.name for job in plan.jobs] == ["Müller", "it's", "1e3"]


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("trainer.epochs=it's", "trainer.epochs must be an integer >= 1. Received:"),
        ("model=it's", "model must be one of "),
        ("nothing=it's", "nothing is not a key of this configuration."),
        ("optimizer.lr=exp(3)", "optimizer.lr is refused: 'exp(3)': there is no exp"),
        ("+model.own=[it's]", "+model.own has a value that cannot be read."),
        ("hydra.verbose=it's", "hydra.verbose has a value that cannot be read."),
        ("optimizer.lr=1e-3,", "optimizer.lr has nothing behind its last comma."),
    ],
)
def test_text_that_does_not_belong_there_is_told(
    check: Any, word: str, told: str
) -> None:
    with pytest.raises(ConfigError) as error:
        check(word)
    (problem,) = error.value.problems
    assert str(problem).startswith(told)
