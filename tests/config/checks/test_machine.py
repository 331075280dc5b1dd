"""What this machine has, by what the system says."""

from pathlib import Path

import psutil
import pytest

from experiments.config.checks import machine
from experiments.config.checks.machine import total_memory


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(machine, "_GROUPS", tmp_path)
    return tmp_path


def test_the_memory_is_what_psutil_counts(groups: Path) -> None:
    whole = psutil.virtual_memory().total + psutil.swap_memory().total
    assert total_memory() == pytest.approx(whole, rel=1e-3)


@pytest.mark.parametrize(
    ("place", "name", "content", "found"),
    [
        ("/", "memory.max", "1000\n", [1000]),
        ("/a/b", "memory.max", "max\n", []),
        ("/nowhere", "memory.max", "2000\n", [2000]),
    ],
)
def test_a_group_or_what_it_is_in_limits_it(
    tmp_path: Path, place: str, name: str, content: str, found: list[int]
) -> None:
    folder = tmp_path / place.strip("/")
    (tmp_path if place == "/nowhere" else folder).mkdir(parents=True, exist_ok=True)
    (tmp_path if place == "/nowhere" else folder).joinpath(name).write_text(content)
    assert list(machine._read_limits(tmp_path, place, name)) == found


def test_a_container_may_be_allowed_less(
    groups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_read_group_limits", lambda: iter([10**9]))
    assert total_memory() == 10**9


def test_hidden_gpus_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_OTHERS", ())
    monkeypatch.setattr(machine, "_GPUS", tmp_path)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert not machine.may_have_accelerator()
    (tmp_path / "0000:01:00.0").mkdir()
    assert machine.may_have_accelerator()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert not machine.may_have_accelerator()
    monkeypatch.setattr(machine, "_OTHERS", (str(tmp_path),))
    assert machine.may_have_accelerator()
