"""`task=promote from_search=last task.seeds=3`, stopped, killed and continued."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from experiments.config.kinds.destination import Destination
from experiments.jobs.folder import is_held
from experiments.tracking.store.client import connect
from tests.conftest import ROOT
from tests.tasks.test_evaluate import type_in
from tests.tasks.test_promote import NETWORK, look
from tests.warm import start_command

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
EPOCHS, SEEDS = 4, 3
SEARCH = [
    *("-m", "hydra/sweeper=keras_tuner", "hydra.sweeper.oracle=random"),
    *("hydra.sweeper.max_trials=2", "optimizer.lr=tag(log,interval(1e-3,1e-1))"),
    *(*NETWORK, "trainer.max_steps_per_epoch=10", f"trainer.epochs={EPOCHS}"),
]
PROMOTE = ["task=promote", "from_search=last", "registered_name=digits", "gpu=cpu"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a search has ended."""
    folder = tmp_path_factory.mktemp("searched")
    type_in(folder)(*SEARCH)
    return folder


def start(place: Path, *words: str) -> subprocess.Popen[str]:
    args = [sys.executable, str(ROOT / "run.py"), *PROMOTE, *words]
    with (place / "told").open("a") as told:
        return start_command(
            args, cwd=place, stdout=told, stderr=told, start_new_session=True, text=True
        )


def wait_for(what: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Waits until something is so, for as long as a command runs."""
    while not what():
        assert process.poll() is None
        time.sleep(0.1)


def list_trained(place: Path) -> list[Path]:
    """Returns the folders of trainings of the sweep over seeds."""
    sweeps = (place / "outputs" / "sweeps").glob("*seed*/")
    return sorted(path.parent for sweep in sweeps for path in sweep.glob("*/run.log"))


def query(place: Path, question: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(place / "outputs" / "mlflow.db")) as database:
        return database.execute(question).fetchall()


def test_seeds_that_were_stopped_and_killed_are_trained_and_tested_once(
    place: Path,
) -> None:
    before = look(place)
    run = type_in(place)
    planned = run(*PROMOTE, f"task.seeds={SEEDS}", "plan=true")
    assert "the best trial is trained with 3 seeds" in planned.stdout
    assert look(place) == before

    def logs(number: int, part: str) -> bool:
        found = list_trained(place)
        return len(found) == number and part in (found[-1] / "run.log").read_text()

    # Ctrl-C in the second training: it saves its state, and the command says so.
    process = start(place, f"task.seeds={SEEDS}")
    wait_for(lambda: logs(2, "epoch 1/"), process)
    process.send_signal(signal.SIGINT)
    assert process.wait() == 75, (place / "told").read_text()
    # The command is killed in the next one; what it has started goes on by itself.
    process = start(place, f"task.seeds={SEEDS}")
    wait_for(lambda: logs(3, "epoch 1/"), process)
    process.kill()
    process.wait()
    (sweep,) = (place / "outputs" / "sweeps").glob("*seed*/")
    while is_held(sweep):
        time.sleep(0.2)

    done = run(*PROMOTE, f"task.seeds={SEEDS}")

    assert "The first version: there was no champion to beat." in done.stdout
    trained = list_trained(place)
    assert len(trained) == SEEDS
    results = [json.loads((path / "result.json").read_text()) for path in trained]
    assert [result["status"] for result in results] == ["FINISHED"] * SEEDS
    ids = ", ".join(f"'{result['run_id']}'" for result in results)
    chosen = f"from metrics where run_uuid in ({ids}) and key"
    epochs = query(place, f"select run_uuid, step {chosen} = 'loss' order by 1, 2")
    assert [step for _, step in epochs] == [*range(1, EPOCHS + 1)] * SEEDS
    tests = query(place, f"select run_uuid {chosen} = 'test_accuracy'")
    assert len(tests) == len({*tests}) == SEEDS
    client = connect(Destination(output_dir=place / "outputs")).client
    (version,) = client.search_model_versions("name='digits'")
    best = max(results, key=lambda result: result["metrics"]["best_val_accuracy"])
    score = best["metrics"]["best_val_accuracy"]
    of_version = client.get_run(version.run_id).data.metrics["best_val_accuracy"]
    assert of_version == pytest.approx(score)
    assert "## 3 seeds" in version.description
    again = run(*PROMOTE, f"task.seeds={SEEDS}")
    assert "Version 1, of the same weights, is the champion." in again.stdout
    assert (
        query(place, f"select run_uuid, step {chosen} = 'loss' order by 1, 2") == epochs
    )


def test_best_trial_is_promoted_as_it_is(place: Path) -> None:
    done = type_in(place)(*PROMOTE, "plan=true")
    assert "digits, test: 270 images" in done.stdout
