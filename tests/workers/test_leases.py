import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.errors import DeviceError
from experiments.workers import leases
from experiments.workers.leases import (
    gpu_folder,
    gpu_places,
    gpus_to_share,
    share_cores,
    take_lease,
)

HOLD = """
import sys, time
from collections.abc import Callable
from pathlib import Path
from experiments.workers.leases import take_lease
lease = take_lease(Path(sys.argv[1]), range(1))
print(lease.index, flush=True)
time.sleep(60)
"""


def never() -> bool:
    return False


def test_each_lease_is_another_thing_until_there_are_no_more(tmp_path: Path) -> None:
    held = [
        take_lease(tmp_path / "new", range(3), keep_waiting=never) for _ in range(3)
    ]
    assert [lease.index for lease in held if lease] == [0, 1, 2]
    assert take_lease(tmp_path / "new", range(3), keep_waiting=never) is None


def test_what_was_given_back_can_be_had_again(tmp_path: Path) -> None:
    first, second = take_lease(tmp_path, range(2)), take_lease(tmp_path, range(2))
    assert first is not None
    assert second is not None
    first.release()
    again = take_lease(tmp_path, range(2), keep_waiting=never)
    assert again is not None
    assert again.index == 0


def test_who_waits_gets_what_another_gives_back(tmp_path: Path) -> None:
    held = take_lease(tmp_path, range(1))
    assert held is not None
    got: list[float] = []

    def wait() -> None:
        lease = take_lease(tmp_path, range(1))
        got.append(time.monotonic())
        assert lease is not None
        lease.release()

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.3)
    given_back = time.monotonic()
    held.release()
    thread.join(10)
    assert got[0] >= given_back


def test_it_is_asked_again_and_again_whether_to_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "_POLL_SECONDS", 0.01)
    held = take_lease(tmp_path, range(1))
    answers = [True, True, False]
    assert take_lease(tmp_path, range(1), keep_waiting=lambda: answers.pop(0)) is None
    assert not answers
    assert held is not None


def test_a_lease_ends_with_a_process_that_is_killed(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "0\n"
    assert take_lease(tmp_path, range(1), keep_waiting=never) is None
    holder.kill()
    holder.communicate()
    assert take_lease(tmp_path, range(1), keep_waiting=never) is not None


@pytest.mark.parametrize("gpu", ["cpu", "all", 0, [0, 1], None])
def test_a_gpu_that_was_chosen_is_not_shared(
    monkeypatch: pytest.MonkeyPatch, gpu: object
) -> None:
    monkeypatch.setattr(leases, "list_gpus", lambda: ("0", "1"))
    assert gpus_to_share(gpu) == ()


def test_auto_shares_what_the_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "list_gpus", lambda: ("0", "1"))
    assert gpus_to_share("auto") == ("0", "1")


@pytest.mark.parametrize(
    ("visible", "cluster", "shared"),
    [
        ("3", "SLURM_JOB_ID", ()),
        ("3", "RAY_JOB_ID", ()),
        ("3", "RAY_RAYLET_PID", ()),
        ("3", None, ("3",)),
        (None, "SLURM_JOB_ID", ("3",)),
        (None, "RAY_JOB_ID", ("3",)),
        ("3,5", "RAY_JOB_ID", ()),
        ("3,5", "SLURM_JOB_ID", ("3", "5")),
    ],
)
def test_what_a_cluster_has_assigned_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
    visible: str | None,
    cluster: str | None,
    shared: tuple[str, ...],
) -> None:
    found = ("3",) if visible is None else tuple(visible.split(","))
    monkeypatch.setattr(leases, "list_gpus", lambda: found)
    for name in ("SLURM_JOB_ID", "RAY_JOB_ID", "RAY_RAYLET_PID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    if cluster is not None:
        monkeypatch.setenv(cluster, "1")
    assert gpus_to_share("auto") == shared


def test_users_agree_about_gpus_among_themselves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = gpu_folder()
    monkeypatch.setattr(os, "getuid", lambda: 4242)
    assert gpu_folder() != own
    assert gpu_folder().name == "experiments-gpus-4242"


@pytest.mark.parametrize(
    ("cores", "workers", "shares"),
    [
        (4, 1, [[10, 11, 12, 13]]),
        (4, 2, [[10, 11], [12, 13]]),
        (5, 2, [[10, 11], [12, 13, 14]]),
        (5, 3, [[10], [11, 12], [13, 14]]),
        (2, 2, [[10], [11]]),
        (2, 3, [[10], [11], [10]]),
        (1, 2, [[10], [10]]),
    ],
)
def test_cores_are_shared_without_a_rest(
    monkeypatch: pytest.MonkeyPatch, cores: int, workers: int, shares: list[list[int]]
) -> None:
    own = set(range(10, 10 + cores))
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: own)
    assert [share_cores(index, workers) for index in range(workers)] == shares


def test_gpus_are_shared_only_after_each_has_its_trial() -> None:
    assert gpu_places(("0", "MIG-a/1"), 2) == ["0", "MIG-a_1", "0-2", "MIG-a_1-2"]


def test_jobs_of_slurm_agree_among_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    folders = {gpu_folder()}
    for job in ("7", "8"):
        monkeypatch.setenv("SLURM_JOB_ID", job)
        folders.add(gpu_folder())
    assert len(folders) == 3


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder where every user of the machine may write, such as /tmp."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


def test_folder_among_those_of_others_is_of_this_user_alone(shared: Path) -> None:
    (shared / "old").mkdir(mode=0o755)
    for name in ("new", "old"):
        assert take_lease(shared / name, range(1), keep_waiting=never) is not None
        assert (shared / name).stat().st_mode & 0o777 == 0o700


def _link(path: Path) -> None:
    path.with_name("elsewhere").mkdir()
    path.symlink_to("elsewhere")


@pytest.mark.parametrize("make", [_link, Path.touch, os.mkfifo])
def test_folder_that_somebody_else_has_put_there_is_refused(
    make: Callable[[Path], None], shared: Path
) -> None:
    make(shared / "gpus")

    with pytest.raises(DeviceError, match=r"gpus must be a folder of this user"):
        take_lease(shared / "gpus", range(1), keep_waiting=never)

    assert not list(shared.rglob("*.lock"))


def test_folder_of_another_user_is_refused(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shared / "gpus").mkdir(mode=0o700)
    monkeypatch.setattr(os, "getuid", lambda: 4242)

    with pytest.raises(DeviceError, match="must be a folder of this user"):
        take_lease(shared / "gpus", range(1), keep_waiting=never)


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_lock_that_is_no_file_is_named(kind: str, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.write_text("alive")
    (tmp_path / "slots").mkdir()
    lock = tmp_path / "slots" / "0.lock"
    if kind == "link":
        lock.symlink_to(canary)
    else:
        lock.mkdir()

    with pytest.raises(DeviceError, match=r"0.lock cannot be locked: .*Remove it"):
        take_lease(tmp_path / "slots", range(1), keep_waiting=never)

    assert canary.read_text() == "alive"
