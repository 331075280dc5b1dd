import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.training.checkpoints.state import Position, TrainingState
from experiments.training.checkpoints.state_file import (
    hash_if_whole,
    read_facts,
    read_state,
    write_state,
)
from experiments.training.checkpoints.state_name import is_state_name
from experiments.training.checkpoints.tensor_file import iterate_bytes
from tests.canary import watched
from tests.damage import WAYS

STATE = TrainingState(
    arrays={"model/00000/w": np.arange(3, dtype="float32")},
    position=Position(2, 5),
    history=({"loss": 0.5}, {"loss": float("nan")}),
    memory={"early_stopping": {"best": None, "wait": 1.0}},
)
FACTS: dict[str, Any] = {
    "position": {"epoch": 2, "step": 5},
    "history": [{"loss": 0.5}, {"loss": 0.25}],
    "memory": {},
    "finished": False,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints"


def forge(folder: Path, facts: Any) -> Path:
    """Writes a state with any facts, whose name states its hash."""
    text = facts if isinstance(facts, str) else json.dumps(facts)
    content = b"".join(iterate_bytes(STATE.arrays, {"facts": text}))
    digest = hashlib.sha256(content).hexdigest()[:16]
    path = folder / f"epoch-0002-step-000005-{digest}.safetensors"
    path.write_bytes(content)
    return path


def test_state_is_read_as_it_was_written(folder: Path) -> None:
    name, sha256 = write_state(folder, STATE)

    found = read_state(folder / name)

    assert found.position == STATE.position
    assert found.history[0] == {"loss": 0.5}
    assert np.isnan(found.history[1]["loss"])
    assert found.memory == STATE.memory
    assert not found.finished
    np.testing.assert_array_equal(found.arrays["model/00000/w"], [0, 1, 2])
    assert hash_if_whole(folder / name) == sha256
    assert read_facts(folder / name).position == STATE.position


@pytest.mark.timeout(20)
@pytest.mark.parametrize("way", WAYS)
def test_state_that_is_anything_else_is_refused(way: str, folder: Path) -> None:
    name, _ = write_state(folder, STATE)
    WAYS[way](folder / name)

    with pytest.raises(ValueError, match=r"\S"):
        read_state(folder / name)
    assert hash_if_whole(folder / name) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"position": [2, 5]},
        {"position": {"epoch": -1}},
        {"position": {"epoch": 1, "step": "5"}},
        {"position": {"epoch": 1, "batch": 5}},
        {"history": {}},
        {"history": [[]]},
        {"history": [{"loss": "0.5"}]},
        {"memory": []},
        {"finished": 1},
        {"unknown": 1},
    ],
    ids=str,
)
def test_state_whose_facts_are_of_another_form_is_refused(
    changes: dict[str, Any], folder: Path
) -> None:
    path = forge(folder, {**FACTS, **changes})

    with pytest.raises(ValueError, match=f"`{next(iter(changes))}"):
        read_state(path)
    with pytest.raises(ValueError, match=f"`{next(iter(changes))}"):
        read_facts(path)


@pytest.mark.parametrize("facts", ["", "{", "[]", "null", "[" * 10**5, "{}"])
def test_state_without_facts_is_refused(facts: str, folder: Path) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        read_state(forge(folder, facts))


def test_state_with_all_facts_is_accepted(folder: Path) -> None:
    assert read_state(forge(folder, FACTS)).position == Position(2, 5)


@pytest.mark.timeout(20)
def test_state_larger_than_the_memory_is_not_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, _ = write_state(folder, STATE)
    monkeypatch.setattr(os, "sysconf", lambda name: 3)

    with pytest.raises(ValueError, match=r"GB, and this machine 0.0 GB of memory"):
        read_state(folder / name)


def test_link_in_the_place_of_the_draft_leads_nowhere(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    canary = tmp_path / "outside" / "canary"
    canary.write_text("alive")
    draft = folder / "unfinished-epoch-0002-step-000005.safetensors"
    draft.symlink_to(canary)

    with watched(tmp_path / "outside") as seen:
        write_state(folder, STATE)

    assert canary.read_text() == "alive"
    assert not [event for event in seen if event.startswith("open")]


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("epoch-0002-step-000005-0123456789abcdef.safetensors", True),
        ("epoch-12345-step-1234567-0123456789abcdef.safetensors", True),
        ("unfinished-epoch-0002-step-000005.safetensors", True),
        ("model.safetensors", False),
        ("epoch-best.safetensors", False),
        ("epoch-0002-step-000005-0123456789abcdef.safetensors.bak", False),
    ],
)
def test_name_tells_whether_a_file_is_ours(name: str, ours: bool) -> None:
    assert is_state_name(name) is ours
