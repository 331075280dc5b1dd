"""What metrics are called: those of an epoch, of the epoch that was kept, of the test.

An epoch measures the training as `loss` and `accuracy`, the validation as `val_loss`
and `val_accuracy`. What the kept weights reached is `best_val_accuracy`, and
`best_train_accuracy` of the training: a `best_accuracy` would be taken for the best
one of all.
"""

from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")

MEASURED = ("loss", "accuracy", "top5_accuracy")
# Where an image may have several labels: of what is held out, and of the training.
HELD_OUT_SEVERAL = ("loss", "map", "macro_f1", "exact_match")
TRAINED_SEVERAL = ("loss", "pr_auc")
BEST = "best_"
BEST_EPOCH = f"{BEST}epoch"
TEST = "test_"
FIRST_STEP = "first_step_seconds"
_TRAIN = "train_"
_HELD_OUT = ("val_", TEST)
_SCORES = ("loss", "accuracy")
_SEVERAL = (*HELD_OUT_SEVERAL, *TRAINED_SEVERAL)


def is_score(name: str) -> bool:
    """Tells whether a metric of an epoch says how good the model is."""
    plain = name.removeprefix("val_").removeprefix(TEST)
    return name.endswith(_SCORES) or plain in _SEVERAL


def name_best(name: str) -> str:
    """Returns what a metric of an epoch is called as that of the kept epoch."""
    of_training = is_score(name) and not name.startswith(_HELD_OUT)
    return f"{BEST}{_TRAIN if of_training else ''}{name}"


def name_of_epoch(name: str) -> str:
    """Returns what a metric of the kept epoch is called as that of any epoch."""
    return name.removeprefix(BEST).removeprefix(_TRAIN)


def is_final(name: str) -> bool:
    """Tells whether a metric is measured once, of the kept weights."""
    return name.startswith((BEST, TEST))


def list_names_of_best(name: str) -> tuple[str, ...]:
    """Returns what a metric of an epoch is or was called as that of the kept epoch."""
    return tuple(dict.fromkeys((name_best(name), f"{BEST}{name}")))


def name_as_today(values: Mapping[str, T]) -> dict[str, T]:
    """Returns what a record has by metric under the names of today.

    Until format 3 the training's loss at the kept epoch was `best_loss`.
    """
    return {_rename(name): value for name, value in values.items()}


def _rename(name: str) -> str:
    plain = name.removeprefix(BEST)
    is_known = plain == name or plain.startswith(_TRAIN)
    return name if is_known else name_best(plain)


# What a run has one value of; everything else is a curve over its epochs.
SINGLE = (
    BEST_EPOCH,
    *(name_best(f"val_{name}") for name in MEASURED[:2]),
    *(name_best(name) for name in MEASURED[:2]),
    *(f"{TEST}{name}" for name in MEASURED[:2]),
    FIRST_STEP,
)
