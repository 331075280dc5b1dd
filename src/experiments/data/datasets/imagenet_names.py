"""Readable names of the ImageNet classes, from a list that is at hand."""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from experiments.data.arrays.keras_cache import keras_home
from experiments.errors import DataError
from experiments.records import read_json

_log = logging.getLogger(__name__)

# Comes with the Kaggle edition, three folders above `train`.
_MAPPING = "LOC_synset_mapping.txt"
_MAPPING_LEVELS = 4
# Keras downloads it when an application decodes its predictions.
_KERAS_INDEX = Path("models", "imagenet_class_index.json")


def read_class_names(root: Path, wnids: Sequence[str]) -> list[str]:
    """Returns a name for each WordNet id, in their order; all are different.

    Looks for `LOC_synset_mapping.txt` in the data set's folder and the three above,
    then for `imagenet_class_index.json` in Keras' cache; without either, an id is its
    own name, and a WARNING says so.

    Args:
        root: Folder of `train` and `val`.
        wnids: WordNet ids such as `n01440764`.

    Raises:
        DataError: The list that was found is damaged.
    """
    names = _read_mapping(root) or _read_keras_index()
    if not names:
        _log.warning(
            "ImageNet's classes are shown by their ids. For readable names put %s "
            "into %s.",
            _MAPPING,
            root,
        )
    chosen = [names.get(wnid, wnid) for wnid in wnids]
    counts = Counter(chosen)
    # Two are called crane, and two maillot.
    return [
        name if counts[name] == 1 else f"{name} ({wnid})"
        for name, wnid in zip(chosen, wnids, strict=True)
    ]


def _read_mapping(root: Path) -> dict[str, str]:
    absolute = root.resolve()
    for folder in (absolute, *absolute.parents)[:_MAPPING_LEVELS]:
        file = folder / _MAPPING
        if file.is_file():
            lines = (line.split(maxsplit=1) for line in file.read_text().splitlines())
            pairs = [line for line in lines if line]
            if any(len(pair) != 2 for pair in pairs):
                raise DataError(f"{file} must have an id and names on every line.")
            return {wnid: names.split(",")[0].strip() for wnid, names in pairs}
    return {}


def _read_keras_index() -> dict[str, str]:
    file = keras_home() / _KERAS_INDEX
    if not file.is_file():
        return {}
    try:
        entries = read_json(file, dict[str, list[str]]).values()
        return {wnid: name.replace("_", " ") for wnid, name in entries}
    except ValueError as error:
        problem = getattr(error, "problem", error)
        raise DataError(f"{file} is damaged ({problem}). Delete it.") from error
