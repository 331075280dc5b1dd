import numpy as np
import pytest

from experiments.errors import DataError
from experiments.evaluation.classes import match_classes, name_some


def test_classes_are_matched_by_name_and_not_by_number() -> None:
    found = match_classes(np.array([0, 1, 2, 2]), ["b", "c", "a"], ["a", "b", "c"])
    assert found.truth.tolist() == [1, 2, 0, 0]
    assert found.given == ("b", "c", "a", "a")
    assert (found.unknown, found.describe()) == ({}, [])


def test_images_of_a_class_that_the_model_does_not_know_have_no_label() -> None:
    found = match_classes(np.array([0, 1, 1, 2]), ["cat", "cup", "dog"], ["dog", "cat"])
    assert found.truth.tolist() == [1, -1, -1, 0]
    assert found.unknown == {"cup": 2}
    assert found.describe() == [
        "2 images of 1 class that the model does not know (cup): listed, and in no "
        "score."
    ]


@pytest.mark.parametrize(
    ("theirs", "advice"),
    [(["Cat"], "call Cat cat"), (["cup"], "Give their folders the model's names.")],
)
def test_no_common_class_is_an_error_that_says_both(
    theirs: list[str], advice: str
) -> None:
    with pytest.raises(DataError, match="knows none of the classes") as raised:
        match_classes(np.array([0]), theirs, ["cat", "dog"])
    assert "It knows cat, dog; theirs are" in str(raised.value)
    assert advice in str(raised.value)


def test_many_names_are_counted() -> None:
    assert name_some([str(n) for n in range(7)]) == "0, 1, 2, 3, 4 and 2 more"
