from typing import Any

import pytest

from experiments.shapes import ShapeError
from experiments.tracking.spool.contents import check_content, name_model

SESSION: dict[str, Any] = {
    "job_id": "0123abcd",
    "resumed": 0,
    "name": "a run",
    "tags": {"a": "b"},
    "parent": "..",
    "target": {"uri": None, "experiment": "e", "ui_url": None, "server_timeout": 5},
}
CONTENTS: dict[str, dict[str, Any]] = {
    "session": SESSION,
    "params": {"values": {"a": "1"}},
    "planned": {"values": {"a": "1"}},
    "tags": {"values": {"a": "1"}},
    "metrics": {"step": 1, "values": {"loss": float("nan")}},
    "note": {"text": "**A run** of a kind."},
    "inputs": {
        "datasets": [
            {
                "name": "flowers",
                "digest": "c0ffee",
                "context": "test",
                "source_type": "local",
                "source": "{}",
                "profile": "{}",
            }
        ]
    },
    "artifact": {"path": "a/b.txt", "file": "artifacts/a/b.txt"},
    "model": {"name": "model", "step": 3, "folder": "models/model-3"},
    "end": {"status": "KILLED", "reason": None},
    "later": {"anything": []},
}


@pytest.mark.parametrize("kind", CONTENTS)
def test_content_is_returned_as_it_was_written(kind: str) -> None:
    assert str(check_content(kind, CONTENTS[kind])) == str(CONTENTS[kind])


@pytest.mark.parametrize("kind", CONTENTS)
@pytest.mark.parametrize("content", [None, [], "text", 3])
def test_content_is_a_mapping(kind: str, content: Any) -> None:
    with pytest.raises(ShapeError, match="must be a mapping"):
        check_content(kind, content)


@pytest.mark.parametrize("kind", sorted(CONTENTS.keys() - {"later"}))
def test_content_is_complete(kind: str) -> None:
    for key in CONTENTS[kind].keys() - {"parent"}:
        content = {k: v for k, v in CONTENTS[kind].items() if k != key}
        with pytest.raises(ShapeError, match=f"`{key}` is missing"):
            check_content(kind, content)


@pytest.mark.parametrize(
    ("kind", "changes", "place"),
    [
        ("session", {"job_id": "' OR 1 = 1"}, "job_id"),
        ("session", {"job_id": ""}, "job_id"),
        ("session", {"job_id": 7}, "job_id"),
        ("session", {"resumed": -1}, "resumed"),
        ("session", {"tags": {"a": 1}}, "tags.a"),
        ("session", {"tags": ["a"]}, "tags"),
        ("session", {"parent": 1}, "parent"),
        ("session", {"target": None}, "target"),
        ("session", {"target": {"uri": 1, "experiment": "e"}}, "target.uri"),
        ("session", {"target": {"uri": None}}, "target.experiment"),
        ("params", {"values": {"a": None}}, "values.a"),
        ("tags", {"values": []}, "values"),
        ("metrics", {"step": 1.5}, "step"),
        ("metrics", {"step": 2**63}, "step"),
        ("metrics", {"values": {"loss": "0.5"}}, "values.loss"),
        ("metrics", {"values": {"loss": True}}, "values.loss"),
        ("metrics", {"model": -1}, "model"),
        ("note", {"text": None}, "text"),
        ("inputs", {"datasets": {}}, "datasets"),
        ("inputs", {"datasets": [None]}, r"datasets\[0\]"),
        ("artifact", {"path": "../../a"}, "path"),
        ("artifact", {"path": "/a"}, "path"),
        ("artifact", {"path": "a/../../b"}, "path"),
        ("artifact", {"path": ""}, "path"),
        ("artifact", {"path": "a\0b"}, "path"),
        ("artifact", {"file": ["a"]}, "file"),
        ("model", {"name": "a' OR name = 'b"}, "name"),
        ("model", {"name": "a/b"}, "name"),
        ("model", {"step": None}, "step"),
        ("model", {"folder": None}, "folder"),
        ("end", {"status": "RUNNING"}, "status"),
        ("end", {"reason": 3}, "reason"),
    ],
    ids=str,
)
def test_other_content_is_refused_with_its_place(
    kind: str, changes: dict[str, Any], place: str
) -> None:
    with pytest.raises(ShapeError, match=f"`{place}`"):
        check_content(kind, {**CONTENTS[kind], **changes})


@pytest.mark.parametrize(
    ("run", "model"),
    [
        ("resnet20_cifar on digits", "resnet20_cifar-on-digits"),
        ("optimizer.lr=1e-3", "optimizer-lr-1e-3"),
        ("Blumen (2024)/ä: 50%", "Blumen-2024-ä-50"),
        ("...", "model"),
        ("x" * 300, "x" * 120),
    ],
)
def test_model_is_called_by_its_run_in_signs_that_mlflow_takes(
    run: str, model: str
) -> None:
    from mlflow.utils.validation import _validate_logged_model_name

    assert name_model(run) == model
    _validate_logged_model_name(model)
    entry = {"name": model, "step": 1, "folder": "models/model-1"}
    assert check_content("model", entry) == entry
