"""A PostgreSQL database that is spoken to directly, on a real one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.config.kinds.destination import Destination
from experiments.doctor.store import check_store
from experiments.errors import TrackingError
from experiments.tracking.store.client import connect
from experiments.tracking.store.databases.postgres import EmptyDatabaseError
from tests.conftest import ROOT
from tests.tracking.postgres import PASSWORD, Postgres, is_usable
from tests.warm import start_command

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(not is_usable(), reason="needs root and Debian's postgresql"),
]
OPEN = """
import sys
from pathlib import Path
from experiments.config.kinds.destination import Destination
from experiments.tracking.store.client import connect
place = Destination(output_dir=Path(sys.argv[1]), uri=sys.argv[2], experiment="same")
print(connect(place).experiment_id)
"""


def at(uri: str, folder: Path) -> Destination:
    return Destination(output_dir=folder, uri=uri, experiment="some")


def refuse(uri: str, folder: Path) -> str:
    with pytest.raises(TrackingError) as caught:
        connect(at(uri, folder))
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


def test_tables_are_made_once_by_many_processes_at_once(
    postgres: Postgres, tmp_path: Path
) -> None:
    uri = postgres.create("at_once")
    processes = [
        start_command(
            [sys.executable, "-c", OPEN, str(tmp_path), uri],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    said = [process.communicate(timeout=200) for process in processes]
    assert {process.returncode for process in processes} == {0}, said
    assert len({output for output, _ in said}) == 1
    named = "SELECT name FROM experiments ORDER BY name"
    assert postgres.ask("at_once", named) == [("Default",), ("same",)]


def test_experiment_has_its_files_in_the_output_folder(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow alone would put them below whatever folder is the present one."""
    monkeypatch.chdir(tmp_path)
    connection = connect(at(postgres.create("files"), tmp_path / "out"))
    experiment = connection.client.get_experiment(connection.experiment_id)
    assert experiment.artifact_location == (tmp_path / "out/artifacts/some").as_uri()
    assert list(tmp_path.iterdir()) == []


def test_whoever_only_reads_makes_no_tables(postgres: Postgres, tmp_path: Path) -> None:
    uri = postgres.create("empty")
    with pytest.raises(EmptyDatabaseError, match="nothing was recorded there"):
        connect(at(uri, tmp_path), create=False)
    finding = check_store(at(uri, tmp_path))
    assert (finding.level, "is empty" in finding.told) == ("ok", True)
    assert (
        postgres.ask("empty", "SELECT 1 FROM pg_tables WHERE schemaname='public'") == []
    )


def test_database_of_another_program_is_left_alone(
    postgres: Postgres, tmp_path: Path
) -> None:
    uri = postgres.create("foreign")
    with postgres.connect("foreign") as connection:
        connection.execute("CREATE TABLE invoices (id int)")
    assert "tables of another program" in refuse(uri, tmp_path)
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    assert postgres.ask("foreign", tables) == [("invoices",)]


@pytest.mark.parametrize(
    ("revision", "words"),
    [
        ("451aebb31d03", "older release of MLflow"),  # the first that MLflow had
        ("ffffffffffff", "newer release of MLflow"),
    ],
)
def test_database_of_another_release_is_not_changed(
    postgres: Postgres, tmp_path: Path, revision: str, words: str
) -> None:
    name = f"release_{revision}"
    uri = postgres.create(name)
    connect(at(uri, tmp_path))
    with postgres.connect(name) as connection:
        connection.execute("UPDATE alembic_version SET version_num = %s", [revision])
    said = refuse(uri, tmp_path)
    assert words in said
    assert postgres.ask(name, "SELECT version_num FROM alembic_version") == [
        (revision,)
    ]


def test_what_is_in_the_way_is_told_in_words(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = postgres.uri("nowhere")
    assert f"there is no such database as {uri}" in refuse(uri, tmp_path)
    monkeypatch.setenv("PGPASSWORD", "wrong")
    assert "set PGUSER and PGPASSWORD" in refuse(uri, tmp_path)
    monkeypatch.delenv("PGPASSWORD")
    assert "set PGUSER and PGPASSWORD" in refuse(uri, tmp_path)
    away = "postgresql://127.0.0.1:9/mlflow"
    assert "no database answers" in refuse(away, tmp_path)
    unknown = "postgresql://nobody.invalid/mlflow"
    assert "no machine of that name" in refuse(unknown, tmp_path)
