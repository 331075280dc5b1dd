"""A folder and its run name each other, wherever the folder has gone since.

The libraries keep what they know of a run in memory, by its id alone: whatever looks at
two copies of one database is a process of its own here.
"""

import json
import shutil
import sys

import pytest

from experiments.tracking.recorded import read_folder
from experiments.tracking.spool.place import FOLDER, JOB_ID, OUTPUT_DIR
from experiments.tracking.spool.process import HOST, host_name
from experiments.tracking.spool.spool import Spool
from experiments.tracking.store.runs.run_folder import NoFolderError
from experiments.tracking.store.runs.run_names import AmbiguousRunError
from tests.canary import watched
from tests.tracking.conftest import destination, settle
from tests.tracking.sending.test_sync import remove_database, sync_apart
from tests.warm import run_to_the_end

FIND = """
import logging, sys
from pathlib import Path
from experiments.config.kinds.destination import Destination
from experiments.errors import TrackingError
from experiments.tracking.recorded import read_folder
logging.basicConfig(format="%(message)s")
out = Path(sys.argv[1])
destination = Destination(output_dir=out, uri=sys.argv[3] or None)
try:
    print(read_folder(sys.argv[2], destination, typed_in=out))
except TrackingError as error:
    print(error)
"""


def find_apart(out, name, uri=""):
    """Returns what a process of its own finds, and what that warns of."""
    command = [sys.executable, "-c", FIND, str(out), str(name), uri]
    done = run_to_the_end(command)
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip("\n"), done.stderr


def find(out, run_id, **changes):
    return read_folder(run_id, destination(out, **changes))


def finish(tracker):
    tracker.log_metrics({"loss": 0.5}, step=1)
    settle(tracker)  # on a busy machine MLflow takes long to be there
    tracker.finish("FINISHED")
    assert not tracker.unsent, tracker.problem
    return tracker


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def run(open_run):
    """A finished run, in the folder `runs/0`."""
    return finish(open_run())


def test_tags_of_a_run_say_where_its_folder_is(run, out):
    tags = settle(run).get_run(run.run_id).data.tags
    assert (tags[FOLDER], tags[OUTPUT_DIR]) == ("runs/0", str(out))
    assert tags[HOST] == host_name()
    opening = json.loads(run._spool.journal.read_text().partition("\n")[0])
    assert tags[JOB_ID] == opening["content"]["job_id"]


def test_folder_outside_of_the_output_folder_is_told_whole(open_run, tmp_path):
    run = finish(open_run(folder=tmp_path / "aside"))
    tags = settle(run).get_run(run.run_id).data.tags
    assert tags[FOLDER] == str(tmp_path / "aside")


@pytest.mark.parametrize("name", ["id", "start", "runs/0", "whole path"])
def test_folder_is_found_in_its_place(run, out, name):
    names = {"id": run.run_id, "start": run.run_id[:8], "whole path": out / "runs/0"}
    assert find_apart(out, names.get(name, name)) == (str(out / "runs/0"), "")


def test_moved_output_folder_has_its_runs(run, out, tmp_path):
    moved = out.rename(tmp_path / "moved there")
    assert find_apart(moved, run.run_id) == (str(moved / "runs/0"), "")


def test_each_of_two_copies_has_its_own(run, out, tmp_path):
    copy = shutil.copytree(out, tmp_path / "copy")
    for place in (copy, out):
        assert find_apart(place, run.run_id) == (str(place / "runs/0"), "")


def test_folder_that_was_moved_within_its_output_folder_is_found(run, out):
    (out / "kept" / "good").mkdir(parents=True)
    (out / "runs/0").rename(out / "kept" / "good" / "one")
    assert find(out, run.run_id) == out / "kept/good/one"


def test_run_of_an_earlier_release_is_found_by_what_its_folder_says(run, out):
    client = settle(run)
    for tag in (FOLDER, OUTPUT_DIR):
        client.delete_tag(run.run_id, tag)
    assert find(out, run.run_id) == out / "runs/0"


def test_run_is_found_by_every_id_that_it_has_had(run, out):
    """A database was lost, and `task=sync` has made the run anew, twice."""
    ids = [run.run_id]
    for _ in range(2):
        remove_database(out / "mlflow.db")
        assert len(sync_apart(out)) == 1
        ids.append(Spool(out / "runs/0").read_run_id())
    assert len(set(ids)) == 3
    for run_id in ids:
        for name in (run_id, run_id[:10]):
            assert find_apart(out, name) == (str(out / "runs/0"), "")


def test_moved_folder_without_its_database_is_found_after_it_was_sent_again(
    run, out, tmp_path
):
    moved = out.rename(tmp_path / "moved")
    remove_database(moved / "mlflow.db")
    sync_apart(moved)
    assert find_apart(moved, run.run_id) == (str(moved / "runs/0"), "")


def test_folder_that_is_gone_is_told_with_where_it_was(run, out):
    shutil.rmtree(out / "runs/0")
    with pytest.raises(NoFolderError) as error:
        find(out, run.run_id)
    assert str(error.value) == (
        f"The folder of the run {run.run_id} (a run) is not below {out}. "
        f"It was {out}/runs/0 on {host_name()}. "
        "Bring it back or, if it was moved, name the folder itself in place of the run."
    )


def test_folder_on_another_machine_is_told_with_its_name(run, out):
    shutil.rmtree(out / "runs/0")
    settle(run).set_tag(run.run_id, HOST, "box3")
    with pytest.raises(NoFolderError, match=r"runs/0 on box3\. Copy it from there"):
        find(out, run.run_id)


