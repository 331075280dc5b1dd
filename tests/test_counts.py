import pytest

from experiments.counts import count_of


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 files"), (1, "1 file"), (2, "2 files"), (1258, "1,258 files")],
)
def test_a_noun_is_plural_unless_there_is_one(number: int, text: str) -> None:
    assert count_of(number, "file") == text
