"""PostgreSQL with an MLflow server in front, and many jobs that write at once.

The server is killed and the database stopped in between: nothing is lost, nothing is
there twice. MLflow's client is asked, and the database itself, in SQL.
"""

import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from experiments.config.kinds.destination import Destination
from experiments.doctor.store import check_store
from experiments.tracking.store.mlflow_import import import_mlflow
from tests.conftest import ROOT
from tests.launchers.conftest import TINY
from tests.tracking.postgres import PASSWORD, Postgres, is_usable
from tests.tracking.server import Server
from tests.warm import run_to_the_end, start_command

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(not is_usable(), reason="needs root and Debian's postgresql"),
    pytest.mark.timeout(900),
]
JOBS, STEPS, REAL = 16, 40, 2
EXPERIMENT = "many"
JOB = """
import math, sys, time
from pathlib import Path
import keras, numpy
from experiments.config.kinds.destination import Destination
from experiments.tracking.tracker import open_tracker
out, uri, number, steps = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
place = Destination(output_dir=out, uri=uri, experiment="many", server_timeout=20)
tracker = open_tracker(destination=place, drain_seconds=400, tags={"number": number},
    folder=out / "runs" / str(number), run_name=f"job {number}")
tracker.log_params({f"key.{i}": f"{number} {i}" for i in range(150)})
tracker.start()
for step in range(int(steps)):
    values = {"loss": number + 1 / (step + 1), "nan": math.nan, "clock": time.time()}
    tracker.log_metrics(values, step=step)
    if step % 13 == 0:
        tracker.set_tags({"step": step})
        tracker.log_text(f"{number} {step}", f"notes/{step}.txt")
    time.sleep(0.8)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
tracker.log_model(model, example=numpy.zeros((1, 4), "float32"), step=7)
tracker.finish("FINISHED")
"""


class Team:
    """What a team has: a database, perhaps a server in front of it, and an address."""

    def __init__(self, postgres: Postgres, folder: Path, server: Server | None) -> None:
        self.postgres, self.folder, self.server = postgres, folder, server
        self.database = folder.name
        self.uri = server.uri if server else postgres.uri(self.database)
        self.out = folder / "outputs"

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        return self.postgres.ask(self.database, query)

    def command(self, *words: str) -> list[str]:
        place = [f"tracking.uri={self.uri}", f"tracking.experiment={EXPERIMENT}"]
        return [sys.executable, str(ROOT / "run.py"), *place, *words]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        done = run_to_the_end(self.command(*words), cwd=self.folder, timeout=500)
        assert PASSWORD not in done.stdout + done.stderr
        return done


def disturb(team: Team) -> None:
    """Takes away everything in turn while the jobs write."""
    time.sleep(4)
    team.postgres.stop("immediate")  # as a power cut
    time.sleep(3)
    team.postgres.start()
    if team.server is not None:
        time.sleep(2)
        team.server.stop()  # without a goodbye
        team.server.start()
    time.sleep(2)
    team.postgres.stop("fast")
    if team.server is not None:
        team.server.stop()
    time.sleep(3)
    team.postgres.start()
    if team.server is not None:
        team.server.start()


@pytest.fixture(scope="module", params=["server", "database"])
def team(
    request: pytest.FixtureRequest,
    postgres: Postgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Team]:
    """Many jobs have written to it, by a server or to the database itself."""
    folder = tmp_path_factory.mktemp(f"team-{request.param}")
    uri = postgres.create(folder.name)
    server = Server(folder / "server", uri) if request.param == "server" else None
    if server is not None:
        server.start()
    team = Team(postgres, folder, server)
    jobs = start_jobs(team)
    try:
        disturb(team)
        for job in jobs:
            output, _ = job.communicate(timeout=600)
            assert job.returncode == 0, output
            assert "Traceback" not in output
            assert PASSWORD not in output
        # A job does not wait at its end for a store that is away.
        synced = team.run("task=sync")
        assert synced.returncode == 0, synced.stdout + synced.stderr
        yield team
    finally:
        for job in jobs:
            job.kill()
            job.communicate()
        if server is not None:
            server.stop()


