import errno
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments import job_files
from experiments.config.kinds.objective import Objective
from experiments.errors import ExperimentError
from experiments.training.checkpoints import store as store_module
from experiments.training.checkpoints.manifest import read_manifest
from experiments.training.checkpoints.state import Position, TrainingState
from experiments.training.checkpoints.state_file import NotFiniteError
from experiments.training.checkpoints.store import CheckpointStore, load_best, load_last
from tests.canary import watched


def state(
    epoch: int, step: int = 0, values: list[float] | None = None
) -> TrainingState:
    """A state whose weight tells where it is."""
    history = [{"val_loss": value} for value in values or [0.5] * epoch]
    return TrainingState(
        arrays={"model/00000/w": np.array([epoch, step], "float32")},
        position=Position(epoch, step),
        history=history,
    )


def open_store(folder: Path, **options: Any) -> CheckpointStore:
    objective = Objective("val_loss", options.pop("mode", "min"))
    return CheckpointStore(folder, objective, **{"keep": 2, **options})


def save_epochs(folder: Path, values: list[float], **options: Any) -> CheckpointStore:
    store = open_store(folder, **options)
    for epoch in range(1, len(values) + 1):
        store.save(state(epoch, values=values[:epoch]), value=values[epoch - 1])
    return store


def place(found: TrainingState | None) -> tuple[int, int]:
    assert found is not None
    return found.position.epoch, found.position.step


def states_in(folder: Path) -> list[str]:
    return sorted(
        path.name[:22] for path in folder.iterdir() if path.name != job_files.MANIFEST
    )


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGES = pytest.mark.parametrize("damage", [truncate, empty, flip_a_bit, Path.unlink])


def file_of(folder: Path, epoch: int) -> Path:
    (path,) = folder.glob(f"epoch-{epoch:04d}-step-000000-*")
    return path


@pytest.mark.parametrize(
    ("mode", "values", "best"),
    [
        ("max", [0.1, 0.5, 0.3], 2),
        ("min", [0.5, 0.1, 0.3], 2),
        ("max", [0.5, 0.5, 0.5], 1),
        ("max", [float("nan"), 0.2, float("inf")], 2),
        ("max", [0.1, 0.2, 0.3], 3),
    ],
)
def test_best_and_last_state_are_kept(
    mode: str, values: list[float], best: int, tmp_path: Path
) -> None:
    save_epochs(tmp_path, values, mode=mode)

    assert place(load_best(tmp_path)) == (best, 0)
    assert place(load_last(tmp_path)) == (3, 0)


@pytest.mark.parametrize(
    ("keep", "kept"), [(1, [2, 5]), (2, [2, 4, 5]), (9, range(1, 6))]
)
def test_only_the_last_states_and_the_best_one_remain(
    keep: int, kept: Any, tmp_path: Path
) -> None:
    save_epochs(tmp_path, [0.4, 0.1, 0.3, 0.3, 0.3], keep=keep)

    assert states_in(tmp_path) == [f"epoch-{n:04d}-step-000000" for n in kept]


def test_state_comes_back_as_it_was(tmp_path: Path) -> None:
    saved = TrainingState(
        arrays={
            "model/00000/a/kernel": np.arange(6, dtype="float32").reshape(2, 3),
            "optimizer/00000/adam/iteration": np.int32(7) * np.ones((), "int32"),
            "model/00001/seed": np.array([1, 2**32 - 1], "uint32"),
            "model/00002/empty": np.zeros((0, 3), "float16"),
        },
        position=Position(3, 17),
        history=[{"loss": 0.1 + 0.2, "val_loss": float("nan")}],
        memory={"early_stopping": {"wait": 2, "best": None}},
        finished=True,
    )
    open_store(tmp_path).save(saved)

    loaded = load_last(tmp_path)

    assert loaded is not None
    assert loaded.arrays.keys() == saved.arrays.keys()
    for name, array in saved.arrays.items():
        assert loaded.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(loaded.arrays[name], array, strict=True)
    assert (loaded.position, loaded.finished) == (saved.position, True)
    assert loaded.history[0]["loss"] == 0.1 + 0.2
    assert loaded.memory == saved.memory


