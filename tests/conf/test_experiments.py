"""Every experiment runs, from its config to its stored model, for one step."""

from typing import Any

import pytest

from tests.conftest import CONF


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in (CONF / "experiment").glob("*.yaml"))
)
def test_experiment_runs_one_step(run_job: Any, name: str) -> None:
    result = run_job(f"experiment={name}", "debug=one_step")
    assert result.status == "FINISHED"
    assert result.metrics["best_epoch"] == 1
    assert "test_loss" in result.metrics
