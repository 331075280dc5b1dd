"""What `task=compare` says of runs, on the screen and on its page."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from experiments.comparison.compared import compare_members
from experiments.comparison.finding import list_members
from experiments.comparison.page import build_comparison_page
from experiments.comparison.screen import show_comparison
from experiments.config.kinds.destination import Destination
from experiments.errors import ConfigError
from experiments.jobs.folder import claim_folder
from experiments.records import write_record
from experiments.tasks.compare import compare
from tests.comparison.left import ACCURACY, leave, leave_sweep, share
from tests.conftest import ROOT
from tests.records.archive import FORMATS, unpack
from tests.warm import run_to_the_end

Compare = Callable[..., tuple[str, str, dict[str, float]]]


@pytest.fixture
def shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Compare:
    """Returns what is printed of some runs, their page, and the result's metrics."""

    def run(names: Any, **options: Any) -> tuple[str, str, dict[str, float]]:
        given = {"data": None, "pair": None, **options}
        place = Destination(output_dir=tmp_path, experiment="default", enabled=False)
        run = SimpleNamespace(
            task=SimpleNamespace(arguments=lambda: given),
            destination=lambda: place,
            run_id=names,
            trainer=SimpleNamespace(objective=ACCURACY),
            output_dir=str(tmp_path),
            allowed_targets=["experiments", "keras"],
        )
        job = SimpleNamespace(
            run=run, name="compare", overrides=(), output_dir=tmp_path / "compare-1"
        )
        job.output_dir.mkdir(exist_ok=True)
        result = compare(job)  # type: ignore[arg-type]
        page = (job.output_dir / "comparison.html").read_text()
        return capsys.readouterr().out, page, dict(result.metrics)

    return run


@pytest.fixture
def pair(tmp_path: Path) -> None:
    """A is right on 60 of 100 images, B on 50; 15 are A's alone, and 5 are B's."""
    b = (np.arange(100) < 45) | ((np.arange(100) >= 60) & (np.arange(100) < 65))
    leave(tmp_path / "runs" / "first", 0.8, right=share(60))
    rate = {"optimizer.lr": "0.1"}
    leave(tmp_path / "runs" / "second", 0.7, right=b, settings=rate)


def test_better_run_is_named_with_its_interval(shown: Compare, pair: None) -> None:
    out, page, metrics = shown(["first", "second"])
    assert "The best val_accuracy is that of A first: 0.8000." in out
    words = "A is better than B by 10.0 points (1.0 to 19.0), p = 0.041."
    assert words in out
    assert words in page
    rows = [line.split() for line in out.splitlines()]
    assert ["optimizer.lr", "0.001", "0.1"] in rows
    assert metrics == {"runs": 2.0, "rows": 2.0, "shown": 1.0}


def test_order_of_typing_does_not_matter(shown: Compare, pair: None) -> None:
    one, other = shown(["first", "second"])[1], shown(["second", "first"])[1]
    assert one == other


def test_page_shows_the_images_on_which_they_disagree(
    shown: Compare, pair: None
) -> None:
    _, page, _ = shown(["first", "second"])
    assert "A first alone gets right: 15 images" in page
    assert "B second alone gets right: 5 images" in page
    assert "<td>45</td><td>class 0</td><td>class 0</td><td>class 1</td>" in page


def test_run_without_predictions_is_named_with_the_command_that_makes_them(
    shown: Compare, pair: None, tmp_path: Path
) -> None:
    run_id = leave(tmp_path / "runs" / "third", 0.75, settings={"optimizer.lr": "1"})
    out, page, _ = shown(["first", "second", "third"])
    assert "A is better than C" in out
    assert "not compared by them: B." in out
    assert f"task=evaluate run_id={run_id}" in out
    assert f"task=evaluate run_id={run_id}" in page


def test_runs_of_a_sweep_are_compared_by_their_seeds(
    shown: Compare, tmp_path: Path
) -> None:
    sweep = tmp_path / "sweeps" / "s"
    leave_sweep(sweep)
    for seed in range(3):
        for lr, right in (("0.1", 60 + seed), ("0.2", 80 + seed)):
            settings = {"seed": str(seed), "optimizer.lr": lr}
            folder = sweep / f"lr_{lr}-seed_{seed}"
            name = f"optimizer.lr={lr} seed={seed}"
            leave(folder, right / 100, settings=settings, right=share(right), name=name)
    out, page, metrics = shown("last")
    assert metrics == {"runs": 6.0, "rows": 2.0, "shown": 1.0}
    assert "A is better than B by 20.0 points (" in out
    # Of 0.80, 0.81 and 0.82: 0.01 * t(2) / sqrt(3), with t(2) = 4.3027.
    assert "0.8100 ± 0.0248" in out
    assert "<td>0.7852 to 0.8348</td>" in page
    assert "optimizer.lr=0.2" in out


