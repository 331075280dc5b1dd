"""What of a data set and a batch is probably not as it was meant."""

from collections.abc import Iterator

from experiments.counts import agree, count_of, format_share, name_some
from experiments.data.dataset import Dataset
from experiments.data.files.scanning.copies import IN_SPLITS, UNDER_LABELS
from experiments.inspection.balance import Balance
from experiments.inspection.sizes import Sizes

_UNEVEN = 10  # times as many images in one class as in another
_MOSTLY = 0.5
_FOUND = {
    "unused": "Things in the folder that take no part: {:,}",
    IN_SPLITS: "Images that are in several splits, which makes scores too good: {:,}",
    UNDER_LABELS: "Images that are in several classes: {:,}",
}
_FEW_STEPS = 100
_FEW = 100  # images, of which each is a point of accuracy


def find_data_doubts(
    dataset: Dataset,
    balance: Balance,
    sizes: Sizes | None,
    *,
    steps_from_nothing: int | None,
) -> Iterator[str]:
    """Yields a sentence for each thing that is probably a mistake or will mislead.

    Args:
        dataset: What would be trained on.
        balance: Of its classes.
        sizes: Of its files; `None` for images in memory.
        steps_from_nothing: Of the whole training, where that begins with random
            weights; `None` where it does not.
    """
    several = dataset.has_several_labels
    yield from _doubt_classes(balance, several=several)
    if sizes is not None and sizes.enlarged > _MOSTLY:
        yield (
            f"{format_share(sizes.enlarged)} of the images are enlarged to "
            f"{sizes.delivered[0]} x {sizes.delivered[1]}: a smaller "
            "dataset.image_size shows as much and is faster."
        )
    validation = len(dataset.validation)
    if validation < _FEW:
        score = "val_exact_match" if several else "val_accuracy"
        yield (
            f"{count_of(validation, 'image')} {agree(validation, 'decides', 'decide')} "
            f"which epoch is the best: one image is {100 / validation:.1f} points of "
            f"{score}."
        )
    steps = steps_from_nothing
    if steps is not None and steps < _FEW_STEPS:
        yield (
            f"The whole training has {count_of(steps, 'step')}: a network that begins "
            "with random weights takes hundreds to learn anything. Raise "
            "trainer.epochs or lower trainer.batch_size."
        )
    if (skipped := len(dataset.skipped_files)) > 0:
        were = agree(skipped, "is", "are")
        yield f"{count_of(skipped, 'file')} {were} skipped as unusable."
    for kind, words in _FOUND.items():
        if found := dataset.findings.get(kind):
            yield f"{words.format(len(found))}, see the warning."


def _doubt_classes(balance: Balance, *, several: bool) -> Iterator[str]:
    """Yields what there is to say of classes that have few images, or none."""
    if balance.ratio >= _UNEVEN:
        (large, most), (small, fewest) = balance.largest, balance.smallest
        told = f"{large} has {most:,} training images and {small} {fewest:,}: "
        if several:
            yield f"{told}look at each class's own scores beside their mean."
        else:
            yield (
                f"{told}accuracy hardly shows how the small classes fare. Look at each "
                "class's own; loss.class_weight=balanced or trainer.sampling=balanced "
                "gives them more say in the training."
            )
    for split, counts in balance.counts.items() if several else ():
        absent = [balance.class_names[n] for n, count in enumerate(counts) if not count]
        if absent:
            yield (
                f"No {split} image shows {name_some(absent)}: a mean "
                "over the classes leaves out what none shows. "
                "dataset.split=stratified shares rare classes out."
            )
