from pathlib import Path
from typing import Any

import pytest

from experiments import job_files
from experiments.errors import ConfigError
from experiments.jobs.weights_file import check_weights


def test_file_that_is_there_and_words_that_are_none_are_fine(
    check: Any, tmp_path: Path
) -> None:
    path = tmp_path / "resnet18.pth"
    path.touch()
    named = (str(path), "run:0123456789abcdef0123456789abcdef")
    for words in ((), *((f"model.weights={name}",) for name in named)):
        check_weights(check("model=resnet18", *words).run, tmp_path / "job")


def test_file_that_is_not_there_is_told_with_those_that_are(
    check: Any, tmp_path: Path
) -> None:
    (tmp_path / "resnet18-f37072fd.pth").touch()
    (tmp_path / "notes.txt").touch()
    path = tmp_path / "resnet18.pth"
    run = check("model=resnet18", f"model.weights={path}").run
    with pytest.raises(ConfigError) as caught:
        check_weights(run, tmp_path / "job")
    assert (
        "model.weights must name a file of weights, and resnet18.pth is not there. "
        f"Received: {path}. There: resnet18-f37072fd.pth." in str(caught.value)
    )
    path.mkdir()
    with pytest.raises(ConfigError, match="is a folder"):
        check_weights(run, tmp_path / "job")


def test_job_that_has_a_saved_state_needs_no_file(check: Any, tmp_path: Path) -> None:
    run = check("model=resnet18", f"model.weights={tmp_path}/gone.pth").run
    folder = tmp_path / job_files.CHECKPOINTS
    folder.mkdir()
    with pytest.raises(ConfigError, match="holds no weights"):
        check_weights(run, tmp_path)
    (folder / job_files.MANIFEST).touch()
    check_weights(run, tmp_path)
