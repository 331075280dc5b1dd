from pathlib import Path

import pytest

from experiments.tracking.store.client import connect
from tests.tracking.conftest import CONNECTION


def test_reading_a_file_of_a_run_shows_no_bar(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    options = dict(CONNECTION)
    del options["enabled"], options["drain_seconds"]
    connection = connect(**options, output_dir=tmp_path)  # type: ignore[arg-type]
    client = connection.client
    # Of an experiment that MLflow makes by itself the files go into the current folder.
    run = client.create_run(connection.experiment_id)
    client.log_text(run.info.run_id, "some text", "some.txt")

    file = client.download_artifacts(run.info.run_id, "some.txt", str(tmp_path))

    assert Path(file).read_text() == "some text"
    assert capfd.readouterr().err == ""
