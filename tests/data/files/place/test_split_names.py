import pytest

from experiments.data.files.place.split_names import hinted_split, split_of


@pytest.mark.parametrize(
    ("split", "names"),
    [
        ("train", "train Train TRAIN training Training trn train2017 training_set"),
        ("train", "train-images trainset Training-Data train_split TrainData"),
        ("validation", "val Val valid VALID validation Validation dev val2017"),
        ("validation", "validation_set valset validate development"),
        ("test", "test Test testing Testing TEST test_set testset test-images"),
        ("evaluation", "eval Eval evaluation eval_set"),
    ],
)
def test_the_usual_names_of_splits_are_known(split, names):
    assert {name: split_of(name) for name in names.split()} == dict.fromkeys(
        names.split(), split
    )


@pytest.mark.parametrize(
    "name",
    [
        *("cat", "trainer", "trains", "invalid", "tested", "device", "bullet_train"),
        *("test tube", "seg_train", "value", "set", "data", "images", "2017", "extra"),
        *("trained", "détest", "attest", "evaluate me", "_", "---", "unlabeled"),
    ],
)
def test_other_names_are_no_splits(name):
    assert split_of(name) is None


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("seg_train", "train"),
        ("cars-Test", "test"),
        ("rps-val-set", "validation"),
        ("cat", None),
        ("train_test", None),
    ],
)
def test_a_word_in_a_longer_name_is_a_hint(name, split):
    assert hinted_split(name) == split
