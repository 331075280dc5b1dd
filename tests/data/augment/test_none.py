from experiments.data.augment.none import no_augment


def test_no_augmentation_is_none():
    assert no_augment() is None
