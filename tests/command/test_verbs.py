from pathlib import Path

import pytest

from experiments.command.config_folders.trust import is_trusted
from experiments.command.verbs import answer_verb
from experiments.errors import ConfigError


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("words", [[], ["seed=1"], ["seed=1", "init"], ["train"]])
def test_other_words_are_left_to_the_config(words: list[str]) -> None:
    assert not answer_verb(words)


def test_new_project_is_trusted_and_told_how_to_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert answer_verb(["init", "flowers"])
    assert is_trusted(Path("flowers"))
    assert "cd flowers && experiments experiment=first" in capsys.readouterr().out


def test_new_project_is_written_where_trust_cannot_be_remembered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "settings").touch()
    assert answer_verb(["init", "flowers"])
    assert Path("flowers/README.md").is_file()
    assert "type experiments trust there" in capsys.readouterr().out


def test_trust_is_said_and_taken_back_in_the_folder_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/__init__.py").touch()
    assert answer_verb(["trust"])
    assert is_trusted(tmp_path)
    assert (
        "may name the packages in it, now and later: mine." in capsys.readouterr().out
    )
    assert answer_verb(["distrust"])
    assert not is_trusted(tmp_path)
    assert "is trusted no more" in capsys.readouterr().out
    assert answer_verb(["distrust"])
    assert "was not trusted" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["init"], "needs the name of one new folder"),
        (["init", "a", "b"], "needs the name of one new folder"),
        (["trust"], "is for a folder that holds conf/"),
        (["trust", "mine"], "is typed by itself"),
        (["distrust", "mine"], "is typed by itself"),
    ],
)
def test_what_cannot_be_done_is_refused(words: list[str], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        answer_verb(words)
