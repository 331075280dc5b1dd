import json
from typing import Any

import pytest

from experiments.tracking.spool.inputs import DatasetInput, find_context


def describe(**changes: Any) -> dict[str, str]:
    given: dict[str, Any] = {
        "name": "flowers",
        "digest": "0123456789abcdef",
        "context": "training",
        "folder": "/data/flowers",
        "code": "a.load",
        "profile": {"images": 3},
    }
    return DatasetInput(**{**given, **changes}).as_content()


def test_source_is_the_folder_or_the_code_that_brings_the_images() -> None:
    told = describe()
    assert (told["source_type"], json.loads(told["source"])) == (
        "local",
        {"uri": "/data/flowers"},
    )
    told = describe(folder=None)
    source = {"tags": {"mlflow.source.name": "a.load"}}
    assert (told["source_type"], json.loads(told["source"])) == ("code", source)


def test_name_and_digest_are_as_long_as_mlflow_takes_them() -> None:
    from mlflow.utils.validation import MAX_DATASET_DIGEST_SIZE, MAX_DATASET_NAME_SIZE

    told = describe(name="x" * 1000, digest="f" * 64)
    assert len(told["name"]) == MAX_DATASET_NAME_SIZE
    assert 8 <= len(told["digest"]) <= MAX_DATASET_DIGEST_SIZE


@pytest.mark.parametrize(
    ("metric", "context"),
    [
        ("test_accuracy", "test"),
        ("best_val_loss", "validation"),
        ("best_train_accuracy", "training"),
        ("best_loss", "training"),
        ("best_epoch", None),
    ],
)
def test_score_is_of_the_split_that_it_was_measured_on(
    metric: str, context: str | None
) -> None:
    assert find_context(metric) == context


def test_secrets_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    told = describe(folder="https://me:hunter2@example/flowers")
    assert "hunter2" not in str(told)
