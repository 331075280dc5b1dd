"""Words that are no overrides, beside each other and alone."""

from typing import Any

import pytest

from experiments.errors import ConfigError


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["model", "=", "resnet18"], ["model = resnet18 has spaces"]),
        (["model=", "resnet18", "seed=1"], ["model= resnet18 has spaces"]),
        (
            ["lr", "=0.1"],
            ["lr =0.1 has spaces around the =. Did you mean `optimizer.l"],
        ),
        (["lr", "0.1", "epochs", "3"], ["lr 0.1 lacks a =.", "epochs 3 lacks a =."]),
        (["seed=1,", "2,", "3"], ["seed has spaces between its values. To run each"]),
        (["tags={a:", "1,", "b:", "2}"], ["tags has a space in its value"]),
        (["name=my", "first", "run"], ["name has a space in its value"]),
        (["name=my", "help"], ["help is no key=value. Did you mean `--help`?"]),
        (["nothing", "else"], ["nothing is no key=value.", "else is no key=value."]),
        (["run.py", "seed=1"], ["run.py is the command itself. Type it once."]),
        (["seed"], ["seed has no value. Type seed=..."]),
        (["seed:3"], ["seed:3 has a : for a =. Did you mean `seed=3`?"]),
        (["my.yaml"], ["my.yaml is no key=value. Type key=value"]),
        (
            ["./my.yaml"],
            ["./my.yaml is no key=value. Files of your own stand in conf/"],
        ),
    ],
)
def test_words_that_belong_together_are_one_mistake(
    check: Any, words: list[str], told: list[str]
) -> None:
    with pytest.raises(ConfigError) as error:
        check(*words)
    found = [str(problem) for problem in error.value.problems]
    assert len(found) == len(told), found
    assert all(map(str.startswith, found, told)), found
    assert str(error.value).startswith("The command line has")


def test_secret_that_is_typed_with_spaces_is_not_shown(check: Any) -> None:
    for words in (["tracking.token", "=", "hush"], ["tracking.token=", "hush"]):
        with pytest.raises(ConfigError) as error:
            check(*words)
        assert "hush" not in str(error.value)


def test_folder_of_images_is_meant_where_there_is_one(
    check: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "flowers").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"`dataset=folder dataset\.path=flowers`"):
        check("flowers")
