"""Databases of other releases of MLflow, and of other programs."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from experiments.errors import TrackingError
from experiments.tracking.store.databases import schema
from experiments.tracking.store.databases.database import prepare_database
from experiments.tracking.store.mlflow_import import import_mlflow
from tests.tracking.conftest import run_of, settle

from .test_database import schema_of


@pytest.fixture(scope="module")
def older(tmp_path_factory):
    """A database as the release before MLflow's last migration left it, with a run."""
    import_mlflow()
    from alembic import command
    from mlflow.store.db.utils import _get_alembic_config

    path = tmp_path_factory.mktemp("older") / "mlflow.db"
    prepare_database(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO runs (run_uuid, name) VALUES ('a', 'kept')")
        connection.commit()
    command.downgrade(_get_alembic_config(f"sqlite:///{path}"), "-1")
    return path


@pytest.fixture
def database(older, tmp_path):
    """A copy of it in an output folder."""
    (tmp_path / "out").mkdir()
    return shutil.copy(older, tmp_path / "out" / "mlflow.db")


def stamp(path, revision):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [revision])
        connection.commit()


def names_of_runs(path):
    with closing(sqlite3.connect(path)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM runs")]


def test_last_revision_is_the_one_that_mlflow_upgrades_to():
    import_mlflow()
    from alembic.script import ScriptDirectory
    from mlflow.store.db.utils import _get_alembic_config

    scripts = ScriptDirectory.from_config(_get_alembic_config(""))
    assert schema._latest_revision() == scripts.get_current_head()
    assert set(schema._revisions()) == {s.revision for s in scripts.walk_revisions()}


def test_older_database_is_upgraded_once_after_a_copy_that_is_named(
    database, tmp_path, caplog
):
    before = schema_of(database)
    (revision,) = before[1][0]
    prepare_database(database)
    prepare_database(tmp_path / "fresh" / "mlflow.db")
    assert schema_of(database)[1] == schema_of(tmp_path / "fresh" / "mlflow.db")[1]
    copy = database.with_name(f"mlflow.db.before-{revision}")
    assert schema_of(copy) == before
    assert names_of_runs(copy) == names_of_runs(database) == ["kept"]
    (record,) = [r for r in caplog.records if r.levelname == "WARNING"]
    assert str(copy) in record.getMessage()
    prepare_database(database)
    assert list(database.parent.glob("*before*")) == [copy]


def test_second_upgrade_leaves_the_first_copy_alone(database, older):
    prepare_database(database)
    (first,) = database.parent.glob("*before*")
    content = first.read_bytes()
    for suffix in ("-wal", "-shm"):
        database.with_name(f"mlflow.db{suffix}").unlink(missing_ok=True)
    shutil.copy(older, database)
    prepare_database(database)
    assert first.read_bytes() == content
    assert first.with_name(f"{first.name}-2").is_file()


UPGRADE = """
import sys
from pathlib import Path
from experiments.tracking.store.databases.database import prepare_database
prepare_database(Path(sys.argv[1]))
"""


def test_processes_that_come_together_upgrade_it_once(database):
    command = [sys.executable, "-c", UPGRADE, str(database)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(3)]
    errors = [process.communicate()[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], errors
    assert sum("is upgraded for good" in text for text in errors) == 1
    assert len(list(database.parent.glob("*before*"))) == 1


def test_database_that_cannot_be_upgraded_stays_as_it_was(database):
    with closing(sqlite3.connect(database)) as connection:
        # The migration adds this column.
        connection.execute("ALTER TABLE jobs ADD COLUMN progress TEXT")
        connection.commit()
    before = schema_of(database)
    with pytest.raises(TrackingError, match=r"cannot be upgraded: .*duplicate column"):
        prepare_database(database)
    assert schema_of(database) == before
    assert names_of_runs(database) == ["kept"]


def test_run_goes_into_an_upgraded_database(open_run, database):
    tracker = open_run()
    assert run_of(tracker).info.status == "RUNNING"
    assert "kept" in names_of_runs(database)


def test_database_of_a_newer_release_is_refused_before_a_run_begins(
    open_run, database, tmp_path
):
    stamp(database, "f00f00f00f00")
    folder = tmp_path / "out" / "job"
    with pytest.raises(TrackingError) as error:
        open_run(folder=folder)
    assert str(error.value).startswith(
        f"{database} was written by a newer release of MLflow than the installed"
    )
    assert "f00f00f00f00" in str(error.value)
    assert not folder.exists()


@pytest.mark.usefixtures("impatient")
def test_records_wait_when_a_newer_release_takes_the_database_meanwhile(
    open_run, tmp_path
):
    tracker = open_run()
    settle(tracker)
    stamp(tmp_path / "out" / "mlflow.db", "f00f00f00f00")
    tracker._courier._delivery = None  # as after any failure
    tracker.log_metrics({"loss": 0.5}, step=1)
    tracker.finish("FINISHED")
    assert tracker.unsent == 2
    assert "newer release of MLflow" in tracker.problem


def test_database_of_another_program_is_refused(tmp_path):
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
        connection.commit()
    with pytest.raises(TrackingError, match="but not one of MLflow"):
        prepare_database(tmp_path / "mlflow.db")


def test_runs_of_a_database_are_told_without_mlflow(open_run, tmp_path):
    kept, deleted = open_run(), open_run()
    settle(kept)
    settle(deleted).delete_run(deleted.run_id)
    assert schema.list_run_ids(tmp_path / "out" / "mlflow.db") == {kept.run_id}


def test_of_a_database_that_cannot_be_read_no_run_is_told(tmp_path):
    (tmp_path / "mlflow.db").write_text("no database")
    assert schema.list_run_ids(tmp_path / "mlflow.db") == set()
    assert schema.list_run_ids(tmp_path / "absent.db") == set()
    assert not (tmp_path / "absent.db").exists()