def test_run_that_does_not_say_where_it_was_is_told(run, out):
    shutil.rmtree(out / "runs/0")
    settle(run).delete_tag(run.run_id, FOLDER)
    with pytest.raises(NoFolderError, match="an earlier release has made it"):
        find(out, run.run_id)


def test_two_copies_beside_each_other_are_told(run, out):
    first = (out / "runs/0").rename(out / "first")
    second = shutil.copytree(first, out / "second")
    with pytest.raises(AmbiguousRunError, match="2 folders, copies of each") as error:
        find(out, run.run_id)
    assert str(error.value).endswith(f":\n  {first}\n  {second}")
    assert find_apart(out, second) == (str(second), "")


def test_copy_in_the_place_that_the_run_names_does_not_hide_it(run, out):
    shutil.copytree(out / "runs/0", out / "runs/0-copy")
    assert find(out, run.run_id) == out / "runs/0"


def test_colleagues_on_one_server_have_their_own_folders(
    open_run, running_server, tmp_path
):
    """The same command of both has made a folder of the same name."""
    server = {"uri": running_server.uri, "ui_url": None}
    outs = [tmp_path / "anna", tmp_path / "ben"]
    anna, ben = (
        finish(open_run(output_dir=out, folder=out / "runs" / "x", **server))
        for out in outs
    )
    for out, run in zip(outs, (anna, ben), strict=True):
        assert find(out, run.run_id, **server) == out / "runs/x"
    with pytest.raises(NoFolderError) as error:
        find(outs[0], ben.run_id, **server)
    assert str(error.value).endswith(
        f"is not below {outs[0]}. It was {outs[1]}/runs/x on {host_name()}. "
        f"What is in {outs[0]}/runs/x is that of the run {anna.run_id}. Choose that "
        "output_dir, or name the folder itself in place of the run."
    )


def test_copy_says_that_its_run_went_on_in_the_other_one(
    open_run, running_server, tmp_path
):
    server = {"uri": running_server.uri, "ui_url": None}
    one, two = tmp_path / "one", tmp_path / "two"
    run = finish(open_run(output_dir=one, folder=one / "job", **server))
    shutil.copytree(one, two)
    assert find_apart(one, run.run_id, running_server.uri) == (str(one / "job"), "")
    again = finish(open_run(output_dir=two, folder=two / "job", **server))
    assert again.run_id == run.run_id
    assert find_apart(two, run.run_id, running_server.uri) == (str(two / "job"), "")
    found, warning = find_apart(one, run.run_id, running_server.uri)
    assert found == str(one / "job")
    assert warning == (
        f"{one}/job is an older copy: its run {run.run_id} was continued since, in "
        f"{two}/job on {host_name()}.\n"
    )


@pytest.mark.parametrize(
    "tag", ["{away}", "../away", "runs/../../away", "link", "a\0b", "", "~", "."]
)
def test_tag_leads_nowhere_else(run, out, tmp_path, tag):
    """Not even to the folder that is the run's: who is to open it names it."""
    away = (out / "runs/0").rename(tmp_path / "away")
    (out / "link").symlink_to(away)
    settle(run).set_tag(run.run_id, FOLDER, tag.format(away=away))
    with watched(away) as seen, pytest.raises(NoFolderError, match="is not below"):
        find(out, run.run_id)
    assert seen == []
    assert find_apart(out, away) == (str(away), "")


@pytest.mark.parametrize("also", ["run.json", "tag"])
def test_folder_that_only_says_that_it_is_a_run_is_not_taken_for_it(
    open_run, run, out, also
):
    other = finish(open_run())
    shutil.rmtree(out / "runs/0")
    other._spool.write_run_id(run.run_id, "embedded")
    if also == "tag":
        settle(run).set_tag(run.run_id, FOLDER, "runs/1")
    with pytest.raises(NoFolderError):
        find(out, run.run_id)


def test_control_characters_of_a_tag_do_not_reach_the_screen(run, out):
    shutil.rmtree(out / "runs/0")
    client = settle(run)
    client.set_tag(run.run_id, HOST, "box\x1b[2J")
    client.set_tag(run.run_id, "mlflow.runName", "a\x1b[2Jb")
    with pytest.raises(NoFolderError) as error:
        find(out, run.run_id)
    assert "\x1b" not in str(error.value)


def test_folder_that_names_the_run_of_another_gets_its_own(open_run, run, out, caplog):
    """Else the other's metrics, files and status would be overwritten."""
    client = settle(run)
    before = client.get_run(run.run_id)
    stranger = open_run(folder=out / "stranger")
    stranger._spool.write_run_id(run.run_id, "embedded")
    stranger.log_metrics({"loss": 9.0}, step=1)
    settle(stranger)
    stranger.finish("FAILED", "not mine")
    assert not stranger.unsent
    assert stranger.run_id != run.run_id
    assert client.get_run(run.run_id).to_dictionary() == before.to_dictionary()
    assert f"{out}/stranger says that its run is {run.run_id}" in caplog.text
    assert stranger._spool.list_run_ids() == [stranger.run_id]
    assert client.get_run(stranger.run_id).data.metrics == {"loss": 9.0}


def test_folder_that_names_a_run_of_another_program_gets_its_own(open_run, out):
    client = settle(open_run())
    foreign = client.create_run("0").info.run_id
    stranger = open_run(folder=out / "stranger")
    stranger._spool.write_run_id(foreign)
    finish(stranger)
    assert stranger.run_id != foreign
    assert client.get_run(foreign).data.metrics == {}
