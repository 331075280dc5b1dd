import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from experiments.command.printed import describe_command
from experiments.config.kinds.destination import Destination
from experiments.jobs.job import JobResult
from experiments.jobs.showing import display
from experiments.tasks import sync
from experiments.tracking.sending.sender import Sender
from experiments.tracking.sending.sync import Synced
from experiments.tracking.tracker import open_tracker
from tests.conftest import ROOT


@pytest.fixture
def job(tmp_path: Path) -> Any:
    task = SimpleNamespace(arguments=lambda: {"uri": None})
    place = Destination(output_dir=tmp_path, experiment="e")
    run = SimpleNamespace(task=task, destination=lambda: place)
    return SimpleNamespace(run=run, name="sync", overrides=(), output_dir=tmp_path)


def test_table_says_what_was_sent_and_why_the_rest_waits(
    job: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [
        Synced(folder=tmp_path / "runs" / "a", sent=5, refused=1),
        Synced(folder=tmp_path / "runs" / "b", unsent=7, reason="no answer"),
    ]
    monkeypatch.setattr(sync, "sync_folders", lambda place, uri: iter(rows))
    result = sync.sync(job)
    assert (result.status, result.exit_code) == ("FAILED", 1)
    assert result.reason == "7 records are still unsent"
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["folder", "sent", "unsent", "reason"],
        ["runs/a", "5", "0", "1", "refused"],
        ["runs/b", "0", "7", "no", "answer"],
    ]


def test_stored_result_names_the_run_that_the_job_has_now(
    job: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = JobResult(
        name="a", status="FINISHED", objective=0.5, output_dir=str(tmp_path / "a")
    )
    (tmp_path / "a").mkdir()
    before.save()
    named = Synced(folder=tmp_path / "a", sent=5, run_id="new", run_url="http://m/new")
    rows = [named, Synced(folder=tmp_path / "sweep", sent=5, run_id="x", run_url="u")]
    monkeypatch.setattr(sync, "sync_folders", lambda place, uri: iter(rows))
    sync.sync(job)
    expected = replace(before, run_id="new", run_url="http://m/new")
    assert JobResult.load(tmp_path / "a") == expected


def test_store_that_could_not_be_asked_is_no_success(
    job: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [Synced(folder=tmp_path / "a", asked=False, reason="no answer")]
    monkeypatch.setattr(sync, "sync_folders", lambda place, uri: iter(rows))
    result = sync.sync(job)
    assert (result.status, result.exit_code) == ("FAILED", 1)
    assert result.reason == "1 of the folders could not be compared with their store"
    assert "sent before, not compared; no answer" in capsys.readouterr().out


def test_nothing_to_send_is_a_success(
    job: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    result = sync.sync(job)
    assert (result.status, result.exit_code) == ("FINISHED", 0)
    assert "is sent" in capsys.readouterr().out


def test_command_imports_no_framework(tmp_path: Path) -> None:
    command = [sys.executable, "-X", "importtime", str(ROOT / "run.py"), "task=sync"]
    result = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    imported = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}
    assert not {"tensorflow", "keras", "jax", "mlflow"} & imported


@pytest.mark.parametrize("outputs", ["outputs", "my $results"])
def test_printed_command_works_in_another_folder(
    outputs: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    typed_in = tmp_path / "ada's files"
    typed_in.mkdir()
    monkeypatch.chdir(typed_in)
    monkeypatch.setattr(sys, "argv", [str(ROOT / "run.py")])
    job = typed_in / outputs / "runs" / "job"
    tracker = open_tracker(
        destination=Destination(
            output_dir=job.parents[1], experiment="some experiment"
        ),
        drain_seconds=0,
        folder=job,
        run_name="a run",
    )
    monkeypatch.setattr(Sender, "start", lambda self: None)
    tracker.finish("FINISHED")
    tracker._spool.disown()  # type: ignore[attr-defined]
    display.show_unsent(tracker, outputs, None)
    command = capsys.readouterr().out.partition("To send them: ")[2]
    monkeypatch.chdir(tmp_path)
    done = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1:] == ["runs/job      2       0"]
    assert [path.name for path in tmp_path.iterdir()] == [typed_in.name]


def test_address_is_checked(check: Any) -> None:
    with pytest.raises(Exception, match=r"task\.uri must start with http"):
        check("task=sync", "task.uri=ftp://host")


def test_refused_records_are_counted_and_named(
    job: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    reasons = tuple(f"'/home/x/{i}' lies outside of a" for i in range(12))
    rows = [Synced(folder=tmp_path / "a", sent=3, refused=12, refusals=reasons)]
    monkeypatch.setattr(sync, "sync_folders", lambda place, uri: iter(rows))
    result = sync.sync(job)
    assert result.metrics == {"sent": 3.0, "unsent": 0.0, "refused": 12.0}
    shown = capsys.readouterr().out.splitlines()
    assert "12 records refused; the others are not affected:" in shown
    assert "  a: '/home/x/0' lies outside of a" in shown
    assert shown[-1] == "  and 2 more, see tracking/refused.jsonl of each folder"


@pytest.mark.parametrize(("unsent", "exit_code"), [(4, 1), (0, 0)])
def test_address_of_a_record_is_told_with_the_command_that_sends_there(
    unsent: int,
    exit_code: int,
    job: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [
        Synced(
            folder=tmp_path / name,
            unsent=unsent,
            asked=False,
            meant_for="http://h:5000",
        )
        for name in "ab"
    ]
    monkeypatch.setattr(sync, "sync_folders", lambda place, uri: iter(rows))
    assert sync.sync(job).exit_code == exit_code
    shown = capsys.readouterr().out
    words = ["task=sync", f"output_dir={tmp_path}"]
    assert (
        "2 folders were meant for http://h:5000, which is not the configured store: "
        "nothing of that was sent.\n"
        f"To send it there: {describe_command(*words, 'tracking.uri=http://h:5000')}\n"
        "To send everything there: "
        f"{describe_command(*words, 'task.uri=http://h:5000')}\n"
    ) in shown
    assert ("a           0       4  meant for http://h:5000\n" in shown) is bool(unsent)
    assert ("is sent" in shown) is not bool(unsent)


def test_odd_address_of_a_record_is_in_no_command(
    job: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    address = "ftp://h/\x1b[2J; touch a"
    rows = [Synced(folder=tmp_path / "a", unsent=1, asked=False, meant_for=address)]
    monkeypatch.setattr(sync, "sync_folders", lambda place, uri: iter(rows))
    sync.sync(job)
    shown = capsys.readouterr().out
    assert repr(address) in shown
    assert "\x1b" not in shown
    assert "task.uri" not in shown
    assert "It is no address of a server or a database." in shown