def test_state_inside_an_epoch_is_the_last_but_never_the_best(tmp_path: Path) -> None:
    store = save_epochs(tmp_path, [0.4])
    store.save(state(1, 5))

    assert place(load_last(tmp_path)) == (1, 5)
    assert place(load_best(tmp_path)) == (1, 0)


def test_best_state_survives_a_new_process(tmp_path: Path) -> None:
    save_epochs(tmp_path, [0.4, 0.1, 0.3])

    again = open_store(tmp_path)
    again.save(state(4), value=0.2)
    again.save(state(5), value=0.3)

    assert place(load_best(tmp_path)) == (2, 0)


@DAMAGES
def test_state_before_a_damaged_one_is_used_with_a_warning(
    damage: Callable[[Path], None], tmp_path: Path, caplog: Any
) -> None:
    save_epochs(tmp_path, [0.1, 0.2, 0.3])
    path = file_of(tmp_path, 3)
    damage(path)

    assert place(load_last(tmp_path)) == (2, 0)
    assert [r.levelno for r in caplog.records] == [logging.WARNING]
    assert str(path) in caplog.text


@DAMAGES
def test_best_of_the_others_stands_in_for_a_damaged_best_state(
    damage: Callable[[Path], None], tmp_path: Path, caplog: Any
) -> None:
    save_epochs(tmp_path, [0.1, 0.3, 0.2, 0.4])
    path = file_of(tmp_path, 1)
    damage(path)

    assert place(load_best(tmp_path)) == (3, 0)
    assert str(path) in caplog.text


@DAMAGES
def test_training_goes_on_after_its_best_state_was_damaged(
    damage: Callable[[Path], None], tmp_path: Path, caplog: Any
) -> None:
    save_epochs(tmp_path, [0.1, 0.3, 0.2])
    damage(file_of(tmp_path, 1))

    store = open_store(tmp_path)
    store.save(state(4), value=0.15)

    assert "of epoch 1, is damaged or gone. The best one is now that of epoch 3" in (
        caplog.text
    )
    assert place(load_best(tmp_path)) == (4, 0)


@DAMAGES
def test_repeated_epoch_replaces_its_damaged_state(
    damage: Callable[[Path], None], tmp_path: Path
) -> None:
    save_epochs(tmp_path, [0.3, 0.2, 0.1])
    damage(file_of(tmp_path, 3))
    assert place(load_last(tmp_path)) == (2, 0)

    store = open_store(tmp_path)
    store.save(state(2, 4))
    store.save(state(3), value=0.1)

    assert place(load_best(tmp_path)) == (3, 0)
    manifest = read_manifest(tmp_path)
    assert manifest is not None
    assert [(r.epoch, r.step) for r in manifest.last] == [(3, 0), (2, 4)]


@DAMAGES
def test_damaged_manifest_costs_neither_the_last_nor_the_best_state(
    damage: Callable[[Path], None], tmp_path: Path, caplog: Any
) -> None:
    save_epochs(tmp_path, [0.4, 0.1, 0.3, 0.2])
    if damage is flip_a_bit:
        (tmp_path / job_files.MANIFEST).write_bytes(b"{\xff")
    else:
        damage(tmp_path / job_files.MANIFEST)

    assert place(load_last(tmp_path)) == (4, 0)
    store = open_store(tmp_path)
    store.save(state(5), value=0.2)

    assert (damage is Path.unlink) or job_files.MANIFEST in caplog.text
    assert place(load_best(tmp_path)) == (2, 0)


def test_folder_whose_states_are_all_damaged_is_refused(tmp_path: Path) -> None:
    save_epochs(tmp_path, [0.4, 0.1])
    for path in tmp_path.glob("epoch-*"):
        truncate(path)

    with pytest.raises(ExperimentError, match=r"All checkpoints in .* are damaged"):
        load_last(tmp_path)
    with pytest.raises(ExperimentError, match=r"No best checkpoint in .* is whole"):
        load_best(tmp_path)


def test_folder_of_a_new_job_holds_nothing(tmp_path: Path) -> None:
    assert load_last(tmp_path / "absent") is None
    with pytest.raises(ExperimentError, match="holds no best state"):
        load_best(tmp_path / "absent")


def test_no_finite_value_means_no_best_state(tmp_path: Path) -> None:
    save_epochs(tmp_path, [float("nan")])

    with pytest.raises(ExperimentError, match="no epoch gave a finite metric"):
        load_best(tmp_path)


