import pytest

from experiments.counts import count_of, format_duration, join_words, write_count


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
