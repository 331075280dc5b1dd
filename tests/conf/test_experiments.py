"""Every experiment runs, from its config to its stored model, for one step."""

from typing import Any

import pytest

from tests.conftest import CONF

NAMES = sorted(path.stem for path in (CONF / "experiment").glob("*.yaml"))
# Tracing fifty or a hundred layers takes far longer than their one step, and finds
# nothing that tracing eighteen does not: only this one trains as a graph here.
TRACED = "cifar10_resnet18"


@pytest.mark.filterwarnings("ignore:.*does not apply to tf.data functions")
@pytest.mark.parametrize(
    ("name", "eager"), [(name, name != TRACED) for name in NAMES], indirect=["eager"]
)
@pytest.mark.usefixtures("eager")
def test_experiment_runs_one_step(run_job: Any, name: str) -> None:
    result = run_job(f"experiment={name}", "debug=one_step")
    assert result.status == "FINISHED"
    assert result.metrics["best_epoch"] == 1
    assert "test_loss" in result.metrics
