import dataclasses
import re

import numpy as np
import pytest

from experiments.jobs.showing.answer_display import (
    describe_counts,
    describe_speed,
    show_one,
    show_some,
)
from tests.evaluation.made import make

NAMES = ("cat", "dog [red]", "cow", "elk")


def test_one_file_has_its_classes_as_bars(capsys: pytest.CaptureFixture[str]) -> None:
    p = make(np.log([[0.1, 0.5, 0.399, 0.001]]), [0], names=NAMES)
    show_one(p, ranked=3)
    name, *lines = capsys.readouterr().out.strip().splitlines()
    assert name == "0"
    assert [re.split(r"\s{2,}", line.strip())[:2] for line in lines] == [
        ["dog [red]", "50.0 %"],
        ["cow", "39.9 %"],
        ["cat", "10.0 %"],
    ]
    lengths = [line.count("━") for line in lines]
    assert lengths == [15, 11, 3]  # of thirty


def test_several_files_are_a_table_of_the_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    p = make(np.log([[0.1, 0.5, 0.3, 0.1]] * 2), [0, 0], names=NAMES)
    show_some([p, p], most=3)
    lines = capsys.readouterr().out.strip().splitlines()
    cells = [re.split(r"\s{2,}", line.strip()) for line in lines]
    row = ["dog [red]", "50.0 %", "cow 30.0 %, cat 10.0 %"]
    assert cells == [
        ["file", "label", "probability", "next"],
        *[[name, *row] for name in ("0", "1", "0")],
    ]


def test_long_paths_and_classes_take_a_line_each(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    p = make(np.log([[0.1, 0.5, 0.3, 0.1]]), [0], names=("a" * 20, "b", "c" * 20, "d"))
    p = dataclasses.replace(p, samples=[f"photos/{'folder/' * 9}cat.jpg"])
    show_some([p], most=3)
    _, row = capsys.readouterr().out.strip().splitlines()
    file, label, share, further = row.split(maxsplit=3)
    assert file == "…/folder/folder/folder/cat.jpg"  # 30 columns
    assert (label, share) == ("b", "50.0")
    assert further.startswith("%  ccc")
    assert further.rstrip().endswith("…")


def test_files_of_a_class_are_counted_the_most_frequent_first() -> None:
    assert describe_counts({"cat": 2, "dog": 1_300}) == "dog: 1,300, cat: 2"
    many = describe_counts({str(n): n for n in range(1, 11)})
    assert many.endswith("3: 3, 2 other classes")


def test_speed_has_a_digit_more_where_it_is_small() -> None:
    assert describe_speed(123.4) == "123 images/s"
    assert describe_speed(1.26) == "1.3 images/s"


def test_class_of_a_record_commands_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    p = make([[1.0, 0.0]], [0], names=("\x1b[2Jcat", "dog"))
    show_one(p, ranked=2)
    show_some([p], most=1)
    print(describe_counts({"\x1b[2Jcat": 1}))
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert told.count("cat") == 3
