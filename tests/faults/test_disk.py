"""A full disk and a folder that cannot be written cost no training."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import Command, assert_same_end


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few MiB."""
    folder = tmp_path / "outputs"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode != 0:
        pytest.skip("a file system can be mounted by root only")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Leaves not a byte free."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (2**20, 2**10, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return filler


def wait_for(process: subprocess.Popen[str], epoch: int) -> None:
    """Reads the screen until an epoch is done."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(f"epoch {epoch:>2}/"):
            return
    pytest.fail("the job ended early")


def wait_for_shortage(process: subprocess.Popen[str]) -> str:
    """Reads the errors until a state has no room."""
    assert process.stderr is not None
    for line in process.stderr:
        if "Training waits until there is room" in line:
            return line
    pytest.fail("the job ended early")


@pytest.mark.slow
def test_training_waits_while_the_disk_is_full_and_ends_as_if_it_had_not_been(
    job: Callable[..., Command], small_disk: Path, uninterrupted: Command
) -> None:
    command = job()
    process = command.start()
    wait_for(process, 3)
    filler = fill(small_disk)
    line = wait_for_shortage(process)
    assert "/checkpoints has 0 MB free, and " in line
    assert "the last good one is after epoch" in line
    filler.unlink()
    output, errors = process.communicate(timeout=280)
    assert process.returncode == 0, errors
    assert "There is room again" in errors
    assert uninterrupted.last_epoch in output
    assert_same_end(command, uninterrupted)


@pytest.mark.slow
def test_training_that_waits_for_room_ends_resumably_when_asked_to(
    job: Callable[..., Command], small_disk: Path, uninterrupted: Command
) -> None:
    command = job()
    process = command.start()
    wait_for(process, 3)
    filler = fill(small_disk)
    wait_for_shortage(process)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=280)
    assert process.returncode == 75, errors
    assert "Stopped by SIGTERM." in errors
    assert "Traceback" not in errors
    filler.unlink()
    done = command.finish()
    assert done.returncode == 0, done.stderr
    assert "it continues after epoch" in done.stdout
    assert_same_end(command, uninterrupted)


@pytest.mark.slow
def test_folder_that_becomes_read_only_lets_training_go_on(
    job: Callable[..., Command], small_disk: Path, uninterrupted: Command
) -> None:
    command = job()
    process = command.start()
    wait_for(process, 3)
    (checkpoints,) = small_disk.glob("runs/*/checkpoints")
    mount = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(checkpoints)]
    subprocess.run(mount, check=True)
    output, errors = process.communicate(timeout=280)
    subprocess.run(["umount", str(checkpoints)], check=True)
    assert uninterrupted.last_epoch in output
    assert "Read-only file system" in errors
    assert "Traceback" not in errors
    done = command.finish()
    assert done.returncode == 0, done.stderr
    assert_same_end(command, uninterrupted)


def test_folder_that_cannot_be_written_is_one_sentence(
    job: Callable[..., Command], small_disk: Path
) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    done = job().finish()
    assert done.returncode == 2
    heading, sentence = done.stderr.splitlines()
    assert heading == "The configuration has 1 problem:"
    assert sentence.startswith("  - output_dir ")
    assert "Read-only file system" in sentence
