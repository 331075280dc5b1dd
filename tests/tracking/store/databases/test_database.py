import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy

from experiments.errors import TrackingError
from experiments.tracking.store.databases import database
from experiments.tracking.store.databases.database import prepare_database
from experiments.tracking.store.mlflow_import import import_mlflow

PROCESSES = 8
EPOCHS = 15

# Forked behind the imports, so that they start at the same moment.
WRITERS = """
import os, sys
from pathlib import Path
from experiments.tracking.store.mlflow_import import import_mlflow
from experiments.config.kinds.destination import Destination
from experiments.tracking.tracker import open_tracker
import_mlflow()
import mlflow.store.tracking.sqlalchemy_store
out, processes, epochs = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])

def write(name):
    place = Destination(output_dir=out, experiment="shared")
    tracker = open_tracker(destination=place, drain_seconds=200,
        folder=out / name, run_name=name)
    tracker.log_params({f"p.{i}": i for i in range(120)})
    for epoch in range(epochs):
        tracker.log_metrics({f"m{i}": epoch + i for i in range(8)}, step=epoch)
    tracker.log_text("done", "note.txt")
    tracker.finish("FINISHED")
    assert not tracker.unsent, tracker.problem

children = []
for number in range(processes):
    child = os.fork()
    if child == 0:
        write(f"run {number}")
        sys.exit()
    children.append(child)
codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
sys.exit(codes != [0] * processes)
"""


def schema_of(path):
    """Every table and index with its columns and constraints, and the revision.

    MLflow's own migrations write the constraints of a table in no fixed order.
    """
    connection = sqlite3.connect(path)
    rows = connection.execute("select type, name, sql from sqlite_master").fetchall()
    version = connection.execute("select * from alembic_version").fetchall()
    connection.close()
    parts = {
        (kind, name): sorted(line.strip(" \t,") for line in (sql or "").splitlines())
        for kind, name, sql in rows
    }
    return parts, version


def test_fresh_database_has_the_schema_that_mlflow_migrates_to(tmp_path):
    import_mlflow()
    from mlflow.store.db.utils import _initialize_tables

    migrated = tmp_path / "migrated.db"
    engine = sqlalchemy.create_engine(f"sqlite:///{migrated}")
    _initialize_tables(engine)
    engine.dispose()
    prepare_database(tmp_path / "ours" / "mlflow.db")
    assert schema_of(tmp_path / "ours" / "mlflow.db") == schema_of(migrated)


def test_second_database_is_copied_without_migrations(tmp_path, monkeypatch):
    prepare_database(tmp_path / "one" / "mlflow.db")
    monkeypatch.delattr(database, "_migrate_in_memory")
    prepare_database(tmp_path / "two" / "mlflow.db")
    one, two = (schema_of(tmp_path / name / "mlflow.db") for name in ("one", "two"))
    assert one == two


def test_cache_that_cannot_be_written_is_done_without(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    prepare_database(tmp_path / "mlflow.db")
    assert schema_of(tmp_path / "mlflow.db")[1]


def test_database_writes_ahead_and_leaves_no_drafts(tmp_path):
    path = tmp_path / "mlflow.db"
    prepare_database(path)
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    rows = connection.execute("select name, artifact_location from experiments")
    assert rows.fetchall() == [("Default", (tmp_path / "artifacts/0").as_uri())]
    connection.close()
    assert list(tmp_path.glob("*.tmp*")) + list(tmp_path.glob(".*.tmp*")) == []


def test_existing_database_is_left_alone(tmp_path):
    path = tmp_path / "mlflow.db"
    prepare_database(path)
    before = path.stat().st_mtime_ns
    prepare_database(path)
    assert path.stat().st_mtime_ns == before


def test_empty_file_becomes_a_database(tmp_path):
    path = tmp_path / "mlflow.db"
    path.touch()
    prepare_database(path)
    assert schema_of(path)[1]


def test_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "mlflow.db"
    path.write_text("something else entirely")
    with pytest.raises(TrackingError, match="is not an SQLite database"):
        prepare_database(path)


def test_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrackingError, match="Choose another output_dir"):
        prepare_database(tmp_path / "file" / "mlflow.db")


def test_a_lock_that_is_never_released_is_reported(tmp_path, monkeypatch):
    from filelock import FileLock

    monkeypatch.setattr(database, "_LOCK_SECONDS", 0.05)
    with (
        FileLock(tmp_path / "mlflow.db.lock"),
        pytest.raises(TrackingError, match="Another process has been creating"),
    ):
        prepare_database(tmp_path / "mlflow.db")


@pytest.mark.timeout(240)
def test_eight_processes_start_together_on_a_fresh_folder_and_lose_nothing(tmp_path):
    # The cache of templates is fresh too. Warnings are errors and nothing is printed.
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    # Python warns of a fork with threads, which NumPy would have.
    environment = {**os.environ, **cache, "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "error", "-c", WRITERS, str(tmp_path / "out")]
    done = subprocess.run(
        [*command, str(PROCESSES), str(EPOCHS)],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    connection = sqlite3.connect(tmp_path / "out" / "mlflow.db")
    count = connection.execute("select count(*) from metrics").fetchone()[0]
    statuses = connection.execute("select status, count(*) from runs group by 1")
    assert count == PROCESSES * EPOCHS * 8
    assert statuses.fetchall() == [("FINISHED", PROCESSES)]
    names = connection.execute("select name from experiments order by 1").fetchall()
    assert names == [("Default",), ("shared",)]
    connection.close()


def list_locks(path):
    """Returns this process' POSIX locks on a file."""
    lines = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    own = str(os.getpid()), f":{path.stat().st_ino}"
    return [line for line in lines if line[4] == own[0] and line[5].endswith(own[1])]


def test_looking_at_it_again_gives_up_no_lock_of_this_process(tmp_path):
    """Whoever closes a file gives up its process' POSIX locks on it, SQLite's too.

    Another process could then take itself for the last one that uses the database, and
    remove the log of what has been written since.
    """
    path = tmp_path / "mlflow.db"
    prepare_database(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE noted (number)")
        connection.commit()
        held = list_locks(path)
        assert held
        prepare_database(path)
        assert list_locks(path) == held


@pytest.mark.parametrize("there", ["nothing", "an empty file"])
def test_who_only_looks_makes_no_database(there, tmp_path):
    path = tmp_path / "outputs" / "mlflow.db"
    if there == "an empty file":
        path.parent.mkdir()
        path.touch()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(TrackingError, match=rf"There is no database {path}: nothing"):
        prepare_database(path, create=False)
    assert sorted(tmp_path.rglob("*")) == before


def test_who_only_looks_finds_what_is_there(tmp_path):
    prepare_database(tmp_path / "mlflow.db")
    prepare_database(tmp_path / "mlflow.db", create=False)
