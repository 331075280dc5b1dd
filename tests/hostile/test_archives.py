import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.broken_archives import RECIPES, SPECIAL

ROOT = Path(__file__).parents[2]
CPU_SECONDS = 10
MEGABYTES = 1024
BROKEN = [name for name, (_, _, words) in RECIPES.items() if words is not None]
WHOLE = [name for name in RECIPES if name not in BROKEN]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What became of every archive, all read by one process that may die of one."""
    folder = tmp_path_factory.mktemp("archives")
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.broken_archives", str(folder)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "CANARY": str(folder / "canary")},
        check=False,
        timeout=280,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {"": done, **{line["name"]: {**line, "folder": folder} for line in lines}}


def test_there_are_enough_of_them():
    assert len(BROKEN) >= 48


def test_no_archive_ends_the_process(outcomes):
    assert outcomes[""].returncode == 0, outcomes[""].stderr[-2000:]
    assert set(outcomes) == {"", *RECIPES, *SPECIAL}


@pytest.mark.parametrize("name", [*RECIPES, *SPECIAL])
def test_every_archive_is_read_within_bounds(outcomes, name):
    assert outcomes[name]["seconds"] < CPU_SECONDS
    assert outcomes[name]["megabytes"] < MEGABYTES


@pytest.mark.parametrize("name", [*BROKEN, *SPECIAL])
def test_a_broken_archive_ends_in_a_sentence_that_names_it(outcomes, name):
    outcome = outcomes[name]
    expected = RECIPES[name][2] if name in RECIPES else "must be an .npz"

    assert outcome["kind"] == "DataError", outcome
    assert str(outcome["folder"] / name) in outcome["words"]
    assert re.search(expected, outcome["words"]), outcome["words"]
    assert "\n" not in outcome["words"]
    assert len(outcome["words"]) < 500 + len(str(outcome["folder"]))


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_archive_is_read(outcomes, name):
    assert outcomes[name]["kind"] == "", outcomes[name]


def test_nothing_was_run(outcomes):
    assert not (outcomes["cifar_command"]["folder"] / "canary").exists()
