import json

import pytest

from experiments.records import FORMAT
from experiments.tracking.spool.claims import (
    find_claims,
    find_folders,
    names_back,
    read_job_id,
)
from experiments.tracking.spool.place import JOB_ID
from experiments.tracking.spool.spool import Spool


def leave(folder, *run_ids):
    """Makes a folder that names runs, the latest last."""
    spool = Spool(folder)
    spool.folder.mkdir(parents=True)
    spool.journal.touch()
    for number, run_id in enumerate(run_ids):
        spool.write_run_id(run_id, f"store {number}")
    return spool


def test_folders_that_name_a_run_are_found_with_the_ids_that_were_looked_for(tmp_path):
    leave(tmp_path / "a", "11", "12")
    leave(tmp_path / "sweep", "20")
    leave(tmp_path / "sweep" / "b", "13")
    leave(tmp_path / "c")
    found = find_claims(tmp_path, lambda run_id: run_id.startswith("1"))
    assert [(spool.job_folder, ids) for spool, ids in found] == [
        (tmp_path / "a", ["12", "11"]),
        (tmp_path / "sweep" / "b", ["13"]),
    ]


def test_nothing_is_found_in_what_is_no_folder(tmp_path):
    assert find_folders(tmp_path / "nowhere") == []


def test_link_to_a_folder_is_not_entered(tmp_path):
    leave(tmp_path / "outside" / "job", "1")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "link").symlink_to(tmp_path / "outside")
    assert find_folders(tmp_path / "out") == []


@pytest.mark.parametrize(
    ("tags", "job_id", "expected"),
    [
        ({JOB_ID: "a"}, "a", True),
        ({JOB_ID: "a"}, "b", False),
        ({JOB_ID: "a"}, None, False),
        ({}, "a", False),
        ({}, None, False),
    ],
)
def test_run_is_a_folder_s_only_when_it_says_so_too(tags, job_id, expected):
    assert names_back(tags, job_id) is expected


def test_id_of_a_folder_is_that_of_its_journal(open_run, tmp_path):
    spool = open_run(folder=tmp_path / "out" / "job")._spool
    assert len(read_job_id(spool)) == 32


@pytest.mark.parametrize("content", ["", "{", '{"kind": "end"}\n', "\0\n"])
def test_id_of_a_damaged_journal_is_unknown(tmp_path, content):
    spool = leave(tmp_path / "a", "1")
    spool.journal.write_text(content)
    assert read_job_id(spool) is None


def test_folder_of_a_later_release_holds_up_no_other(tmp_path):
    newer = leave(tmp_path / "a", "1")
    leave(tmp_path / "b", "1")
    path = newer.folder / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": FORMAT + 1}))
    found = find_claims(tmp_path, "1".__eq__)
    assert [spool.job_folder for spool, _ in found] == [tmp_path / "b"]
