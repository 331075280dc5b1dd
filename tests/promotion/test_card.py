"""What a card says, and that what is in a record cannot change its form."""

import numpy as np

from experiments.evaluation.reporting.report import Report
from experiments.promotion.card import Facts, write_card, write_description
from experiments.promotion.decision import Decision
from tests.evaluation.made import make

FACTS = Facts(
    name="wild | _one_ <b>bold</b> `code`\n# no heading",
    run_id="0" * 32,
    class_names=("cat", "dog", "owl"),
    image_shape=(8, 6, 3),
    kind="probabilities",
    rows={"Training": {"monitor": "val_accuracy", "blocks": "[1, 2]"}},
    reading=["Mean inside."],
)


def report() -> Report:
    """Returns that of 20 images, of which every second dog is taken for a cat."""
    truth = np.array([0] * 12 + [1] * 8)
    said = np.array([0] * 12 + [0, 1] * 4)
    return Report(make(np.eye(3)[said], truth, names=("cat", "dog", "owl")), "title")


def test_card_tells_scores_mistakes_and_what_was_not_looked_at() -> None:
    card = write_card(FACTS, report(), images="pets, test", tested=3, seeds=None)
    assert "**accuracy**: 0.8000, 0." in card
    assert "## Test: 20 images of pets, test" in card
    assert "one of 3 models of this name" in card
    assert "Found least: dog (50.0 % of 8)." in card
    assert "Taken most often: dog for cat (4)." in card
    assert "Fewer than ten test images have: dog." in card
    assert "No test image has: owl." in card
    assert "uint8 `(batch, 8, 6, 3)`" in card
    assert "- **monitor**: val_accuracy" in card
    assert "- **blocks**: [1, 2]" in card


def test_text_of_a_record_is_shown_as_it_is() -> None:
    card = write_card(FACTS, report(), images="pets, test", tested=1, seeds=None)
    first = card.splitlines()[0]
    expected = r"# wild \| \_one\_ \<b>bold\</b> \`code\` # no heading"
    assert first == expected
    assert "the first model of this name" in card


def test_description_begins_with_the_decision() -> None:
    decision = Decision(verdict="refused", reason="Worse than version 1.")
    text = write_description("# card\n", decision)
    assert text == "Did not become the champion. Worse than version 1.\n\n# card\n"