def start_jobs(team: Team) -> list[subprocess.Popen[str]]:
    """Starts jobs that only record, and some that train."""
    options: dict[str, Any] = {
        "cwd": team.folder,
        "env": {**os.environ, "PYTHONWARNINGS": "", "PYTHONPATH": str(ROOT)},
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
        "text": True,
    }
    where = [sys.executable, "-c", JOB, str(team.out), team.uri]
    commands = [[*where, str(number), str(STEPS)] for number in range(JOBS)]
    words = [*TINY, "trainer.epochs=4", "tracking.drain_seconds=400"]
    commands += [team.command(*words, f"seed={seed}") for seed in range(REAL)]
    return [start_command(command, **options) for command in commands]


@pytest.fixture
def client(team: Team) -> Any:
    return import_mlflow().MlflowClient(tracking_uri=team.uri)


def runs_of(client: Any) -> dict[str, Any]:
    experiment = client.get_experiment_by_name(EXPERIMENT).experiment_id
    runs = client.search_runs([experiment], max_results=1000)
    assert len(runs) == JOBS + REAL
    return {run.data.tags.get("number", run.info.run_id): run for run in runs}


def test_client_finds_every_record_of_every_job_once(client: Any) -> None:
    runs = runs_of(client)
    for number in range(JOBS):
        run = runs[str(number)]
        run_id = run.info.run_id
        assert run.info.status == "FINISHED"
        loss = client.get_metric_history(run_id, "loss")
        expected = [(step, number + 1 / (step + 1)) for step in range(STEPS)]
        assert sorted((point.step, point.value) for point in loss) == expected
        nan = client.get_metric_history(run_id, "nan")
        assert [math.isnan(point.value) for point in nan] == [True] * STEPS
        assert run.data.params == {f"key.{i}": f"{number} {i}" for i in range(150)}
        assert run.data.tags["step"] == str(STEPS - 1)
        for step in range(0, STEPS, 13):
            path = client.download_artifacts(run_id, f"notes/{step}.txt")
            assert Path(path).read_text() == f"{number} {step}"
        (link,) = run.outputs.model_outputs
        model = client.get_logged_model(link.model_id)
        assert (model.status, link.step) == ("READY", 7)
        assert model.source_run_id == run_id


def test_real_jobs_are_whole(client: Any, team: Team) -> None:
    real = [run for run in runs_of(client).values() if "number" not in run.data.tags]
    assert len(real) == REAL
    assert {run.info.status for run in real} == {"FINISHED"}
    for run in real:
        history = client.get_metric_history(run.info.run_id, "val_loss")
        assert sorted(point.step for point in history) == [1, 2, 3, 4]
        assert len(run.outputs.model_outputs) == 1
        assert {"config", "run.log", "environment.yaml"} <= {
            file.path for file in client.list_artifacts(run.info.run_id)
        }


def test_database_holds_every_record_once(team: Team) -> None:
    rows = team.ask(
        "SELECT r.run_uuid, t.value::int, count(m.step), count(DISTINCT m.step) "
        "FROM runs r JOIN tags t ON t.run_uuid = r.run_uuid AND t.key = 'number' "
        "JOIN metrics m ON m.run_uuid = r.run_uuid AND m.key = 'loss' "
        "WHERE r.lifecycle_stage = 'active' GROUP BY 1, 2 ORDER BY 2"
    )
    assert [row[1:] for row in rows] == [(n, STEPS, STEPS) for n in range(JOBS)]
    assert team.ask("SELECT count(*) FROM runs WHERE lifecycle_stage = 'active'") == [
        (JOBS + REAL,)
    ]
    twice = (
        "SELECT run_uuid, key, step FROM metrics GROUP BY 1, 2, 3 HAVING count(*) > 1"
    )
    assert team.ask(twice) == []
    models = team.ask(
        "SELECT source_run_id FROM logged_models WHERE lifecycle_stage = 'active'"
    )
    assert len(models) == len(set(models)) == JOBS + REAL
    (params,) = team.ask("SELECT count(*) FROM params WHERE key LIKE 'key.%'")
    assert params == (JOBS * 150,)
    assert team.ask("SELECT DISTINCT status FROM runs") == [("FINISHED",)]


