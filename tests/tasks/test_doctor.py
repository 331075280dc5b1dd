"""`task=doctor` by its real command."""

import sys

from tests.conftest import ROOT
from tests.warm import run_to_the_end


def run(folder, *words):
    return run_to_the_end([sys.executable, str(ROOT / "run.py"), *words], cwd=folder)


def test_this_machine_is_well_and_ten_steps_give_the_known_loss(tmp_path):
    done = run(tmp_path, "task=doctor", "gpu=cpu")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split() for line in done.stdout.splitlines() if line.strip()]
    looked_at = {line[1] for line in lines[:-1]}
    assert looked_at >= {"Python", "packages", "GPU", "memory", "disk", "tracking"}
    (training,) = [line for line in lines if line[1] == "training"]
    assert training[0] == "ok"
    assert not (tmp_path / "outputs" / "mlflow.db").exists()


def test_a_store_that_is_away_is_an_error_and_the_rest_is_looked_at(tmp_path):
    away = ["tracking=server", "tracking.uri=http://127.0.0.1:9"]
    done = run(tmp_path, "task=doctor", "gpu=cpu", *away)
    assert done.returncode == 1
    (line,) = [one for one in done.stdout.splitlines() if one.startswith("ERROR")]
    assert line.split()[1] == "tracking"
    assert "1 error, " in done.stdout
    assert any(one.split()[1] == "training" for one in done.stdout.splitlines() if one)


def test_a_folder_that_cannot_be_written_is_told_among_the_rest(tmp_path):
    """Root may write everywhere: a file where the folder would be stops it too."""
    (tmp_path / "outputs").write_text("mine")
    before = set(tmp_path.iterdir())
    done = run(tmp_path, "task=doctor", "gpu=cpu", "tracking=off")
    assert done.returncode == 1, done.stdout + done.stderr
    (line,) = [one for one in done.stdout.splitlines() if one.startswith("ERROR")]
    assert line.split()[1] == "results"
    assert "ten steps, loss" in done.stdout
    assert set(tmp_path.iterdir()) == before