def test_other_metric_is_judged_by_what_the_states_remember(tmp_path: Path) -> None:
    save_epochs(tmp_path, [0.4, 0.1, 0.3], keep=3)

    store = open_store(tmp_path, mode="max", keep=3)

    assert store.manifest.best is not None
    assert store.manifest.best.epoch == 1


@pytest.mark.parametrize("group", ["model", "optimizer"])
@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_state_that_is_not_finite_is_not_committed(
    value: float, group: str, tmp_path: Path
) -> None:
    store = save_epochs(tmp_path, [0.4])
    arrays = {f"{group}/00000/w": np.array([0.0, value], "float32")}

    with pytest.raises(NotFiniteError, match=f"{group}/00000/w is not finite"):
        store.save(TrainingState(arrays=arrays, position=Position(2)), value=0.1)

    assert place(load_last(tmp_path)) == (1, 0)
    assert place(load_best(tmp_path)) == (1, 0)


@pytest.mark.parametrize("call", ["write_manifest", "write_state"])
def test_crash_while_saving_leaves_the_former_states(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = save_epochs(tmp_path, [0.4])

    def crash(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(store_module, call, crash)
    with pytest.raises(KeyboardInterrupt):
        store.save(state(2), value=0.1)

    assert place(load_last(tmp_path)) == (1, 0)
    assert place(load_best(tmp_path)) == (1, 0)


def test_full_disk_leaves_the_former_states_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = save_epochs(tmp_path, [0.4])

    def refuse(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(OSError, match="No space left"):
            store.save(state(2), value=0.1)
    assert states_in(tmp_path) == ["epoch-0001-step-000000"]

    store.save(state(3), value=0.1)
    assert place(load_best(tmp_path)) == (3, 0)


def test_rests_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    store = save_epochs(tmp_path, [0.4])
    rest = tmp_path / f"unfinished-{file_of(tmp_path, 1).name}"
    rest.write_bytes(b"half")

    store.save(state(2), value=0.3)

    assert not rest.exists()


def test_manifest_states_each_files_hash(tmp_path: Path) -> None:
    save_epochs(tmp_path, [0.4])
    content = json.loads((tmp_path / job_files.MANIFEST).read_text())

    (record,) = content["last"]
    assert record == content["best"]
    assert record["sha256"].startswith(Path(record["file"]).stem.split("-")[-1])


def test_file_of_somebody_else_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "mine.safetensors").write_text("mine")
    (tmp_path / "unfinished-epoch-0001-step-000000.safetensors").write_text("left")

    save_epochs(tmp_path, [0.3, 0.2, 0.1, 0.05])

    assert (tmp_path / "mine.safetensors").read_text() == "mine"
    assert not list(tmp_path.glob("unfinished-*"))
    assert len(list(tmp_path.glob("epoch-*"))) == 2


def test_manifest_names_no_file_outside(tmp_path: Path) -> None:
    """It may have come from elsewhere."""
    folder = tmp_path / "job" / "checkpoints"
    save_epochs(folder, [0.3, 0.2])
    save_epochs(tmp_path / "outside", [0.1, 0.1])
    canary = file_of(tmp_path / "outside", 2)
    manifest = json.loads((folder / job_files.MANIFEST).read_text())
    for record in (manifest["best"], *manifest["last"]):
        record["file"] = f"../../outside/{canary.name}"
    (folder / job_files.MANIFEST).write_text(json.dumps(manifest))

    with watched(tmp_path / "outside") as seen:
        assert load_last(folder).history[-1] == {"val_loss": 0.2}  # type: ignore[union-attr]
        with pytest.raises(ExperimentError, match=r"`best.file` must be the name"):
            load_best(folder)
        open_store(folder).save(state(3), value=0.05)

    assert seen == []
    assert place(load_best(folder)) == (3, 0)


def test_folder_that_is_a_link_out_of_the_job_is_not_cleared(
    tmp_path: Path, caplog: Any
) -> None:
    outside = tmp_path / "outside"
    save_epochs(outside, [0.3])
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "checkpoints").symlink_to(outside)

    save_epochs(tmp_path / "job" / "checkpoints", [0.2, 0.1, 0.05, 0.04])

    assert len(list(outside.glob("epoch-0001-*"))) == 2
    assert caplog.text.count("states that count no more stay there") == 1