def test_password_is_nowhere(team: Team) -> None:
    """Not in a record, a log or a row; only whoever asks for it has it."""
    files = [path for path in team.folder.rglob("*") if path.is_file()]
    assert len(files) > JOBS
    assert not [path for path in files if PASSWORD.encode() in path.read_bytes()]
    for (table,) in team.ask(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    ):
        rows = team.ask(f'SELECT * FROM "{table}"')
        assert PASSWORD not in repr(rows), table


def test_commands_know_the_runs_of_the_store(team: Team, client: Any) -> None:
    real = [run for run in runs_of(client).values() if "number" not in run.data.tags]
    ids = [run.info.run_id for run in real]
    synced = team.run("task=sync")
    assert synced.returncode == 0, synced.stdout + synced.stderr
    listed = team.run("task=list")
    assert listed.returncode == 0, listed.stdout + listed.stderr
    assert all(run_id[:8] in listed.stdout for run_id in ids)
    compared = team.run("task=compare", f"run_id=[{','.join(ids)}]")
    assert compared.returncode == 0, compared.stdout + compared.stderr
    evaluated = team.run("task=evaluate", f"run_id={ids[0]}", "gpu=cpu")
    assert evaluated.returncode == 0, evaluated.stdout + evaluated.stderr
    told = client.get_run(ids[0]).data.metrics
    assert any(name.startswith("evaluation/") for name in told)
    reproduced = team.run("task=reproduce", f"run_id={ids[1]}", "plan=true", "gpu=cpu")
    assert reproduced.returncode == 0, reproduced.stdout + reproduced.stderr


def test_what_waits_on_disk_reaches_a_store_that_was_away(
    team: Team, client: Any
) -> None:
    team.postgres.stop("immediate")
    try:
        words = [*TINY, "trainer.epochs=1", "seed=77", "tracking.drain_seconds=1"]
        begin = team.run(*words)
    finally:
        team.postgres.start()
    assert begin.returncode == 0, begin.stdout + begin.stderr
    said = " ".join((begin.stdout + begin.stderr).split())
    assert "MLflow takes no records" in said
    assert "Traceback" not in said
    synced = team.run("task=sync")
    assert synced.returncode == 0, synced.stdout + synced.stderr
    rows = team.ask("SELECT count(*) FROM runs WHERE lifecycle_stage = 'active'")
    assert rows == [(JOBS + REAL + 1,)]


def test_doctor_asks_the_store_and_says_when_it_is_away(team: Team) -> None:
    place = Destination(output_dir=team.out, uri=team.uri, experiment=EXPERIMENT)
    assert check_store(place).level == "ok"
    team.postgres.stop("immediate")
    try:
        away = check_store(place)
    finally:
        team.postgres.start()
    assert away.level == "error"
    assert PASSWORD not in away.told
    assert check_store(place).level == "ok"


def test_value_that_the_database_cannot_hold_is_refused_and_holds_up_nothing(
    team: Team, tmp_path: Path
) -> None:
    """SQLite takes a NUL in a text, PostgreSQL does not."""
    from experiments.tracking.tracker import open_tracker
    from tests.tracking.conftest import destination, settle

    place = destination(tmp_path, uri=team.uri, experiment="odd", ui_url=None)
    tracker = open_tracker(
        destination=place, folder=tmp_path / "job", run_name="odd", drain_seconds=60
    )
    tracker.set_tags({"odd": "a\0b", "even": "c"})
    tracker.log_params({"odd": "a\0b", "even": 2})
    tracker.log_metrics({"loss": 0.5}, step=1)
    tracker.finish("FINISHED")
    run = settle(tracker).get_run(tracker.run_id)
    assert run.data.params == {"even": "2"}
    assert (run.data.tags["even"], run.data.metrics["loss"]) == ("c", 0.5)
    refused = (tmp_path / "job" / "tracking" / "refused.jsonl").read_text()
    assert refused.count("cannot contain NUL") == 2
