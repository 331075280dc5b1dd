"""A sweep over all folds, where a command names their number and none of them."""

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from omegaconf import DictConfig, OmegaConf

from experiments.config.schema.dataset import MOST_FOLDS
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


def refuse_searched_folds(base: DictConfig) -> Iterator[Problem]:
    """Yields a problem where each trial of a search would be trained in all folds.

    Args:
        base: What the search varies.
    """
    folds = _read_open_folds(base)
    if folds is not None:
        reason = "cannot be all trained by a search, whose trials have one job each."
        hint = "Search on one of them: dataset.fold=1."
        yield Problem(FOLDS, f"{reason} Received: {folds}.", hint)


def _read_open_folds(base: DictConfig) -> int | None:
    """Returns the number of folds where a config names none of them."""
    folds = OmegaConf.select(base, FOLDS, default=None)
    fold = OmegaConf.select(base, FOLD, default=None)
    is_number = type(folds) is int and 2 <= folds <= MOST_FOLDS  # else it is refused
    return folds if is_number and fold is None else None
