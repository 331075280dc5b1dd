import ast
import itertools
import re
from collections.abc import Iterable

import pytest

from experiments.counts import (
    agree,
    count_of,
    format_duration,
    format_share,
    format_size,
    join_words,
    name_some,
    write_count,
)
from tests.conftest import ROOT

SOURCE = ROOT / "src" / "experiments"


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 files"), (1, "1 file"), (2, "2 files"), (1258, "1,258 files")],
)
def test_a_noun_is_plural_unless_there_is_one(number: int, text: str) -> None:
    assert count_of(number, "file") == text


def test_a_huge_number_is_told_by_its_magnitude() -> None:
    assert write_count(10**15 - 1) == "999,999,999,999,999"
    assert write_count(10**18) == "1.0e+18"
    assert count_of(2 * 10**400, "job") == "2.0e+400 jobs"


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], ""),
        ("ab", "a, b"),
        (range(1, 6), "1, 2, 3, 4, 5"),
        ("abcdef", "a, b, c, d, e and 1 more"),
        (range(2000), "0, 1, 2, 3, 4 and 1,995 more"),
        (["tench, Tinca tinca", "goldfish"], '"tench, Tinca tinca", goldfish'),
        (["'a, b'", "c"], "'a, b', c"),
    ],
)
def test_of_many_names_the_first_are_told_and_each_is_told_apart(
    names: Iterable[object], text: str
) -> None:
    assert name_some(names) == text


def test_what_there_is_more_of_has_its_noun() -> None:
    assert name_some("abc", 2, "file") == "a, b and 1 more file"
    assert name_some("abcd", 2, "file") == "a, b and 2 more files"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0:00"), (61, "1:01"), (3599.6, "1:00:00"), (90061, "25:01:01")],
)
def test_durations_are_readable(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("words", "text"),
    [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_words_are_listed_as_in_a_sentence(words: list[str], text: str) -> None:
    assert join_words(words) == text


def test_what_is_said_of_a_number_agrees_with_it() -> None:
    assert [agree(number, "is", "are") for number in (0, 1, 2)] == ["are", "is", "are"]
    assert count_of(1, "class", "classes") == "1 class"
    assert count_of(2, "class", "classes") == "2 classes"


# Where there are always several: what is longer than a limit, or found twice.
SEVERAL = {
    ("audit/evidence.py", "len(several)"),
    ("command/answers/diagnosis.py", "len(options)"),
    ("command/typed/several_values.py", "len(overrides)"),
    ("command/typed/words.py", "len(key)"),
    ("command/typed/words.py", "len(bare)"),
    ("comparison/screen.py", "len(compared.keys)"),
    ("comparison/words.py", "len(compared.groups) - verdicts.left_out"),
    ("config/reading/convert.py", "len(names)"),
    ("config/reading/convert.py", "len(text)"),
    ("config/kinds/label_table.py", "len(columns)"),
    ("data/arrays/archive_files.py", "len(images)"),
    ("data/readiness/class_contents.py", "len(alien)"),
    ("data/readiness/class_contents.py", "len(empty)"),
    ("data/readiness/tables.py", "len(few)"),
    ("doctor/gpus.py", "len(TENSORFLOW)"),
    ("forecast/obstacles.py", "len(runs)"),
    ("forecast/searching.py", "len(samples)"),
    ("jobs/runs/run_names.py", "len(runs)"),
    ("models/freezing.py", "len(layers)"),
    ("pictures/confusion_matrix.py", "len(chosen)"),
    ("range_test/proposal.py", "len(curves)"),
    ("tracking/store/runs/run_folder.py", "len(folders)"),
    ("tracking/surroundings/code_version.py", "len(data)"),
    ("tracking/surroundings/code_version.py", "len(untracked)"),
}
PLURAL = re.compile(
    r" (?:[a-z-]+ ){0,2}?(?!class\b|has\b|is\b|was\b|its\b)[a-z]{2,}s\b"
)


def find_counted() -> set[tuple[str, str]]:
    """Returns module and expression of each `f"{len(...)} things"` in the source."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        for text in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            parts = text.values if isinstance(text, ast.JoinedStr) else []
            for value, rest in itertools.pairwise(parts):
                if not isinstance(value, ast.FormattedValue):
                    continue
                words = rest.value if isinstance(rest, ast.Constant) else ""
                expression = ast.unparse(value.value)
                if expression.startswith("len(") and PLURAL.match(str(words)):
                    place = path.relative_to(SOURCE).as_posix()
                    found.add((place, expression))
    return found


def test_things_are_counted_in_the_singular_where_there_may_be_one() -> None:
    assert find_counted() - SEVERAL == set()


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 kB"),
        (8_432, "8 kB"),
        (99_400, "99 kB"),
        (100_000, "0.1 MB"),
        (3.27e6, "3.27 MB"),
        (1.25e9, "1.2 GB"),
    ],
)
def test_size_of_a_file_is_told_in_three_digits(count: float, text: str) -> None:
    assert format_size(count) == text


def test_a_share_is_told_in_percent_behind_a_blank() -> None:
    assert format_share(0.578) == "58 %"
    assert format_share(0.578, 1) == "57.8 %"
    assert format_share(1, 2) == "100.00 %"


def test_percent_are_written_nowhere_else() -> None:
    """So that no page has `95 %` beside `50%`."""
    found = [
        f"{file.relative_to(SOURCE)}:{node.lineno}"
        for file in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FormattedValue)
        and node.format_spec
        and ast.unparse(node.format_spec).rstrip("'\"").endswith("%")
    ]
    assert found == []
