import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from omegaconf import OmegaConf

from experiments.data.datasets.digits import load_digits
from experiments.data.samples import digest_samples, name_samples
from experiments.data.split import ArraySplit
from experiments.records import write_header
from experiments.sweeps.comparison_page import leave_comparison
from experiments.tracking.tracker import NoTracker
from tests.comparison.left import ACCURACY, leave, leave_sweep, share
from tests.evaluation.made import make
from tests.test_pages import Reader


class Parent(NoTracker):
    """Notes which files are recorded."""

    def __init__(self) -> None:
        self.files: list[Path] = []

    def log_file(self, path: Path, artifact_dir: str | None = None) -> None:
        self.files.append(path)


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    folder = tmp_path / "sweeps" / "s"
    leave_sweep(folder)
    for number in range(2):
        settings = {"optimizer.lr": str(number)}
        right = share(90 - 30 * number)
        leave(
            folder / f"job_{number}", 0.9 - number / 10, settings=settings, right=right
        )
    return folder


def close(folder: Path, tmp_path: Path) -> tuple[Path | None, list[Path]]:
    parent = Parent()
    options: dict[str, Any] = {"output_dir": tmp_path, "objective": ACCURACY}
    return leave_comparison(parent, folder, title="rates", **options), parent.files


def test_page_lies_in_the_folder_and_among_the_files_of_the_run(
    sweep: Path, tmp_path: Path
) -> None:
    page, files = close(sweep, tmp_path)
    assert page == sweep / "comparison.html"
    assert files == [page]
    text = page.read_text()
    assert "A is better than B by 30.0 points" in text
    # The images are named; what shows them is told.
    assert f"task=compare run_id={sweep}" in text


def test_sweep_whose_jobs_all_failed_has_no_page(tmp_path: Path) -> None:
    folder = tmp_path / "sweeps" / "s"
    leave_sweep(folder)
    for number in range(2):
        leave(folder / f"job_{number}", None, status="FAILED", epochs=0)
    assert close(folder, tmp_path) == (None, [])


def test_sweep_of_one_job_has_no_page(tmp_path: Path) -> None:
    folder = tmp_path / "sweeps" / "s"
    leave_sweep(folder)
    leave(folder / "job_0", 0.5)
    assert close(folder, tmp_path) == (None, [])


def test_page_that_cannot_be_made_is_a_line_and_fails_nothing(
    sweep: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("experiments.sweeps.comparison_page.replace_bytes", refuse)
    with caplog.at_level(logging.WARNING):
        assert close(sweep, tmp_path) == (None, [])
    (record,) = caplog.records
    assert "No space left on device" in record.getMessage()
    assert f"task=compare run_id={sweep}" in record.getMessage()
    assert "\n" not in record.getMessage()


def test_damaged_job_does_not_spoil_the_page(sweep: Path, tmp_path: Path) -> None:
    leave(sweep / "job_2", 0.5)
    (sweep / "job_2" / "tracking" / "journal.jsonl").write_text("{")
    page, _ = close(sweep, tmp_path)
    assert page is not None
    assert "unreadable" in page.read_text()


def test_jobs_without_a_tracker_are_compared_without_curves(tmp_path: Path) -> None:
    folder = tmp_path / "sweeps" / "s"
    for number in range(2):
        job = folder / f"job_{number}"
        leave(job, 0.9 - number / 10, tracked=False, right=share(90 - 30 * number))
        config = job / ".hydra" / "config.yaml"
        config.parent.mkdir()
        config.write_text(f"optimizer: {{lr: {number}}}\ntags: {{}}\ntrainer: {{}}\n")
    page, _ = close(folder, tmp_path)
    assert page is not None
    text = page.read_text()
    assert "A is better than B by 30.0 points" in text
    assert "2 rows without a curve" in text


def test_images_of_an_archive_are_shown_without_a_framework(
    check: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = check(
        "model=resnet20_cifar", "dataset=digits", "dataset.image_size=null"
    ).config
    plain = OmegaConf.to_container(config, resolve=True)
    assert isinstance(plain, dict)
    options = {k: v for k, v in plain["dataset"].items() if k != "_target_"}
    test = load_digits(**options).test
    assert isinstance(test, ArraySplit)
    folder = tmp_path / "sweeps" / "s"
    leave_sweep(folder)
    for number in range(2):
        right = share(200 - 100 * number, len(test))
        said = np.where(right, test.labels, (test.labels + 1) % 10)
        predictions = replace(
            make(np.eye(10)[said] * 9, test.labels),
            samples=name_samples(test),
            digests=digest_samples(test),
        )
        job = folder / f"job_{number}"
        settings = {"optimizer.lr": str(number)}
        leave(job, 0.9 - number / 10, settings=settings, predictions=predictions)
        recorded = job / "tracking" / "artifacts" / "config" / "config.yaml"
        own = {**plain, "optimizer": {**plain["optimizer"], "lr": 0.1 + number}}
        recorded.write_text(write_header() + yaml.safe_dump(own))
    for name in ("tensorflow", "keras", "jax"):
        monkeypatch.setitem(sys.modules, name, None)  # an import of it would fail
    page, _ = close(folder, tmp_path)
    assert page is not None
    shown = Reader(page.read_text())
    assert len(shown.sources) == 24
    assert page.stat().st_size < 3e6
    assert not any("task=compare run_id" in text for text in shown.texts)


def test_data_set_of_ones_own_is_named_and_not_loaded(
    check: Any, sweep: Path, tmp_path: Path
) -> None:
    config = check("model=resnet20_cifar", "dataset=digits").config
    plain = OmegaConf.to_container(config, resolve=True)
    assert isinstance(plain, dict)
    plain["dataset"] = {"_target_": "my_package.load"}
    for job in ("job_0", "job_1"):
        recorded = sweep / job / "tracking" / "artifacts" / "config" / "config.yaml"
        recorded.write_text(write_header() + yaml.safe_dump(plain))
    parent = Parent()
    page = leave_comparison(
        parent,
        sweep,
        output_dir=tmp_path,
        objective=ACCURACY,
        title="rates",
        allowed_targets=["experiments", "keras", "my_package"],
    )
    assert page is not None
    assert f"task=compare run_id={sweep}" in page.read_text()
