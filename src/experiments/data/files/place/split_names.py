"""Which split a folder's name means, as data sets call them."""

import re

_MEANINGS = {
    "train": ("train", "training", "trn"),
    "validation": ("val", "valid", "validation", "validate", "dev", "development"),
    "test": ("test", "testing", "tst"),
    # Some data sets validate with it, others test.
    "evaluation": ("eval", "evaluation"),
}
_SPLITS = {word: split for split, words in _MEANINGS.items() for word in words}
# `training_set`, `train-images`, `trainset`.
_FILLERS = frozenset(["set", "split", "data", "dataset", "images", "imgs", "folder"])
_FUSED = re.compile(rf"({'|'.join(_SPLITS)})(?:{'|'.join(_FILLERS)})")


def split_of(name: str) -> str | None:
    """Returns the split that a folder's name means, `None` for any other name.

    Case, digits at the end of a word (`val2017`) and words such as `set` or `images`
    do not matter.

    Returns:
        `train`, `validation` or `test`; `evaluation` for a name that means either of
        the latter two.
    """
    words = _list_words(name)
    return _SPLITS.get(words[0]) if len(words) == 1 else None


def hinted_split(name: str) -> str | None:
    """Returns the split that one word of a longer name means, as in `seg_train`."""
    meanings = {_SPLITS[word] for word in _list_words(name) if word in _SPLITS}
    return meanings.pop() if len(meanings) == 1 else None


def _list_words(name: str) -> list[str]:
    words = [w.rstrip("0123456789") for w in re.split(r"[\W_]+", name.casefold())]
    whole = [_FUSED.sub(r"\1", w) if _FUSED.fullmatch(w) else w for w in words]
    return [word for word in whole if word and word not in _FILLERS]
