import subprocess
import sys
from pathlib import Path

import pytest

from experiments.errors import ExperimentError
from experiments.jobs.folder import (
    JobHeldError,
    choose_folder,
    claim_folder,
    is_held,
    list_job_folders,
    refuse_outer_links,
)
from tests.damage import WAYS

HOLD = """
import sys, pathlib
from experiments.jobs.folder import claim_folder
with claim_folder(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize(
    ("existing", "fresh", "chosen"),
    [
        ([], False, "job-1a"),
        ([], True, "job-1a"),
        (["job-1a"], False, "job-1a"),
        (["job-1a"], True, "job-1a-2"),
        (["job-1a", "job-1a-2", "job-1a-10"], False, "job-1a-10"),
        (["job-1a", "job-1a-2", "job-1a-10"], True, "job-1a-11"),
        (["job-1a-x", "job-1ab", "other-3"], True, "job-1a"),
    ],
)
def test_newest_attempt_is_continued_and_a_fresh_one_is_new(
    tmp_path: Path, existing: list[str], fresh: bool, chosen: str
) -> None:
    for name in existing:
        (tmp_path / name).mkdir()
    assert choose_folder(tmp_path / "job-1a", fresh=fresh) == tmp_path / chosen


def test_parent_folder_need_not_exist(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "job"
    assert choose_folder(folder, fresh=True) == folder


def start_holder(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_second_process_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    with start_holder(tmp_path) as process:
        assert is_held(tmp_path)
        with (
            pytest.raises(JobHeldError, match=f"process {process.pid} on .* since"),
            claim_folder(tmp_path),
        ):
            pass
        process.kill()
    assert not is_held(tmp_path)
    with claim_folder(tmp_path):
        assert is_held(tmp_path)
    assert not is_held(tmp_path)


def test_hold_ends_with_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="odd"), claim_folder(tmp_path):
        raise ValueError("odd")
    assert not is_held(tmp_path)


def test_folder_without_a_job_is_not_held(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "absent")
    assert list(tmp_path.iterdir()) == []


def test_job_folders_are_those_that_were_claimed(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        (tmp_path / name).mkdir()
    for name in ("b", "a"):
        with claim_folder(tmp_path / name):
            pass
    assert list_job_folders(tmp_path) == [tmp_path / "a", tmp_path / "b"]


@pytest.mark.parametrize("way", WAYS)
def test_damaged_name_of_the_holder_is_not_shown(way: str, tmp_path: Path) -> None:
    with start_holder(tmp_path) as process:
        WAYS[way](tmp_path / "job.holder.json")
        with (
            pytest.raises(JobHeldError, match="worked on by another process"),
            claim_folder(tmp_path),
        ):
            pass
        process.kill()


def test_lock_that_is_no_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "job.lock").mkdir()

    with (
        pytest.raises(ExperimentError, match=r"job.lock cannot be locked: .*Remove it"),
        claim_folder(tmp_path),
    ):
        pass

    assert not is_held(tmp_path)


@pytest.mark.parametrize("place", ["run.log", "checkpoints", ".hydra/config.yaml"])
@pytest.mark.parametrize("target", ["../elsewhere", "/etc/hostname", "../../.."])
def test_link_that_leads_out_of_a_jobs_folder_is_refused(
    tmp_path: Path, place: str, target: str
) -> None:
    link = tmp_path / "job" / place
    link.parent.mkdir(parents=True)
    link.symlink_to(target)
    with pytest.raises(ExperimentError) as error:
        refuse_outer_links(tmp_path / "job", depth=2)
    assert str(error.value).startswith(f"{link} is a link that leads out of its folder")


def test_link_in_a_job_of_a_sweep_is_found(tmp_path: Path) -> None:
    job = tmp_path / "sweep" / "job"
    (job / "checkpoints").mkdir(parents=True)
    (job / "checkpoints" / "manifest.json").symlink_to("/etc/hostname")
    refuse_outer_links(tmp_path / "sweep", depth=2)  # names of a run's folder only
    with pytest.raises(ExperimentError, match=r"manifest\.json is a link"):
        refuse_outer_links(tmp_path / "sweep", depth=3)


def test_links_inside_and_a_folder_behind_a_link_are_no_matter(tmp_path: Path) -> None:
    real = tmp_path / "disk" / "job"
    (real / "checkpoints").mkdir(parents=True)
    (real / "last").symlink_to("checkpoints")
    (tmp_path / "outputs").symlink_to("disk")
    refuse_outer_links(tmp_path / "outputs" / "job", depth=2)
    refuse_outer_links(tmp_path / "absent", depth=2)
