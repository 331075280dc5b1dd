"""An output folder that was moved or copied, and every place that named the old one.

The libraries keep what they know of a run in memory, by its id alone: whatever looks at
two copies of one database is a process of its own here.
"""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from experiments.tracking.store.databases.database import follow_move, prepare_database
from experiments.tracking.store.databases.relocation import relocate
from tests.tracking.conftest import destination, run_of, settle
from tests.warm import run_to_the_end

GO_ON = """
import sys
from pathlib import Path
import mlflow
from experiments.config.kinds.destination import Destination
from experiments.tracking.tracker import open_tracker
out = Path(sys.argv[1])
tracker = open_tracker(destination=Destination(output_dir=out, experiment="a b/ü"),
    drain_seconds=60, folder=out / "job", run_name="r")
tracker.log_text("new in " + out.name, "new.txt")
tracker.finish("FINISHED")
assert not tracker.unsent, tracker.problem
client = mlflow.MlflowClient(f"sqlite:///{out}/mlflow.db")
assert client.get_run(tracker.run_id).info.artifact_uri.startswith(out.as_uri())
for name in ("old.txt", "new.txt"):
    print(Path(client.download_artifacts(tracker.run_id, name)).read_text())
"""


def addresses(database: Path) -> list[str]:
    """Every text of the database that begins like the address of a file."""
    found = []
    with closing(sqlite3.connect(database)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
        for (table,) in tables.fetchall():
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                found += [text for text in row if str(text).startswith("file:")]
    return sorted(found)


@pytest.fixture
def out(open_run, tmp_path):
    """An output folder with a run that has a file."""
    out = tmp_path / "out"
    tracker = open_run(folder=out / "job", experiment="a b/ü")
    tracker.log_text("old", "old.txt")
    tracker.finish("FINISHED")
    settle(tracker)
    return out


def go_on(out):
    """Continues the run in another process, which reads all of its files."""
    done = run_to_the_end([sys.executable, "-c", GO_ON, str(out)])
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1]


def test_moved_run_reads_and_writes_its_files_where_it_is(out, tmp_path):
    moved = out.rename(tmp_path / "moved there")
    assert go_on(moved) == ["old", "new in moved there"]
    assert not out.exists()
    assert addresses(moved / "mlflow.db") == sorted(
        [(moved / "artifacts" / "0").as_uri(), (moved / "artifacts" / "a_b_ü").as_uri()]
        + [
            (path / "artifacts").as_uri()
            for path in (moved / "artifacts" / "a_b_ü").iterdir()
        ]
    )


def test_original_and_copy_go_on_side_by_side(out, tmp_path):
    shutil.copytree(out, tmp_path / "copy")
    assert go_on(tmp_path / "copy") == ["old", "new in copy"]
    assert go_on(out) == ["old", "new in out"]
    assert go_on(tmp_path / "copy") == ["old", "new in copy"]


