"""Who becomes the champion, from the definition: better by more than the interval."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from experiments.evaluation.predictions import Predictions
from experiments.promotion.decision import Champion, Decision, decide
from tests.evaluation.made import make


def answer(*, right: list[int]) -> Predictions:
    """Returns what a model says of 100 images of which it gets some right."""
    truth = np.arange(100) % 2
    said = np.where(np.isin(np.arange(100), right), truth, 1 - truth)
    return make(np.eye(2)[said], truth)


def against(predictions: Predictions | None, **changes: object) -> Champion:
    champion = Champion(
        number="3",
        weights="theirs",
        class_names=("class 0", "class 1"),
        predictions=predictions,
    )
    return replace(champion, **changes)


def judge(
    candidate: Predictions, champion: Champion | None, *, force: bool = False
) -> Decision:
    return decide(candidate, champion, weights="ours", force=force)


@pytest.mark.parametrize(
    ("only_ours", "only_theirs", "verdict", "words"),
    [
        (20, 0, "better", "Better than version 3 by 20.0 points"),
        # 2 * (1/2)**6 = 0.03 is less than 0.05, and 2 * (1/2)**5 = 0.06 is not, though
        # the bootstrapped interval lies above 0 in both cases.
        (6, 0, "better", "p = 0.031"),
        (5, 0, "refused", "Not shown to be better than version 3: +5.0 points"),
        (12, 8, "refused", "Not shown to be better than version 3: +4.0 points"),
        (0, 0, "refused", "Not shown to be better than version 3: +0.0 points"),
        (0, 20, "refused", "Worse than version 3 by 20.0 points"),
    ],
)
def test_only_what_is_better_by_more_than_the_interval_moves_the_alias(
    only_ours: int, only_theirs: int, verdict: str, words: str
) -> None:
    both = list(range(40, 90))
    ours = answer(right=[*range(only_ours), *both])
    theirs = answer(right=[*range(20, 20 + only_theirs), *both])

    found = judge(ours, against(theirs))

    assert found.verdict == verdict
    assert found.moves == (verdict == "better")
    assert words in found.reason
    assert "100 test images" in found.reason
    assert found.difference is not None
    discordant = only_ours + only_theirs
    smaller = min(only_ours, only_theirs)
    chance = min(1.0, 2 * stats.binom.cdf(smaller, discordant, 0.5))
    assert found.difference.p_value == pytest.approx(chance)


def test_first_one_has_nothing_to_beat() -> None:
    found = judge(answer(right=[]), None)
    assert (found.verdict, found.moves, found.against) == ("first", True, None)


def test_one_among_others_that_are_no_champion_is_not_called_the_first_version() -> (
    None
):
    found = decide(answer(right=[]), None, weights="ours", others=2)
    assert (found.verdict, found.moves) == ("first", True)
    assert found.reason == "There was no champion to beat among 2 other versions."


@pytest.mark.parametrize("right", [range(60), range(3)])
def test_what_is_not_known_of_the_champion_is_told_beside_the_comparison(
    right: range,
) -> None:
    doubt = "Whether version 3 was trained on some of these images is not known."
    champion = against(answer(right=list(range(30))), doubt=doubt)
    found = judge(answer(right=list(right)), champion)
    assert found.reason.endswith(f"test images (p < 0.0001). {doubt}")


def test_same_weights_are_no_new_champion_by_force_either() -> None:
    everything = answer(right=list(range(100)))
    champion = against(everything, weights="ours")
    for force in (False, True):
        found = judge(everything, champion, force=force)
        assert (found.verdict, found.moves) == ("same", False)


@pytest.mark.parametrize(
    ("champion", "words"),
    [
        (
            against(None, class_names=("class 0", "owl")),
            "class 1 only this model knows; owl only version 3 knows",
        ),
        (against(None, problem="Version 3 cannot be asked."), "cannot be asked"),
        (against(None), "was not asked"),
        (
            against(answer(right=[]).select(np.arange(50))),
            "can be compared over the same images only",
        ),
        (against(answer(right=list(range(100)))), "Worse than version 3"),
    ],
)
def test_what_speaks_against_it_is_kept_when_it_is_forced(
    champion: Champion, words: str
) -> None:
    refused = judge(answer(right=[]), champion)
    forced = judge(answer(right=[]), champion, force=True)

    assert (refused.verdict, refused.moves) == ("refused", False)
    assert words in refused.reason
    assert (forced.verdict, forced.moves) == ("forced", True)
    assert forced.reason == f"Forced. {refused.reason}"


def test_force_changes_nothing_where_it_is_better_anyway() -> None:
    ours, theirs = answer(right=list(range(60))), answer(right=[])
    assert judge(ours, against(theirs), force=True) == judge(ours, against(theirs))


def test_order_of_images_and_classes_does_not_matter() -> None:
    ours, theirs = answer(right=list(range(60))), answer(right=list(range(30)))
    expected = judge(ours, against(theirs))
    turned = replace(
        theirs,
        outputs=theirs.outputs[:, ::-1],
        truth=1 - theirs.truth,
        class_names=theirs.class_names[::-1],
    ).select(np.random.default_rng(0).permutation(100))

    found = judge(ours, against(turned, class_names=turned.class_names))

    assert (found.verdict, found.difference) == ("better", expected.difference)
