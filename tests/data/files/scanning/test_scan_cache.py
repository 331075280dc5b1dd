import json
from pathlib import Path
from typing import Any

import pytest

from experiments.data.files.scanning.scan_cache import ScanCache, ScanRecord
from tests.damage import WAYS

RECORD = ScanRecord(size=3, modified=5, verify="full", digest="d", fault=None)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    return tmp_path / "images"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def find(root: Path, folder: Path) -> ScanRecord | None:
    cache = ScanCache(root, folder)
    return cache.find("a.png", size=3, modified=5, verify="full")


@pytest.fixture
def file(root: Path, folder: Path) -> Path:
    """The cache of a folder with one image."""
    ScanCache(root, folder).save({"a.png": RECORD})
    (file,) = folder.iterdir()
    return file


def test_record_is_found_again(root: Path, folder: Path, file: Path) -> None:
    assert file.is_file()
    assert find(root, folder) == RECORD


@pytest.mark.timeout(20)
@pytest.mark.parametrize("way", WAYS)
def test_damaged_cache_is_named_and_not_used(
    way: str,
    root: Path,
    folder: Path,
    file: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    WAYS[way](file)

    assert find(root, folder) is None

    (record,) = caplog.records
    start = f"Verifying again, because {file} is damaged: "
    assert record.getMessage().startswith(start)


@pytest.mark.parametrize(
    "record",
    [
        None,
        {},
        [],
        [3, 5, "full", "d", None],
        [3, 5, "full", "d", None, None, None],
        [3.0, 5, "full", "d", None, 9],
        [True, 5, "full", "d", None, 9],
        [3, "5", "full", "d", None, 9],
        [3, 5, None, "d", None, 9],
        [3, 5, "full", ["d"], None, 9],
        [3, 5, "full", "d", 1, 9],
        [3, 5, "full", "d", None, "9"],
    ],
    ids=str,
)
def test_record_of_another_form_is_named(
    record: Any,
    root: Path,
    folder: Path,
    file: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    file.write_text(json.dumps({"version": 3, "files": {"a.png": record}}))

    assert find(root, folder) is None

    assert "is damaged: `files.a.png` is no record of a file" in caplog.text


@pytest.mark.parametrize("files", [[], "a", None, 1])
def test_files_that_are_no_mapping_are_named(
    files: Any,
    root: Path,
    folder: Path,
    file: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    file.write_text(json.dumps({"version": 3, "files": files}))

    assert find(root, folder) is None

    assert "is damaged: `files` must be a mapping" in caplog.text


def test_cache_of_an_earlier_version_is_not_used(
    root: Path, folder: Path, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_text(json.dumps({"version": 1, "files": ["anything"]}))

    assert find(root, folder) is None

    assert caplog.text == ""
