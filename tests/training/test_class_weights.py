import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from experiments.errors import ConfigError
from experiments.training.class_weights import weigh_classes

NAMES = ["rose", "tulip", "lily"]
COUNTS = [7, 2, 31]


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    labels = np.repeat(np.arange(3), COUNTS)
    theirs = compute_class_weight("balanced", classes=np.arange(3), y=labels)

    ours = weigh_classes("balanced", class_names=NAMES, counts=COUNTS)

    assert ours == pytest.approx(theirs.tolist())
    assert np.dot(ours, COUNTS) == pytest.approx(sum(COUNTS))


def test_a_class_that_is_not_named_counts_as_one() -> None:
    wish = {"tulip": 4.0}
    assert weigh_classes(wish, class_names=NAMES, counts=COUNTS) == [1.0, 4.0, 1.0]


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"tulipe": 4.0}, "which has rose, tulip, lily. Did you mean `tulip`?"),
        (dict.fromkeys(NAMES, 0.0), "nothing would be learnt"),
    ],
)
def test_weights_that_say_nothing_are_refused(
    wish: dict[str, float], message: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        weigh_classes(wish, class_names=NAMES, counts=COUNTS)
    assert message in str(refused.value)
