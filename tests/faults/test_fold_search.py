"""A search whose trials are trained in folds, killed while it is in one of them."""

import json
from pathlib import Path

import pytest

from tests.faults.test_search import GRID, Search, describe, name_of, runs_by_name

FOLDS = (
    GRID,
    "hydra.sweeper.start_from_current=false",
    "dataset=digits",
    "dataset.folds=2",
    "optimizer.lr=1e-3,1e-2",
    "trainer.batch_size=64",
    "trainer.max_steps_per_epoch=4",
    "trainer.epochs=4",
    "trainer.threads=1",  # how many there are shows in the last digits
)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Search:
    """A search that nobody disturbed."""
    command = Search(tmp_path_factory.mktemp("undisturbed"), *FOLDS)
    assert command.finish(timeout=700) == 0, command.errors
    return command


def read_states(search: Search) -> dict[str, str]:
    """Returns the hash of what each fold of each trial ended with."""
    results = search.sweep_folder.glob("*/result.json")
    read = {path.parent.name: json.loads(path.read_text()) for path in results}
    return {name: result["state_sha256"] for name, result in read.items()}


@pytest.mark.parametrize(
    "place",
    ["dataset.fold_2-optimizer.lr_0.001-*", "dataset.fold_1-optimizer.lr_0.01-*"],
    ids=["second fold of a trial", "first fold of the next trial"],
)
def test_search_over_folds_that_is_killed_ends_the_same(
    tmp_path: Path, undisturbed: Search, place: str
) -> None:
    command = Search(tmp_path / "search", *FOLDS)
    process = command.start()
    command.wait_for(f"{place}/checkpoints/manifest.json", seconds=600)
    process.kill()
    process.wait()
    known = [trial for trial in command.trials if trial.outcome is not None]
    assert len(known) == ("fold_1" in place)
    assert command.finish(timeout=700) == 0, command.errors
    found, wanted = (
        {name_of(trial): describe(trial) for trial in search.trials}
        for search in (command, undisturbed)
    )
    assert found == wanted
    assert read_states(command) == read_states(undisturbed)
    (log,) = command.sweep_folder.glob(f"{place}/screen.log")
    assert "it continues after epoch" in log.read_text()
    check_records(command, undisturbed)


def check_records(command: Search, undisturbed: Search) -> None:
    left, right = runs_by_name(command), runs_by_name(undisturbed)
    assert {run["status"] for run in left.values()} == {"FINISHED"}
    assert sorted(left) == sorted(right)
    for name, run in right.items():
        assert left[name]["points"] == run["points"], name
