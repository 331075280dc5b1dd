"""From every run of real commands to its files and back, whatever became of these."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from experiments.tracking.spool.claims import find_folders
from tests.tiny import TINY
from tests.tracking.sending.test_sync import remove_database

SMALL = [*TINY, "debug=one_step"]
COMMANDS = (
    ["-m", *SMALL, "seed=1,2"],
    [
        "-m",
        *SMALL,
        "hydra/sweeper=keras_tuner",
        "optimizer.lr=tag(log,interval(1e-4,1e-2))",
        "hydra.sweeper.oracle=random",
        "hydra.sweeper.max_trials=2",
        "hydra.sweeper.repeats=2",
    ],
)

LIST = """
import json, sys
from pathlib import Path
from experiments.config.kinds.destination import Destination
from experiments.tracking.store.client import connect
from experiments.tracking.recorded import read_folder
from experiments.training.checkpoints.listing import list_checkpoints
out, ids = Path(sys.argv[1]), sys.argv[2:]
destination = Destination(output_dir=out)
if not ids:
    client = connect(destination).client
    experiments = [e.experiment_id for e in client.search_experiments()]
    ids = [run.info.run_id for run in client.search_runs(experiments)]
found = {}
for run_id in ids:
    folder = read_folder(run_id, destination)
    states = list_checkpoints(folder)
    assert all(state.path.is_file() for state in states)
    assert sum(state.is_best for state in states) == bool(states)
    found[run_id] = [str(folder.relative_to(out)), len(states)]
assert {"keras", "tensorflow", "jax"}.isdisjoint(sys.modules)
print(json.dumps(found))
"""


def ask(out: Path, *ids: str) -> dict[str, list[Any]]:
    """Returns run id -> its folder and how many checkpoints it has, asked apart."""
    command = [sys.executable, "-c", LIST, str(out), *ids]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[Any]] = json.loads(done.stdout)
    return found


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_run_leads_to_its_folder_and_its_checkpoints(
    run_command: Any, tmp_path: Path
) -> None:
    for words in COMMANDS:
        done = run_command(*words)
        assert done.returncode == 0, done.stdout + done.stderr
    out = tmp_path / "outputs"

    found = ask(out)

    folders = {str(folder.relative_to(out)) for folder in find_folders(out)}
    # A sweep of two jobs, and a search of two trials that have two seeds each.
    assert len(folders) == (1 + 2) + (1 + 2 * (1 + 2))
    assert {folder for folder, _ in found.values()} == folders
    for run_id, (folder, states) in found.items():
        result = out / folder / "result.json"
        assert result.exists() == (states > 0)
        if states:
            assert json.loads(result.read_text())["run_id"] == run_id

    # Moved, copied, and without the database that had these ids.
    moved = out.rename(tmp_path / "moved")
    assert ask(moved) == found
    copy = shutil.copytree(moved, tmp_path / "copy")
    assert ask(copy) == ask(moved) == found
    remove_database(copy / "mlflow.db")
    assert run_command("task=sync", f"output_dir={copy}").returncode == 0
    assert ask(copy, *found) == found
    assert ask(copy).keys().isdisjoint(found)

    # What was typed may be short, and an id of before, or the folder.
    places = {folder: run_id for run_id, (folder, _) in found.items()}
    (page,) = copy.glob("sweeps/*/search.html")
    search = places[str(page.parent.relative_to(copy))]
    done = run_command(
        "task=train", f'from_search="{search[:10]}"', f"output_dir={copy}"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    job = next(folder for folder in places if Path(folder).name.startswith("seed_1"))
    done = run_command("task=reproduce", f"run_id={job}", f"output_dir={copy}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Reproduced within" in done.stdout