def test_one_run_alone_is_not_compared(
    shown: Compare, pair: None, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="must mean two runs or more"):
        shown("runs/first")
    with pytest.raises(ConfigError, match="must name what is compared"):
        shown(None)
    with pytest.raises(ConfigError, match="must mean two runs or more"):
        shown(["first", "runs/first"])


def test_pair_of_ones_own_is_shown(shown: Compare, pair: None, tmp_path: Path) -> None:
    rate = {"optimizer.lr": "1"}
    leave(tmp_path / "runs" / "third", 0.6, right=share(30), settings=rate)
    _, page, _ = shown(["first", "second", "third"], pair=["C", "first"])
    assert "A first alone gets right: 30 images" in page
    with pytest.raises(ConfigError, match=r"task\.pair must name two of the rows"):
        shown(["first", "second"], pair=["A", "Z"])
    with pytest.raises(ConfigError, match="which both are A first"):
        shown(["first", "second"], pair=["A", "first"])


def test_evaluation_on_other_data_is_compared_by_its_name(
    shown: Compare, tmp_path: Path
) -> None:
    for name, right in (("first", 40), ("second", 90)):
        settings = {"optimizer.lr": name}
        options = {"settings": settings, "data": "new_photos"}
        leave(tmp_path / "runs" / name, right / 100, right=share(right), **options)
    out, _, _ = shown(["first", "second"], data="new_photos")
    assert "A is better than B by 50.0 points" in out
    out, _, _ = shown(["first", "second"])
    assert "Without predictions on the test images" in out


def test_command_leaves_the_page_in_a_folder_of_its_own(
    pair: None, tmp_path: Path
) -> None:
    """As a process: no framework is imported for runs whose images are not here."""
    command = ["run.py", "task=compare", "run_id=[runs/first,runs/second]"]
    place = [f"output_dir={tmp_path}", "tracking=off"]
    code = (
        "import runpy, sys; sys.argv = sys.argv[1:]\n"
        "try: runpy.run_path('run.py', run_name='__main__')\n"
        "finally: print('heavy', sorted({'tensorflow', 'keras', 'mlflow', 'sklearn'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command, *place],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "heavy []" in done.stdout
    page = re.search(r"^page  (.+)$", done.stdout, re.MULTILINE)
    assert page is not None
    assert re.fullmatch(r"compare-[0-9a-f]{8}", Path(page[1]).parent.name)
    assert "A is better than B" in Path(page[1]).read_text()


def test_word_of_a_list_is_settled_before_the_folder_is_named(
    pair: None, tmp_path: Path
) -> None:
    place = [f"output_dir={tmp_path}", "tracking=off", "tracking.experiment=default"]

    def ask(words: str) -> str:
        line = [sys.executable, "run.py", "task=compare", words, *place]
        done = run_to_the_end(line, cwd=ROOT)
        assert done.returncode == 0, done.stderr
        assert "run_id=last is " in done.stdout
        (page,) = re.findall(r"^page  (.+)$", done.stdout, re.MULTILINE)
        return str(page)

    before = ask("run_id=[last,runs/first]")
    assert ask("run_id=[last,runs/first]") == before
    leave(tmp_path / "runs" / "third", 0.9, right=share(70))
    assert ask("run_id=[last,runs/first]") != before


@pytest.mark.parametrize("number", FORMATS)
def test_runs_of_earlier_releases_are_compared(
    number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of other data sets and class counts, failed, killed, paused; without tables."""
    outputs = unpack(tmp_path, number)
    members = list_members(outputs, outputs)
    compared = compare_members(members, objective=ACCURACY)
    page = tmp_path / "comparison.html"
    page.write_text(build_comparison_page(compared))
    show_comparison(compared, page)
    out = capsys.readouterr().out
    assert len(members) == 13
    assert "Their images differ (A; B to M)" in out
    assert "K: failed. val_loss became nan in epoch 1" in out
    assert "L: to continue" in out
    without = "A to M" if number < 3 else "K to M"
    assert f"not compared by them: {without}" in out
    assert max(map(len, out.partition("\n\n")[2].partition("\nF:")[0].split("\n"))) < 81


def test_running_and_cleaned_runs_are_compared(shown: Compare, tmp_path: Path) -> None:
    for name, right in (("first", 60), ("second", 50), ("third", 40)):
        settings = {"optimizer.lr": name}
        folder = tmp_path / "runs" / name
        leave(folder, right / 100, settings=settings, right=share(right))
    folder = tmp_path / "runs" / "second"
    shutil.rmtree(folder / "checkpoints")
    write_record(folder / "cleaned.json", {"time": "2026-01-01", "bytes": 1})
    running = tmp_path / "runs" / "third"
    (running / "result.json").unlink()
    with claim_folder(running):
        out, _, _ = shown(["first", "second", "third"])
    assert "A is better than B by 10.0 points" in out
    assert "C: running" in out
