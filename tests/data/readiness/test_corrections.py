from pathlib import Path
from typing import Any

import pytest

from experiments.data.readiness.check import check_data
from experiments.errors import ConfigError
from tests.data.readiness.test_check import make

HEAD = "sample,proposed,action\n"


def write(folder: Path, *lines: str) -> str:
    path = folder / "c.csv"
    path.write_text(HEAD + "".join(f"{line}\n" for line in lines))
    return f"dataset.corrections={path}"


def find_problems(run: Any) -> list[str]:
    with pytest.raises(ConfigError) as error:
        check_data([run])
    return [str(problem) for problem in error.value.problems]


def test_folder_has_the_samples_and_classes_or_is_refused(
    compose: Any, tmp_path: Path
) -> None:
    words = ["dataset=folder", f"dataset.path={make(tmp_path / 'pets')}"]
    fine = write(tmp_path, "cat/1.png,dog,relabel", "dog/2.png,,drop")
    check_data([compose(*words, fine)])
    wrong = write(tmp_path, "cat/1.png,cow,relabel", "cat/99.png,,drop", "../x,,drop")
    assert find_problems(compose(*words, wrong)) == [
        "dataset.corrections (c.csv) line 2: 'cow' is no class of the data set.",
        "dataset.corrections (c.csv) line 3: cat/99.png is no image of the data set.",
        "dataset.corrections (c.csv) line 4: ../x is no image of the data set.",
    ]


@pytest.mark.parametrize("name", ["1797", "-1", "007", "x"])
def test_image_in_memory_is_a_number_below_their_count(
    name: str, compose: Any, tmp_path: Path
) -> None:
    check_data([compose(write(tmp_path, "0,3,relabel", "1796,,drop"))])
    (problem,) = find_problems(compose(write(tmp_path, f"{name},,drop")))
    assert f"line 2: {name} is no image of the data set" in problem


def test_edited_file_is_looked_at_again(compose: Any, tmp_path: Path) -> None:
    words = ["dataset=folder", f"dataset.path={make(tmp_path / 'pets')}"]
    check_data([compose(*words, write(tmp_path, "cat/1.png,,drop"))])
    assert find_problems(compose(*words, write(tmp_path, "cat/1.png,,dorp")))


def test_same_file_in_many_jobs_is_told_once(compose: Any, tmp_path: Path) -> None:
    wrong = write(tmp_path, "0,,dorp")
    with pytest.raises(ConfigError) as error:
        check_data([compose(wrong, f"seed={seed}") for seed in range(3)])
    assert len(error.value.problems) == 1


def test_command_is_refused_before_anything_is_left(
    run_command: Any, tmp_path: Path
) -> None:
    done = run_command(write(tmp_path, "3,,dorp"), "model=resnet20_cifar", cold=True)
    assert done.returncode == 2
    told = "line 2: action must be one of keep, relabel, drop, not 'dorp'"
    assert told in done.stderr
    assert not (tmp_path / "outputs").exists()