def test_every_kind_of_address_follows_and_those_of_others_stay(tmp_path):
    """MLflow's tables of models, registered models and traces hold such ones too."""
    database = tmp_path / "new" / "mlflow.db"
    prepare_database(database)
    old = tmp_path / "old" / "artifacts"
    rows = [
        "UPDATE experiments SET artifact_location = '{old}/0'",
        "INSERT INTO experiments (experiment_id, name, artifact_location) VALUES "
        "(1, 'a', '{old}/a'), (2, 's3', 's3://bucket/artifacts/a'), "
        "(3, 'own', 'file:///mnt/artifacts/own')",
        "INSERT INTO runs (run_uuid, artifact_uri) VALUES ('r', '{old}/a/r/artifacts')",
        "INSERT INTO logged_models (model_id, experiment_id, name, artifact_location, "
        "creation_timestamp_ms, last_updated_timestamp_ms, status) "
        "VALUES ('m', 1, 'm', '{old}/a/models/m', 0, 0, 2)",
        "INSERT INTO registered_models (name) VALUES ('m')",
        "INSERT INTO model_versions (name, version, source, storage_location) "
        "VALUES ('m', 1, '{old}/a/models/m', '{old}/a/models/m')",
        "INSERT INTO trace_info (request_id, experiment_id, timestamp_ms, status) "
        "VALUES ('t', 1, 0, 'OK')",
        "INSERT INTO trace_tags (request_id, key, value) "
        "VALUES ('t', 'mlflow.artifactLocation', '{old}/a/traces/t')",
    ]
    with closing(sqlite3.connect(database)) as connection:
        for row in rows:
            connection.execute(row.format(old=old.as_uri()))
        connection.commit()
    before = addresses(database)
    relocate(database, database.parent / "artifacts")
    here = (database.parent / "artifacts").as_uri()
    assert addresses(database) == sorted(
        address.replace(old.as_uri(), here) for address in before
    )
    assert len([address for address in before if old.as_uri() in address]) == 7
    assert "file:///mnt/artifacts/own" in addresses(database)


def test_experiment_in_a_database_of_mlflow_itself_says_where_its_files_were(
    open_run, tmp_path
):
    """Its experiment 0 lies elsewhere, which nobody can tell from here."""
    database = tmp_path / "out" / "mlflow.db"
    prepare_database(database)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(
            "UPDATE experiments SET artifact_location = 'mlflow-artifacts:/0'"
        )
        connection.commit()
    tracker = open_run(experiment="ours")
    run_of(tracker)
    moved = (tmp_path / "out").rename(tmp_path / "moved")
    prepare_database(moved / "mlflow.db")
    ours = moved / "artifacts" / "ours"
    assert addresses(moved / "mlflow.db") == [
        ours.as_uri(),
        (ours / tracker.run_id / "artifacts").as_uri(),
    ]


def test_folder_that_is_seen_through_a_link_is_not_moved(out, tmp_path):
    (tmp_path / "link").symlink_to(out)
    before = addresses(out / "mlflow.db")
    prepare_database(tmp_path / "link" / "mlflow.db")
    assert addresses(out / "mlflow.db") == before


def test_database_that_stays_is_not_written(out):
    before = (out / "mlflow.db").stat().st_mtime_ns
    with closing(sqlite3.connect(out / "mlflow.db")) as writer:
        writer.isolation_level = None
        writer.execute("BEGIN IMMEDIATE")  # whoever wants to write has to wait
        relocate(out / "mlflow.db", out / "artifacts")
    assert (out / "mlflow.db").stat().st_mtime_ns == before


LIGHT = """
import sys
from pathlib import Path
from experiments.config.kinds.destination import Destination
from experiments.tracking.store.databases.database import follow_move
follow_move(Destination(output_dir=Path(sys.argv[1])))
print({"mlflow", "keras", "tensorflow", "sqlalchemy"} & set(sys.modules))
"""


def test_what_only_shows_a_moved_database_needs_no_mlflow(out, tmp_path):
    moved = out.rename(tmp_path / "moved")
    command = [sys.executable, "-c", LIGHT, str(moved)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("set()\n", "")
    assert all(str(moved) in address for address in addresses(moved / "mlflow.db"))


@pytest.mark.parametrize("content", [None, b"", b"no database"])
def test_what_only_shows_creates_and_refuses_nothing(tmp_path, content):
    if content is not None:
        (tmp_path / "mlflow.db").write_bytes(content)
    before = [(path.name, path.read_bytes()) for path in tmp_path.iterdir()]
    follow_move(destination(tmp_path))
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == before


def test_module_prepares_a_database_for_the_pages(out, tmp_path):
    moved = out.rename(tmp_path / "moved")
    command = [sys.executable, "-m", "experiments.tracking", str(moved / "mlflow.db")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(str(moved) in address for address in addresses(moved / "mlflow.db"))
