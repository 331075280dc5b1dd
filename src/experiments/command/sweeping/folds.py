"""A sweep over all folds, where a command names their number and none of them."""

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from omegaconf import DictConfig, OmegaConf

from experiments.config.schema.datasets.dataset import MOST_FOLDS
from experiments.errors import Problem

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

FOLD = "dataset.fold"
FOLDS = "dataset.folds"


def list_folds(base: DictConfig, swept: Collection[str]) -> list[str]:
    """Returns the override that sweeps over the folds, if that is what is meant.

    Args:
        base: What a sweep varies.
        swept: Keys that have several values, or a value in each row.
    """
    folds = _read_open_folds(base)
    if folds is None or FOLD in swept:
        return []
    return [f"{FOLD}={','.join(map(str, range(1, folds + 1)))}"]


def refuse_swept_folds(
    swept: Sequence["Override"], rows: Collection[str]
) -> Iterator[Problem]:
    """Yields a problem where jobs would have different numbers of folds.

    Args:
        swept: What has several values.
        rows: Keys that each row sets.
    """
    typed = {o.key_or_group: o.input_line or "" for o in swept}
    if FOLDS in typed or FOLDS in rows:
        received = typed.get(FOLDS, "").partition("=")[2] or "a value in each row"
        reason = "takes one value: a sweep has all of its jobs over the same folds."
        hint = "Type a command for each."
        yield Problem(FOLDS, f"{reason} Received: {received}.", hint)


def find_searched_folds(base: DictConfig, searched: Collection[str]) -> int | None:
    """Returns in how many folds each proposal of a search is trained.

    Args:
        base: What the search varies.
        searched: Keys of the space.
    """
    return None if FOLD in searched else _read_open_folds(base)


def list_fold_words(folds: int | None) -> list[str]:
    """Returns the override of each fold that a proposal is trained in, if it is."""
    return [f"{FOLD}={number}" for number in range(1, (folds or 0) + 1)]


def refuse_searched_folds(
    folds: int | None, *, repeats: int, oracle: str, searched: Collection[str]
) -> Iterator[Problem]:
    """Yields what a search over all folds cannot do.

    Args:
        folds: How many; `None` where it is no such search.
        repeats: Seeds of each proposal.
        oracle: What proposes.
        searched: Keys of the space.
    """
    if FOLDS in searched:
        reason = "cannot be searched: proposals are compared over the same folds."
        yield Problem(FOLDS, reason, "Type one value.")
    if folds is None:
        return
    hint = "Search on one of them: dataset.fold=1."
    if repeats > 1:
        reason = "takes the place of hydra.sweeper.repeats, which must be 1 with it."
        yield Problem(FOLDS, f"{reason} Received: {repeats}.", hint)
    if oracle == "hyperband":
        reason = "cannot be all trained by oracle=hyperband, which continues its trials"
        yield Problem(FOLDS, f"{reason}. Received: {folds}.", hint)


def _read_open_folds(base: DictConfig) -> int | None:
    """Returns the number of folds where a config names none of them."""
    folds = OmegaConf.select(base, FOLDS, default=None)
    fold = OmegaConf.select(base, FOLD, default=None)
    is_number = type(folds) is int and 2 <= folds <= MOST_FOLDS  # else it is refused
    return folds if is_number and fold is None else None
