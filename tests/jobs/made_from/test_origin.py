import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from experiments import job_files
from experiments.errors import ExperimentError
from experiments.jobs.made_from import origin
from tests.damage import WAYS


def run(*packages: str, weights: str | None = None) -> Any:
    model = SimpleNamespace(weights=weights)
    return SimpleNamespace(allowed_targets=packages, model=model)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of a user, importable and outside site-packages."""
    folder = tmp_path / "users_parts"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "net.py").write_text("WIDTH = 3")
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def test_origin_holds_sources_of_the_own_packages_and_versions_of_the_others(
    package: Path,
) -> None:
    found = origin.describe_origin(run("experiments", "users_parts.net", "keras"))
    assert "experiments/builders/model.py" in found["code"]
    assert "users_parts/net.py" in found["code"]
    assert not any(name.startswith("keras/") for name in found["code"])
    assert found["packages"]["keras"]
    assert "data" not in found


def test_changed_file_is_named(package: Path) -> None:
    before = origin.describe_origin(run("users_parts"))
    (package / "net.py").write_text("WIDTH = 4")
    (package / "new.py").touch()
    after = origin.describe_origin(run("users_parts"))
    (phrase,) = origin.list_changes(before, after)
    assert phrase == "users_parts/net.py, users_parts/new.py"
    assert origin.list_changes(before, before) == []


def test_file_of_weights_counts_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "resnet18.pth"
    path.write_bytes(b"one")
    before = origin.describe_origin(run(weights=str(path)))
    digest = hashlib.sha256(b"one").hexdigest()
    assert before["weights"] == {"name": "resnet18.pth", "sha256": digest}
    path.write_bytes(b"two")
    after = origin.describe_origin(run(weights=str(path)))
    assert origin.list_changes(before, before) == []
    assert origin.list_changes(before, after) == ["the weights that it begins with"]
    path.unlink()  # a job that goes on does not need it
    gone = origin.describe_origin(run(weights=str(path)))
    assert "weights" not in gone
    assert origin.list_changes(before, gone) == []
    assert "weights" not in origin.describe_origin(run(weights="imagenet"))


def test_many_changed_files_are_counted() -> None:
    before = {"code": {f"a/{n}.py": "1" for n in range(8)}}
    after = {"code": {f"a/{n}.py": "2" for n in range(8)}}
    (phrase,) = origin.list_changes(before, after)
    assert phrase.endswith("a/4.py and 3 more files")


def test_changed_packages_and_data_are_told() -> None:
    before = {"packages": {"keras": "1"}, "data": {"content": "a", "split": "b"}}
    after = {"packages": {"keras": "2"}, "data": {"content": "c", "split": "d"}}
    changes = origin.list_changes(before, after)
    assert changes == ["keras 1 -> 2", "the data set's images"]
    other_split = {**before, "data": {"content": "a", "split": "d"}}
    assert origin.list_changes(before, other_split) == ["the data set's split"]


def test_part_that_one_side_lacks_is_not_compared() -> None:
    assert (
        origin.list_changes({"code": {}, "data": {"content": "a"}}, {"code": {}}) == []
    )


def test_origin_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert origin.read_origin(tmp_path) is None
    origin.write_origin(tmp_path, {"code": {"a.py": "1"}})
    assert origin.read_origin(tmp_path) == {"code": {"a.py": "1"}}
    (tmp_path / job_files.ORIGIN).write_text(json.dumps({})[:1])
    assert origin.read_origin(tmp_path) is None


def test_change_is_a_warning_and_refused_when_strict(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    origin.write_origin(tmp_path, {"code": {"a.py": "1"}})
    with pytest.raises(ExperimentError, match=r"resume.strict=true: a.py changed"):
        origin.check_origin(tmp_path, {"code": {"a.py": "2"}}, strict=True)
    assert origin.read_origin(tmp_path) == {"code": {"a.py": "1"}}
    origin.check_origin(tmp_path, {"code": {"a.py": "2"}}, strict=False)
    assert "Changed since this job was started: a.py." in caplog.text
    assert origin.read_origin(tmp_path) == {"code": {"a.py": "2"}}
    caplog.clear()
    origin.check_origin(tmp_path, {"code": {"a.py": "2"}}, strict=True)
    assert caplog.text == ""


FILES = {
    "target": "t",
    "path": "/data",
    "splits": {},
    "by_name": False,
    "verify": "full",
    "folders": {"cat": {"files": 1, "stats": "a", "content": "b"}},
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("way", WAYS)
def test_damaged_origin_is_named_and_taken_for_unknown(
    way: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    origin.write_origin(folder, {"code": {"a.py": "1"}})
    WAYS[way](folder / job_files.ORIGIN)

    assert origin.read_origin(folder) is None

    assert "origin.json is damaged: " in caplog.text


@pytest.mark.parametrize(
    "content",
    [
        {"code": []},
        {"code": {"a.py": 1}},
        {"packages": {"keras": None}},
        {"data": "x"},
        {"files": {}},
        {"files": {**FILES, "folders": []}},
        {"files": {**FILES, "folders": {"cat": {"files": -1}}}},
        {"files": {**FILES, "path": ["/"]}},
        {"files": {**FILES, "splits": {"train": 1}}},
    ],
    ids=str,
)
def test_origin_of_another_form_is_named(
    content: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / job_files.ORIGIN).write_text(json.dumps(content))

    assert origin.read_origin(tmp_path) is None

    assert f"origin.json is damaged: `{next(iter(content))}" in caplog.text


@pytest.mark.parametrize("split", ["..", "/etc", "a/../../x"])
def test_record_names_no_split_outside_of_the_data_set(
    split: str, check: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = check("dataset=folder", f"dataset.path={tmp_path}", "dataset.classes=2").run
    files = {**FILES, "target": run.dataset._target_, "splits": {"train": split}}

    assert origin.list_file_changes_since({"files": files}, run) == []

    assert "a split lies outside of" in caplog.text
