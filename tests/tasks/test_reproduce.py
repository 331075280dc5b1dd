from pathlib import Path
from typing import Any

import pytest

from experiments.config.job import Job
from experiments.errors import ConfigError, TrackingError
from experiments.folders import choose_folder
from experiments.tasks import reproduce as module
from experiments.tasks.reproduce import reproduce
from tests.test_build import TINY

SMALL = [*TINY, "debug=one_step"]


@pytest.fixture
def run_again(check: Any, tmp_path: Path) -> Any:
    """Runs `task=reproduce` in this process, as `run.py` would."""
    from omegaconf import OmegaConf

    def run_again(run_id: str | None, *overrides: str) -> Any:
        plan = check(
            "task=reproduce",
            f"run_id={run_id or 'null'}",
            f"output_dir={tmp_path / 'outputs'}",
            "gpu=cpu",
            *overrides,
        )
        folder = choose_folder(plan.folder, fresh=True)
        folder.mkdir(parents=True)
        resolved: Any = OmegaConf.to_container(plan.config, resolve=True)
        return reproduce(
            Job(run=plan.run, resolved=resolved, output_dir=folder, name="again")
        )

    return run_again


def test_run_is_reproduced_from_its_record(
    run_job: Any, run_again: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    first = run_job(*SMALL, "seed=3", "optimizer.lr=0.02")
    again = run_again(first.run_id)
    shown = capsys.readouterr().out
    assert again.status == "FINISHED"
    assert again.metrics == first.metrics
    assert again.state_sha256 == first.state_sha256
    assert again.run_id != first.run_id
    assert "data are those of the recorded run" in " ".join(shown.split())
    assert "Reproduced within 1e-06" in shown


def test_other_result_is_told_metric_by_metric(
    run_job: Any,
    run_again: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = run_job(*SMALL, "seed=3")
    read = module.read_recorded

    def read_other(*given: Any, **named: Any) -> Any:
        import dataclasses

        recorded = read(*given, **named)
        metrics = {**recorded.metrics, "test_loss": recorded.metrics["test_loss"] + 1}
        origin = {**recorded.origin, "packages": {"keras": "0"}}
        return dataclasses.replace(recorded, metrics=metrics, origin=origin)

    monkeypatch.setattr(module, "read_recorded", read_other)
    again = run_again(first.run_id)
    shown = capsys.readouterr().out
    assert (again.status, again.exit_code) == ("FAILED", 1)
    assert again.reason == "differs by more than task.tolerance=1e-06: test_loss"
    assert "Changed since: " in shown
    assert "keras 0 -> " in shown


def test_missing_and_unknown_run_ids_are_told(run_job: Any, run_again: Any) -> None:
    with pytest.raises(ConfigError, match="run_id is missing"):
        run_again(None)
    run_job(*SMALL)
    with pytest.raises(TrackingError, match="Cannot read run_id=nothing"):
        run_again("nothing")
    with pytest.raises(TrackingError, match="needs a tracker to read from"):
        run_again("nothing", "tracking=off")
