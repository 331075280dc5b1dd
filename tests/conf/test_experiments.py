"""Every experiment runs, from its config to its stored model, for one step."""

from typing import Any

import pytest

from experiments.config.schema.models.depths import choose_layout
from tests.conftest import CONF

NAMES = sorted(path.stem for path in (CONF / "experiment").glob("*.yaml"))
# Tracing takes far longer than the one step, and finds nothing in the other networks
# that it does not find in this one: only this one trains as a graph here.
TRACED = "cifar10_resnet18"
# There is no network to download weights by.
OFFLINE = ["debug=one_step", "model.weights=null"]


def shorten(check: Any, name: str) -> list[str]:
    """Returns the overrides that leave of each stage of a network its first block.

    The first stage keeps two: the second has an identity for a shortcut.
    """
    model = check(f"experiment={name}", *OFFLINE).run.model
    layout = choose_layout(model.depth, model.blocks, model.block)
    blocks = [min(2, layout.blocks[0]), *(1 for _ in layout.blocks[1:])]
    return [
        "model.depth=null",
        f"model.block={layout.block}",
        f"model.blocks=[{','.join(map(str, blocks))}]",
        "model.width=8",
    ]


@pytest.mark.filterwarnings("ignore:.*does not apply to tf.data functions")
@pytest.mark.parametrize(
    ("name", "eager"), [(name, name != TRACED) for name in NAMES], indirect=["eager"]
)
@pytest.mark.usefixtures("eager")
def test_experiment_runs_one_step(run_job: Any, check: Any, name: str) -> None:
    small = shorten(check, name)
    assert_trained(run_job(f"experiment={name}", *OFFLINE, *small))


@pytest.mark.slow  # tracing a hundred layers takes a minute
@pytest.mark.parametrize("name", NAMES)
def test_experiment_runs_one_step_as_it_is(run_job: Any, name: str) -> None:
    assert_trained(run_job(f"experiment={name}", *OFFLINE))


def assert_trained(result: Any) -> None:
    assert result.status == "FINISHED"
    assert result.metrics["best_epoch"] == 1
    assert "test_loss" in result.metrics
