from pathlib import Path

import pytest

from experiments.data.readiness import class_contents
from experiments.data.readiness.class_contents import ClassFolder, find_content_faults
from experiments.data.readiness.content import Content


def classes(root: Path, count: int) -> list[ClassFolder]:
    for number in range(count):
        (root / f"{number:04}").mkdir()
    return [ClassFolder((place,), ("train",)) for place in sorted(root.iterdir())]


def test_look_at_a_slow_disk_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, looked_at = [0.0], []

    def take_long(folder: Path, *, enough: int) -> Content:
        now[0] += 0.1
        looked_at.append(folder)
        return Content(files=enough, others=(), images=True, complete=False)

    monkeypatch.setattr(class_contents, "look_into", take_long)
    many = classes(tmp_path, 50)
    faults = find_content_faults(tmp_path, many, skips=False, clock=lambda: now[0])
    assert list(faults) == []
    assert len(looked_at) == 3  # 0.3 s


def test_many_empty_classes_are_one_sentence(tmp_path: Path) -> None:
    (problem,) = find_content_faults(tmp_path, classes(tmp_path, 12), skips=False)
    assert "has 12 class folders without a file: " in problem.message
    assert problem.message.endswith("/0004 and 7 more.")
    assert problem.hint == "Add images, or remove them."


def test_packed_class_is_told_with_what_unpacks_it(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "cat.tar.gz").write_bytes(b"packed")
    one = ClassFolder((tmp_path / "cat",), ("train",))
    (problem,) = find_content_faults(tmp_path, [one], skips=True)
    folder = tmp_path / "cat" / "cat"
    assert f"mkdir -p {folder} && tar -xf {folder}.tar.gz -C {folder}" in str(problem)


def test_two_spellings_of_a_class_are_one(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.jpg").write_bytes(b"")
    both = ClassFolder((tmp_path / "empty", tmp_path / "full"), ("train",))
    assert not list(find_content_faults(tmp_path, [both], skips=False))
