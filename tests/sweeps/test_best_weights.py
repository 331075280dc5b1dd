from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from experiments.command.hydra_node.launcher import Launch
from experiments.config.kinds.objective import Objective
from experiments.disk_space import DiskSpace
from experiments.errors import Preempted
from experiments.jobs.folder import claim_folder
from experiments.jobs.job import JobResult
from experiments.sweeps.best_weights import BestWeights
from experiments.sweeps.job_task import choose_task
from experiments.workers.hydra_jobs import BASIC


class Sweep:
    """A sweep of jobs with checkpoints and made-up results."""

    def __init__(self, folder: Path, *, keep_top: int | None, jobs: int = 5) -> None:
        self.folder = folder
        self.space = DiskSpace(folder=folder)
        names = tuple(map(str, range(jobs)))
        settings = SimpleNamespace(
            keep_top=keep_top, job_minutes=None, silent_minutes=None
        )
        trainer = SimpleNamespace(objective=Objective("val_accuracy", "max"))
        self.plan: Any = SimpleNamespace(
            folder=folder,
            job_folders=names,
            run=SimpleNamespace(
                sweep=settings, trainer=trainer, disk_space=lambda: self.space
            ),
            search=None,
            launch=Launch(target=BASIC),
        )

    def end(self, number: int, value: float | None, **changes: Any) -> None:
        folder = self.folder / str(number)
        (folder / "checkpoints").mkdir(parents=True)
        result = {"name": str(number), "status": "FINISHED", "objective": value}
        JobResult(**{**result, "output_dir": str(folder), **changes}).save()

    @property
    def kept(self) -> list[int]:
        return sorted(int(p.parent.name) for p in self.folder.glob("*/checkpoints"))


@pytest.mark.parametrize(
    ("keep_top", "kept"), [(None, [0, 1, 2, 3]), (2, [1, 3]), (1, [1]), (0, [])]
)
def test_the_best_finished_jobs_keep_their_checkpoints(
    tmp_path: Path, keep_top: int | None, kept: list[int]
) -> None:
    sweep = Sweep(tmp_path, keep_top=keep_top)
    for number, value in enumerate((0.1, 0.9, 0.2, 0.8)):
        sweep.end(number, value)
    BestWeights(sweep.plan).look()
    assert sweep.kept == kept
    assert len(list(tmp_path.glob("*/result.json"))) == 4


def test_a_job_loses_them_when_a_better_one_has_finished(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, keep_top=1)
    weights = BestWeights(sweep.plan)
    sweep.end(0, 0.5)
    weights.look()
    assert sweep.kept == [0]
    sweep.end(1, 0.6)
    weights.look()
    assert sweep.kept == [1]


@pytest.mark.parametrize(
    "unfinished",
    [
        {"status": "FAILED", "failure": "killed"},
        {"status": "KILLED"},
        {"end": "paused"},
    ],
    ids=str,
)
def test_a_job_that_will_go_on_keeps_its_state_and_takes_no_place(
    tmp_path: Path, unfinished: dict[str, Any]
) -> None:
    sweep = Sweep(tmp_path, keep_top=1)
    sweep.end(0, 0.9, **unfinished)
    sweep.end(1, 0.1)
    (tmp_path / "2" / "checkpoints").mkdir(parents=True)  # it runs
    BestWeights(sweep.plan).look()
    assert sweep.kept == [0, 1, 2]


def test_a_job_that_another_process_holds_is_left_alone(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, keep_top=0)
    sweep.end(0, 0.1)
    weights = BestWeights(sweep.plan)
    with claim_folder(tmp_path / "0"):
        weights.look()
        assert sweep.kept == [0]
    weights.look()
    assert sweep.kept == []


@pytest.fixture
def be_job(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Makes a folder that of the job which Hydra runs."""

    def be(folder: Path) -> None:
        node = OmegaConf.create({"hydra": {"runtime": {"output_dir": str(folder)}}})
        monkeypatch.setattr(HydraConfig.instance(), "cfg", node)

    return be


def test_without_room_a_job_here_starts_only_to_say_that_it_has_finished(
    tmp_path: Path, be_job: Any
) -> None:
    sweep = Sweep(tmp_path, keep_top=None)
    sweep.end(0, 0.5)
    sweep.space = DiskSpace(folder=tmp_path, most_gb=1e-9)
    task, _ = choose_task(lambda config: 0.25, sweep.plan, BestWeights(sweep.plan))
    be_job(tmp_path / "0")
    assert task(0) == 0.25  # type: ignore[arg-type]
    be_job(tmp_path / "1")
    with pytest.raises(Preempted, match=r"want of room: .* of max_disk_gb=1e-09"):
        task(1)  # type: ignore[arg-type]


def test_jobs_that_run_here_are_looked_at_one_by_one(
    tmp_path: Path, be_job: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = Sweep(tmp_path, keep_top=1)
    seen: list[list[int]] = []

    def run(config: Any) -> float:
        seen.append(sweep.kept)
        sweep.end(config, config / 10)
        return 0.0

    with BestWeights(sweep.plan) as weights:
        task, settings = choose_task(run, sweep.plan, weights)
        for number in range(4):
            be_job(tmp_path / str(number))
            task(number)  # type: ignore[arg-type]
    assert settings == {}
    assert seen == [[], [0], [1], [2]]
    assert sweep.kept == [3]
    assert capsys.readouterr().out == (
        "The checkpoints of 3 jobs were removed: sweep.keep_top=1 keeps those of the "
        "best.\n"
    )
