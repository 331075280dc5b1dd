"""The worked example of `docs/extending.md`, run as a reader would run it."""

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from experiments.tracking.spool.contents import name_model
from tests.conftest import ROOT
from tests.docs.pages import fenced_blocks, list_commands
from tests.warm import run_to_the_end

COMMANDS = [
    command
    for command in list_commands(ROOT / "docs" / "extending.md")
    if not command.is_refused
]
RUN_NAME = "my_net on photo_patches"

Run = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.timeout(600)  # for the processes, on a busy machine


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds everything that the processes leave."""
    return tmp_path_factory.mktemp("example")


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    """Runs Python in the repository, with a cache folder of its own."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {"XDG_CACHE_HOME": str(folder / "cache"), **variables}
        return run_to_the_end(
            [sys.executable, *arguments],
            cold=arguments[0] != "run.py",
            cwd=ROOT,
            env={**os.environ, **environment},
        )

    return run


@pytest.fixture(scope="module")
def screens(run: Run, folder: Path) -> list[str]:
    """What each command of the page printed, run in their order."""
    screens = []
    for command in COMMANDS:
        arguments = (*command.arguments, f"output_dir={folder}")
        result = run("run.py", *arguments, **command.environment)
        assert result.returncode == 0, result.stdout + result.stderr
        screens.append(result.stdout)
    return screens


def query(folder: Path, statement: str) -> list[str]:
    with closing(sqlite3.connect(folder / "mlflow.db")) as database:
        return [value for (value,) in database.execute(statement)]


def test_own_model_and_data_set_are_trained_and_swept(screens: list[str]) -> None:
    single, sweep = screens
    for line in COMMANDS[0].screen.splitlines():
        if line.startswith(("experiment", "data", "model")):
            assert line in single
    for width in (8, 16):
        assert re.search(rf"^\| \d \| {width} \|", sweep, re.MULTILINE)


def test_own_callback_writes_its_table(screens: list[str], folder: Path) -> None:
    (table,) = folder.glob("runs/*/weight_norms.csv")
    epochs = [line.partition(",")[0] for line in table.read_text().splitlines()]
    assert epochs == ["epoch", "1", "2", "3", "4", "5"]
    assert len(list(folder.glob("sweeps/*/*/weight_norms.csv"))) == 2


def test_own_metric_is_recorded_for_each_epoch(
    screens: list[str], folder: Path
) -> None:
    steps = query(
        folder,
        "select step from metrics join runs using (run_uuid) "
        f"where name = '{RUN_NAME}' and key = 'weight_norm' order by step",
    )
    assert steps == [1, 2, 3, 4, 5]


def test_model_loads_as_the_tracking_page_says(
    screens: list[str], run: Run, folder: Path
) -> None:
    page = ROOT / "docs" / "tracking.md"
    (code,) = (text for kind, text, _ in fenced_blocks(page) if kind == "python")
    shown = "30d44f2b5e944b24a55f5883f4f8b907"
    assert shown in code
    (run_id,) = query(folder, f"select run_uuid from runs where name = '{RUN_NAME}'")

    code = code.replace(shown, run_id).replace("outputs/", f"{folder}/")
    assert "/resnet20_cifar-on-digits" in code
    named = code.replace("resnet20_cifar-on-digits", name_model(RUN_NAME))
    result = run("-c", named)

    assert result.returncode == 0, result.stderr
    assert result.stdout in ("['temple', 'temple']\n", "['flower', 'flower']\n")
