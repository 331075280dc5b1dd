"""What a job needs is looked for before it, unless it is done."""

from pathlib import Path
from typing import Any

import pytest

from experiments.errors import (
    ConfigError,
)
from experiments.jobs.job import JobResult
from experiments.jobs.place import choose_place
from experiments.launch.readiness import check_sweep_weights, list_unfinished


@pytest.mark.parametrize("done", [(), (0,), (0, 1)])
def test_images_of_finished_jobs_need_not_be_there(
    check: Any, tmp_path: Path, done: tuple[int, ...]
) -> None:
    words = ("dataset=folder", "dataset.path=/gone", "seed=0,1")
    plan = check(*words, f"output_dir={tmp_path}", multirun=True)
    for number in done:
        folder = plan.folder / plan.job_folders[number]
        folder.mkdir(parents=True)
        JobResult(name="a", status="FINISHED", output_dir=str(folder)).save()
    left = [run.dataset.known_place for run in list_unfinished(plan)]
    assert left == ([] if len(done) == 2 else ["/gone"])


def test_images_of_a_finished_search_need_not_be_there(
    check: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from experiments.search.trials import journal

    words = ("hydra/sweeper=keras_tuner", "dataset=folder", "dataset.path=/gone")
    where = f"output_dir={tmp_path}"
    plan = check(*words, where, "optimizer.lr=interval(1e-4,1e-2)", multirun=True)
    assert [run.dataset.known_place for run in list_unfinished(plan)]
    monkeypatch.setattr(journal, "is_complete", lambda folder, most: True)
    assert not list(list_unfinished(plan))


def test_sweep_whose_weights_are_not_there_is_refused_before_it_starts(
    check: Any, tmp_path: Path
) -> None:
    (tmp_path / "a.pth").touch()
    values = f"model.weights=null,{tmp_path}/a.pth,{tmp_path}/b.pth"
    place = f"output_dir={tmp_path}/outputs"
    plan = choose_place(check("model=resnet18", values, place, multirun=True))
    with pytest.raises(ConfigError, match=r"b\.pth is not there"):
        check_sweep_weights(plan)
    (tmp_path / "b.pth").touch()
    check_sweep_weights(plan)
