import json
import os
import shutil

import pytest

from experiments.data.files import inventory
from experiments.data.files.folders.layout import read_layout
from experiments.data.files.inventory import (
    describe_files,
    describe_files_now,
    list_file_changes,
)
from experiments.data.files.scanning.scan import scan_files


@pytest.fixture(autouse=True)
def _listed_anew(monkeypatch):
    monkeypatch.setattr(inventory, "_REUSE", 0)


@pytest.fixture(params=["flat", "divided"])
def root(request, tmp_path):
    folder = tmp_path / "pets"
    for split in ("Training", "Testing") if request.param == "divided" else (".",):
        for name in ("cat", "dog"):
            (folder / split / name).mkdir(parents=True)
            for number in range(3):
                content = f"{split} {name} {number}" * 2000
                (folder / split / name / f"{number}.jpg").write_text(content)
    return folder


def describe(root, verify="header", splits=None):
    layout = read_layout(root, splits=splits, classes=None)
    parts = layout.files.values()
    names = [name for files in parts for name in files.names]
    folders = [folder for files in parts for folder in files.folders]
    described = describe_files(
        root,
        scan_files(root, names, verify=verify),
        folders,
        splits=layout.splits,
        by_name=splits is None,
        verify=verify,
    )
    return json.loads(json.dumps(described))


def first_class(root):
    """Returns the folder of the first class and its name in sentences."""
    split = "Training/" if (root / "Training").is_dir() else ""
    return root / f"{split}cat", f"{split}cat"


def changes(root, former, path=None):
    return list_file_changes(former, describe_files_now(former, str(path or root)))


def opened(monkeypatch):
    """Returns the list of files that are opened from now on."""
    names = []
    original = inventory.scan_files

    def scan(root, files, **options):
        names.extend(files)
        return original(root, files, **options)

    monkeypatch.setattr(inventory, "scan_files", scan)
    return names


def test_nothing_changed_and_no_file_is_opened(root, monkeypatch):
    former, names = describe(root), opened(monkeypatch)

    assert changes(root, former) == []
    assert names == []


def test_a_touched_file_is_opened_with_its_class_and_found_the_same(root, monkeypatch):
    former, names = describe(root), opened(monkeypatch)
    folder, name = first_class(root)
    os.utime(folder / "1.jpg", ns=(1, 1))

    assert changes(root, former) == []
    assert names == [f"{name}/{number}.jpg" for number in range(3)]


def test_a_copied_folder_holds_the_same_files(root, tmp_path):
    former = describe(root)
    shutil.copytree(root, tmp_path / "copy", copy_function=shutil.copy)

    assert changes(root, former, tmp_path / "copy") == []
    assert list_file_changes(former, describe(tmp_path / "copy")) == []


@pytest.mark.parametrize("verify", ["full", "header", "off"])
def test_added_files_are_counted(root, verify):
    former = describe(root, verify)
    folder, name = first_class(root)
    for number in range(3, 6):
        (folder / f"{number}.jpg").write_text("new")

    assert changes(root, former) == [f"3 files more in {name}"]


def test_a_removed_file_is_counted(root):
    former = describe(root)
    folder, name = first_class(root)
    (folder / "0.jpg").unlink()

    assert changes(root, former) == [f"1 file less in {name}"]


@pytest.mark.parametrize("level", ["header", "off"])
def test_a_replaced_file_is_told_by_its_class(root, level):
    former = describe(root, level)
    folder, name = first_class(root)
    (folder / "0.jpg").write_text("other")

    assert changes(root, former) == [f"other content in {name}"]


def test_a_renamed_file_is_another(root):
    former = describe(root)
    folder, name = first_class(root)
    (folder / "0.jpg").rename(folder / "9.jpg")

    assert changes(root, former) == [f"other content in {name}"]


def test_new_and_lost_classes_are_named(root):
    former = describe(root)
    folder, name = first_class(root)
    folder.rename(folder.with_name("bird"))
    (folder.with_name("bird") / "3.jpg").write_text("new")

    assert changes(root, former) == [
        "1 file more",
        f"the folder {name.replace('cat', 'bird')} is new",
        f"the folder {name} is gone",
    ]


@pytest.mark.parametrize("root", ["divided"], indirect=True)
def test_a_split_that_came_since_is_new(root):
    former = describe(root)
    (root / "val" / "cat").mkdir(parents=True)
    (root / "val" / "cat" / "0.jpg").write_text("new")
    (root / "val" / "dog").mkdir()
    (root / "extra" / "cat").mkdir(parents=True)
    (root / "extra" / "cat" / "0.jpg").write_text("not used")

    assert changes(root, former) == ["1 file more", "the folder val/cat is new"]


def test_a_folder_that_is_gone_is_told(root, tmp_path):
    former = describe(root)
    root.rename(tmp_path / "elsewhere")

    (phrase,) = changes(root, former)
    assert phrase.startswith("they cannot be read any more (dataset.path does not")
    assert str(root) in phrase


def test_many_changes_are_counted(tmp_path):
    for number in range(9):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / "a.jpg").write_text("old")
    former = describe(tmp_path)
    for number in range(9):
        (tmp_path / f"{number}" / "b.jpg").write_text("new")

    assert changes(tmp_path, former) == [
        *(f"1 file more in {number}" for number in range(4)),
        "and 5 changes more",
    ]


def test_digests_of_other_kinds_are_not_compared(root):
    assert list_file_changes(describe(root, "header"), describe(root, "off")) == []


def test_jobs_of_a_sweep_list_a_large_folder_once(root, monkeypatch):
    monkeypatch.setattr(inventory, "_REUSE", 1e9)
    monkeypatch.setattr(inventory, "_listings", {})
    former = describe(root)
    assert changes(root, former) == []

    monkeypatch.setattr(inventory, "list_unchecked", None)

    assert changes(root, former) == []


def test_nothing_heavy_is_imported():
    import subprocess
    import sys

    code = "import sys, experiments.data.files.inventory; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"numpy", "tensorflow", "keras"} & set(done.stdout.split())
