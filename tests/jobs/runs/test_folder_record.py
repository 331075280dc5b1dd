"""A run by its folder alone."""

from pathlib import Path

import pytest

from experiments.errors import ConfigError, ExperimentError
from experiments.jobs.runs.folder_record import read_folder_config, read_folder_run
from tests.jobs.left import leave_run

CONFIG = "trainer:\n  batch_size: 8\ncopy: ${trainer.batch_size}\ntags: {}\n"


@pytest.fixture
def job(tmp_path: Path) -> Path:
    job = tmp_path / "runs" / "a"
    leave_run(job, tracked=False)
    (job / ".hydra").mkdir()
    (job / ".hydra" / "config.yaml").write_text(CONFIG)
    return job


def test_job_without_a_tracker_is_read_with_its_links_followed(
    job: Path, tmp_path: Path
):
    run = read_folder_run(job, tmp_path)
    assert (run.run_id, run.folder, run.name) == (str(job), job, "a run")
    assert run.config["copy"] == 8
    assert run.metrics == {"best_val_accuracy": 0.5}


def test_record_that_reads_the_environment_is_refused(job: Path):
    (job / ".hydra" / "config.yaml").write_text("name: ${oc.env:HOME}\n")
    with pytest.raises(ConfigError, match="must be recorded as a value"):
        read_folder_config(job)


def test_folder_of_something_else_is_told(tmp_path: Path):
    with pytest.raises(ExperimentError, match="is no folder of a run"):
        read_folder_run(tmp_path, tmp_path)
