import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.evaluation.reporting.gallery_page import Gallery
from experiments.trained.answer_files import Summary, keep_answers
from experiments.trained.answers import Answers, Unreadable
from tests.evaluation.made import make


def answer(*winners: int, faults: dict[str, str] | None = None) -> Answers:
    """Returns what a model said of images whose likeliest classes are given."""
    count = len(winners)
    return Answers(
        predictions=make(np.eye(3)[list(winners)].reshape(count, 3), [0] * count),
        paths=tuple(f"/{number}.jpg" for number in range(count)),
        pixels=np.zeros((count, 8, 8, 1), np.uint8),
        unreadable=tuple(
            Unreadable(file=f, reason=r) for f, r in (faults or {}).items()
        ),
    )


def keep(folder: Path, *found: Answers, **options: Any) -> Summary:
    given = {"form": "csv", "ranked": 1, "gallery": Gallery(5), "facts": {}, **options}
    return keep_answers(iter(found), folder, **given)


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_answers_and_what_is_no_image_are_two_files(tmp_path: Path) -> None:
    faults = {"a, b.jpg": "is empty", "ü.jpg": "is no image"}
    summary = keep(tmp_path, answer(1, 2), answer(faults=faults), answer(1))
    assert [row[1] for row in rows(tmp_path / "predictions.csv")[1:]] == [
        "class 1",
        "class 2",
        "class 1",
    ]
    assert rows(tmp_path / "unreadable.csv") == [
        ["file", "reason"],
        *map(list, faults.items()),
    ]
    assert (summary.predicted, summary.refused) == (3, 2)
    assert summary.counts == {"class 1": 2, "class 2": 1}
    assert [bad.file for bad in summary.unreadable] == list(faults)


def test_list_of_unreadable_files_is_not_that_of_an_earlier_time(
    tmp_path: Path,
) -> None:
    keep(tmp_path, answer(1, faults={"a": "is empty"}))
    keep(tmp_path, answer(1))
    assert not (tmp_path / "unreadable.csv").exists()


def test_files_are_as_before_where_it_breaks_off(tmp_path: Path) -> None:
    keep(tmp_path, answer(1, faults={"a": "is empty"}))

    def break_off() -> Iterator[Answers]:
        yield answer(2, faults={"b": "is empty"})
        raise KeyError

    with pytest.raises(KeyError):
        keep_answers(
            break_off(),
            tmp_path,
            form="csv",
            ranked=1,
            gallery=Gallery(1),
            facts={},
        )
    assert rows(tmp_path / "predictions.csv")[1][1] == "class 1"
    assert rows(tmp_path / "unreadable.csv")[1][0] == "a"
    assert len(list(tmp_path.iterdir())) == 2


def test_of_many_files_few_are_remembered(tmp_path: Path) -> None:
    many = [answer(1, 2, 0, faults={f"{n}.jpg": "is empty"}) for n in range(500)]
    summary = keep(tmp_path, *many)
    assert (summary.predicted, summary.refused) == (1500, 500)
    assert sum(map(len, summary.first)) < 20
    assert len(summary.unreadable) == 100
    assert len(rows(tmp_path / "unreadable.csv")) == 501
