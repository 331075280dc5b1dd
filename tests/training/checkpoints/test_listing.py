import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from experiments import job_files
from experiments.records import OutsideError, RecordError
from experiments.training.checkpoints.listing import list_checkpoints
from experiments.training.checkpoints.manifest import (
    Manifest,
    Record,
    write_manifest,
)


def record(epoch: int, value: float) -> Record:
    name = f"epoch-{epoch:04d}-step-000000-{'a' * 16}.safetensors"
    return Record(epoch=epoch, step=0, file=name, sha256="a" * 64, value=value)


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """The folder of a job whose second of four epochs was the best; two are kept."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    best, third, fourth = record(2, 0.9), record(3, 0.8), record(4, 0.7)
    manifest = Manifest(
        monitor="val_accuracy", mode="max", best=best, last=(fourth, third)
    )
    write_manifest(folder, manifest)
    for state in manifest.records():
        (folder / state.file).touch()
    return tmp_path


def test_states_are_listed_from_the_newest_on_with_the_best_one_marked(
    job: Path,
) -> None:
    found = list_checkpoints(job)
    facts = [(state.epoch, state.step, state.value, state.is_best) for state in found]
    assert facts == [(4, 0, 0.7, False), (3, 0, 0.8, False), (2, 0, 0.9, True)]
    assert all(state.path.is_file() for state in found)


def test_state_that_was_removed_is_left_out(job: Path) -> None:
    list_checkpoints(job)[0].path.unlink()
    assert [state.epoch for state in list_checkpoints(job)] == [3, 2]


def test_job_that_saved_nothing_has_none(tmp_path: Path) -> None:
    assert list_checkpoints(tmp_path) == []


def test_damaged_manifest_is_told(job: Path) -> None:
    (job / job_files.CHECKPOINTS / job_files.MANIFEST).write_text("{")
    with pytest.raises(RecordError, match=f"{job_files.MANIFEST} is damaged"):
        list_checkpoints(job)


def test_manifest_names_no_file_elsewhere(job: Path) -> None:
    text = (job / job_files.CHECKPOINTS / job_files.MANIFEST).read_text()
    name = record(2, 0.9).file
    (job / job_files.CHECKPOINTS / job_files.MANIFEST).write_text(
        text.replace(name, f"../{name}")
    )
    with pytest.raises(RecordError, match="the name of a file in the same folder"):
        list_checkpoints(job)


def test_states_that_lie_elsewhere_are_refused(job: Path, tmp_path: Path) -> None:
    other = tmp_path / "another job"
    other.mkdir()
    (other / "checkpoints").symlink_to(job / "checkpoints")
    with pytest.raises(OutsideError, match="lies outside of"):
        list_checkpoints(other)


def test_listing_needs_no_framework(job: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from experiments.training.checkpoints.listing import list_checkpoints\n"
        "print(len(list_checkpoints(Path(sys.argv[1]))))\n"
        "print(sorted({'keras', 'tensorflow', 'numpy', 'mlflow'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(job)], capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("3\n[]\n", "")


def test_state_without_a_value_is_listed_too(job: Path) -> None:
    inside = replace(record(5, 0.0), step=7, value=None)
    folder = job / "checkpoints"
    write_manifest(folder, Manifest(monitor="val_accuracy", mode="max", last=(inside,)))
    (folder / inside.file).touch()
    (found,) = list_checkpoints(job)
    assert (found.epoch, found.step, found.value, found.is_best) == (5, 7, None, False)
