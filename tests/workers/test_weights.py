from pathlib import Path

import pytest

from experiments.workers.weights import (
    find_weights,
    measure_folders,
    remove_weights,
)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """The checkpoints of a job, 700 bytes."""
    folder = find_weights(tmp_path / "sweep" / "job")
    folder.mkdir(parents=True)
    (folder / "a.safetensors").write_bytes(b"x" * 700)
    return folder


def test_a_folder_that_is_named_twice_is_measured_once(weights: Path) -> None:
    assert measure_folders([weights, weights, weights / "absent"]) == 700


def test_a_file_that_a_running_job_replaces_meanwhile_counts_nothing(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = weights / "gone.safetensors"
    own = Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda path: [*own(path), gone])
    assert measure_folders([weights]) == 700


def test_only_checkpoints_of_the_sweep_are_removed(
    weights: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert not remove_weights(weights, within=tmp_path / "another")
    assert weights.is_dir()
    assert "counts no more but stays" in caplog.text
    assert remove_weights(weights, within=tmp_path / "sweep")
    assert weights.parent.is_dir()
    assert not weights.exists()


def test_a_link_that_leads_elsewhere_is_not_followed(
    weights: Path, tmp_path: Path
) -> None:
    link = find_weights(tmp_path / "sweep" / "other")
    link.parent.mkdir()
    link.symlink_to(tmp_path / "elsewhere")
    kept = tmp_path / "elsewhere" / "kept"
    kept.mkdir(parents=True)
    assert not remove_weights(link, within=tmp_path / "sweep")
    assert kept.is_dir()
