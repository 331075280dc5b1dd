"""The folder of a registered version: the model, its report and its card."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.files import replace_bytes
from experiments.promotion.testing import FILES
from experiments.records import write_record
from experiments.redaction import redact_bytes
from experiments.serving.package import write_package
from experiments.trained.images import Chosen
from experiments.trained.sized import show_in_size
from experiments.trained.trained import Trained

CARD, FACTS = "model_card.md", "facts.json"
_EXAMPLES = 2


def write_version(
    folder: Path,
    trained: Trained,
    chosen: Chosen,
    *,
    card: str,
    facts: Mapping[str, Any],
    files: Sequence[Path],
) -> None:
    """Writes all that a version carries.

    | file | what |
    | --- | --- |
    | `MLmodel`, `data/`, ... | the model with its signature and an example |
    | `model_card.md` | what there is to know before it is used |
    | `facts.json` | classes, preprocessing, fingerprints and scores, for programs |
    | `evaluation/` | the report of its test, with what it said of each image |

    Args:
        folder: To make.
        trained: The model, in its framework.
        chosen: Its test images, some of which show its input.
        card: Its card.
        facts: Plain data.
        files: Of the evaluation.
    """
    kept = {key: facts[key] for key in ("preprocessing", "data")}
    write_package(
        folder,
        trained,
        example=_take_example(trained, chosen),
        metadata={"dataset": chosen.labelled.name, **kept},
    )
    (folder / FILES).mkdir()
    for file in files:
        shutil.copyfile(file, folder / FILES / file.name)
    replace_bytes(folder / CARD, redact_bytes(card.encode(), CARD))
    write_record(folder / FACTS, facts, indent=2)


def _take_example(trained: Trained, chosen: Chosen) -> npt.NDArray[np.uint8]:
    """Returns the first test images as the model takes them, uint8 `(B, H, W, C)`."""
    split = chosen.labelled.images
    return show_in_size(split, range(min(_EXAMPLES, len(split))), trained.image_shape)
