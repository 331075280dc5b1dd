import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from experiments import job_files
from experiments.records import RecordError
from experiments.training.checkpoints.manifest import (
    Manifest,
    Record,
    read_manifest,
    write_manifest,
)
from tests.damage import WAYS


def record(epoch: int, step: int = 0, value: float | None = None) -> Record:
    return Record(
        epoch=epoch, step=step, file=f"{epoch}-{step}", sha256="", value=value
    )


@pytest.mark.parametrize("best", [None, record(3, value=0.5)])
def test_manifest_is_read_as_it_was_written(
    best: Record | None, tmp_path: Path
) -> None:
    manifest = Manifest(
        monitor="val_loss", mode="min", best=best, last=(record(4, 2), record(4))
    )

    write_manifest(tmp_path, manifest)

    assert read_manifest(tmp_path) == manifest
    assert [path.name for path in tmp_path.iterdir()] == [job_files.MANIFEST]


def test_folder_without_a_manifest_holds_none(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) is None


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"best": 1, "last": []}', '{"best": null}', "null"],
)
def test_damaged_manifest_is_named(content: str, tmp_path: Path) -> None:
    (tmp_path / job_files.MANIFEST).write_text(content)

    with pytest.raises(ValueError, match=rf"{job_files.MANIFEST} is damaged"):
        read_manifest(tmp_path)


def test_states_are_listed_once_and_the_newest_first() -> None:
    best = record(2, value=0.1)
    manifest = Manifest(
        monitor="val_loss", mode="min", best=best, last=(record(3, 5), record(3), best)
    )

    places = [(r.epoch, r.step) for r in manifest.records()]

    assert places == [(3, 5), (3, 0), (2, 0)]


@pytest.mark.parametrize(("mode", "ranked"), [("min", [1, 3, 2]), ("max", [2, 1, 3])])
def test_states_are_ranked_by_their_finite_value(mode: str, ranked: list[int]) -> None:
    values = {1: 0.1, 2: 0.4, 3: 0.1, 4: None, 5: float("nan")}
    records = tuple(record(epoch, value=value) for epoch, value in values.items())
    manifest = Manifest(monitor="m", mode=mode, last=records)  # type: ignore[arg-type]

    assert [r.epoch for r in manifest.ranked()] == ranked


@pytest.mark.timeout(20)
@pytest.mark.parametrize("way", WAYS)
def test_manifest_that_is_anything_else_is_named(way: str, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    write_manifest(folder, Manifest(monitor="val_loss", mode="min"))
    WAYS[way](folder / job_files.MANIFEST)

    with pytest.raises(RecordError, match=rf"{job_files.MANIFEST} is damaged"):
        read_manifest(folder)


RECORD = dataclasses.asdict(record(3, value=0.5))


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"file": "../../secret.safetensors"}, "file"),
        ({"file": "/etc/passwd"}, "file"),
        ({"file": "a/b"}, "file"),
        ({"file": ".."}, "file"),
        ({"file": ""}, "file"),
        ({"file": "a\0b"}, "file"),
        ({"file": None}, "file"),
        ({"epoch": -1}, "epoch"),
        ({"epoch": "3"}, "epoch"),
        ({"epoch": 10**40}, "epoch"),
        ({"step": 1.5}, "step"),
        ({"sha256": 3}, "sha256"),
        ({"value": "0.5"}, "value"),
        ({"value": []}, "value"),
        ({"size": 3}, "size"),
    ],
    ids=str,
)
@pytest.mark.parametrize("where", ["best", "last[0]"])
def test_record_of_another_form_is_named(
    where: str, changes: dict[str, Any], place: str, tmp_path: Path
) -> None:
    content: dict[str, Any] = {
        "monitor": "m",
        "mode": "min",
        "best": None,
        "last": [RECORD],
    }
    changed = {**RECORD, **changes}
    content["best" if where == "best" else "last"] = (
        changed if where == "best" else [changed]
    )
    (tmp_path / job_files.MANIFEST).write_text(json.dumps(content))

    with pytest.raises(RecordError) as caught:
        read_manifest(tmp_path)

    assert f"`{where}.{place}`" in str(caught.value)
