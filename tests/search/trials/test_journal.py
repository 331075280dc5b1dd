"""What a search believes of its journal, which may have come from elsewhere."""

import json
from pathlib import Path
from typing import Any

import pytest

from experiments import job_files
from experiments.errors import ExperimentError
from experiments.records import RecordError
from experiments.search.disk import WeightKeeper
from experiments.search.oracle.proposer import Proposer
from experiments.search.trials.journal import is_complete, read_trials
from experiments.search.trials.trial import Outcome
from tests.canary import watched
from tests.damage import WAYS

QUESTION: dict[str, Any] = {
    "number": 0,
    "values": {"x": 0.5},
    "epochs": None,
    "parent": None,
    "overrides": ["x=0.5"],
}
OUTCOME = Outcome(end="complete", objective=0.5, folders=("a",)).as_dict()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "sweep" / "search"
    folder.mkdir(parents=True)
    return folder


def write(folder: Path, *lines: tuple[str, Any]) -> None:
    entries = [{"kind": kind, "time": 1, "content": text} for kind, text in lines]
    text = "".join(json.dumps(entry) + "\n" for entry in entries)
    (folder / job_files.TRIALS).write_text(text)


def test_trials_are_read_as_they_were_written(folder: Path) -> None:
    write(folder, ("asked", QUESTION), ("told", {"number": 0, "outcome": OUTCOME}))

    (trial,) = read_trials(folder)

    assert trial.proposal.values == {"x": 0.5}
    assert trial.outcome is not None
    assert trial.outcome.folders == (str(folder.parent / "a"),)


@pytest.mark.parametrize(
    ("most", "is_over"), [(1, True), (2, False), (None, True)], ids=str
)
def test_search_is_complete_when_all_of_its_trials_have_ended(
    folder: Path, most: int | None, is_over: bool
) -> None:
    assert not is_complete(folder, most)  # it has not begun
    write(folder, ("asked", QUESTION))
    assert not is_complete(folder, most)
    write(folder, ("asked", QUESTION), ("told", {"number": 0, "outcome": OUTCOME}))
    assert is_complete(folder, most) is is_over
    open_one = ("asked", {**QUESTION, "number": 1})
    write(
        folder,
        ("asked", QUESTION),
        ("told", {"number": 0, "outcome": OUTCOME}),
        open_one,
    )
    assert is_complete(folder, None) is False


def test_outcome_of_an_earlier_release_is_read(folder: Path) -> None:
    """It knew no repeats."""
    outcome = {k: v for k, v in OUTCOME.items() if k != "repeats"}
    write(folder, ("asked", QUESTION), ("told", {"number": 0, "outcome": outcome}))

    (trial,) = read_trials(folder)

    assert trial.objective == 0.5


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"number": 1}, "0 trials come before trial 1"),
        ({"number": -1}, "`number`"),
        ({"number": "0"}, "`number`"),
        ({"values": []}, "`values`"),
        ({"values": {"x": []}}, "`values.x`"),
        ({"values": {"x": None}}, "`values.x`"),
        ({"epochs": 1.5}, "`epochs`"),
        ({"parent": 0}, "0 trials come before"),
        ({"parent": -1}, "`parent`"),
        ({"overrides": "x=1"}, "`overrides`"),
        ({"overrides": [1]}, r"`overrides\[0\]`"),
    ],
    ids=str,
)
def test_question_of_another_form_is_named(
    changes: dict[str, Any], place: str, folder: Path
) -> None:
    write(folder, ("asked", {**QUESTION, **changes}))

    with pytest.raises(RecordError, match=rf"{job_files.TRIALS} .*line 1 .*{place}"):
        read_trials(folder)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"end": "won"}, "`outcome.end`"),
        ({"objective": "0.5"}, "`outcome.objective`"),
        ({"metrics": [1]}, "`outcome.metrics`"),
        ({"seconds": None}, "`outcome.seconds`"),
        ({"epochs": -3}, "`outcome.epochs`"),
        ({"folders": "a"}, "`outcome.folders`"),
        ({"folders": [3]}, r"`outcome.folders\[0\]`"),
        ({"folders": ["../../outside"]}, "lies outside of"),
        ({"folders": ["a", ".."]}, "lies outside of"),
        ({"folders": ["link"]}, "lies outside of"),
        ({"folders": ["a\0b"]}, "is no path"),
        ({"pid": 1}, "`outcome.pid` is unknown"),
    ],
    ids=str,
)
def test_answer_of_another_form_is_named(
    changes: dict[str, Any], place: str, folder: Path, tmp_path: Path
) -> None:
    (folder.parent / "link").symlink_to(tmp_path)
    answer = {"number": 0, "outcome": {**OUTCOME, **changes}}
    write(folder, ("asked", QUESTION), ("told", answer))

    with pytest.raises(RecordError, match=rf"{job_files.TRIALS} .*line 2 .*{place}"):
        read_trials(folder)


@pytest.mark.parametrize("number", [1, -1, "0", None])
def test_answer_to_no_question_is_named(number: Any, folder: Path) -> None:
    answer = {"number": number, "outcome": OUTCOME}
    write(folder, ("asked", QUESTION), ("told", answer))

    with pytest.raises(RecordError, match="line 2 cannot be read"):
        read_trials(folder)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("way", sorted(WAYS.keys() - {"empty", "cut"}))
def test_journal_that_is_anything_else_continues_no_search(
    way: str, folder: Path, settings: Any, space_of: Any
) -> None:
    write(folder, ("asked", QUESTION))
    WAYS[way](folder / job_files.TRIALS)
    torn = not (folder / job_files.TRIALS).is_file()
    if not torn and (folder / job_files.TRIALS).stat().st_size < 10**8:
        with (folder / job_files.TRIALS).open("ab") as file:
            file.write(b"\n")  # else it is a line that a crash has torn

    with pytest.raises(ExperimentError, match=job_files.TRIALS):
        Proposer(settings(), space_of("lr=tag(log,interval(1e-5,1e-2))"), None, folder)


@pytest.mark.parametrize("name", ["../../outside", "/outside", "link"])
def test_keeper_of_weights_removes_nothing_outside(
    name: str, folder: Path, tmp_path: Path, settings: Any
) -> None:
    """Whatever a journal may say, and wherever a link in a sweep leads."""
    outside = tmp_path / "outside" / "checkpoints"
    outside.mkdir(parents=True)
    (outside / "canary").write_text("alive")
    (folder.parent / "link").symlink_to(tmp_path / "outside")
    write(folder, ("asked", QUESTION), ("told", {"number": 0, "outcome": OUTCOME}))
    (trial,) = read_trials(folder)
    assert trial.outcome is not None
    object.__setattr__(trial.outcome, "folders", (str(folder.parent / name),))

    class Trials:
        trials = (trial,)

        def may_continue(self, number: int) -> bool:
            return False

    keeper: Any = WeightKeeper(settings(keep_top=0), Trials(), folder.parent)  # type: ignore[arg-type]
    with watched(tmp_path / "outside") as seen:
        keeper.ended(trial)

    assert (outside / "canary").read_text() == "alive"
    assert not [event for event in seen if "remove" in event or "rmtree" in event]
