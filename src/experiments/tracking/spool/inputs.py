"""Data sets as MLflow has them: what a run was trained and measured on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from experiments.redaction import redact, redact_data
from experiments.tracking.spool.contents import EVALUATION

# MLflow tells data sets apart by both. Of a digest it takes 36 letters, and its pages
# have room for few of them.
_NAME_LENGTH = 500
_DIGEST_LENGTH = 12

Context = Literal["training", "validation", "test", "evaluation"]


def find_context(metric: str) -> Context | None:
    """Returns which split a model's score was measured on.

    `None` for no score, and for one of an evaluation, whose name says on what it was.
    """
    is_of_training = not metric.startswith(EVALUATION)
    if not (is_of_training and metric.endswith(("loss", "accuracy"))):
        return None
    if metric.startswith("test_"):
        return "test"
    return "validation" if "val_" in metric else "training"


@dataclass(frozen=True, kw_only=True)
class DatasetInput:
    """A split of a data set.

    Attributes:
        name: Of the data set, the same for all of its splits.
        digest: Tells this split's images from all others; it is shown and stored by its
            beginning.
        context: What the run did with it.
        folder: Where the images lie; `None` where code brings them.
        code: Dotted path of what brings them.
        profile: Figures that people read.
    """

    name: str
    digest: str
    context: Context
    folder: str | None
    code: str
    profile: Mapping[str, Any]

    def as_content(self) -> dict[str, str]:
        """Returns it as the journal keeps it."""
        # The kinds of source that MLflow's pages know.
        kind, source = (
            ("local", {"uri": self.folder})
            if self.folder is not None
            else ("code", {"tags": {"mlflow.source.name": self.code}})
        )
        return {
            "name": redact(self.name)[:_NAME_LENGTH],
            "digest": self.digest[:_DIGEST_LENGTH],
            "context": self.context,
            "source_type": kind,
            "source": json.dumps(redact_data(source), ensure_ascii=False),
            "profile": json.dumps(redact_data(self.profile), ensure_ascii=False),
        }
