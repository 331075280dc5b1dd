import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.broken_images import MAY, RECIPES, REFUSE, WHOLE

ROOT = Path(__file__).parents[2]
CPU_SECONDS = 10
MEGABYTES = 512


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What became of every image, all read by one process that may die of one."""
    folder = tmp_path_factory.mktemp("images")
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.broken_images", str(folder)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        timeout=280,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {"": done, **{line["name"]: {**line, "folder": folder} for line in lines}}


def having(*verdicts):
    return [name for name, (verdict, _) in RECIPES.items() if verdict in verdicts]


def test_there_are_enough_of_them():
    assert len(having(REFUSE, MAY)) >= 60


def test_no_image_ends_the_process(outcomes):
    assert outcomes[""].returncode == 0, outcomes[""].stderr[-2000:]
    assert set(outcomes) == {"", *RECIPES}


@pytest.mark.parametrize("name", RECIPES)
def test_every_image_is_looked_at_within_bounds(outcomes, name):
    assert outcomes[name]["seconds"] < CPU_SECONDS
    assert outcomes[name]["megabytes"] < MEGABYTES


@pytest.mark.parametrize("name", RECIPES)
def test_it_ends_in_pixels_or_in_a_sentence_that_names_the_file(outcomes, name):
    outcome = outcomes[name]

    assert outcome["kind"] in ("", "DataError"), outcome
    if outcome["kind"]:
        assert str(outcome["folder"] / name) in outcome["words"]
        assert "\n" not in outcome["words"]


@pytest.mark.parametrize("name", RECIPES)
def test_what_the_header_tells_is_told_by_the_whole_file_too(outcomes, name):
    outcome = outcomes[name]

    assert outcome["full"] or not outcome["header"]


@pytest.mark.parametrize("name", RECIPES)
def test_what_is_accepted_looks_as_in_a_viewer(outcomes, name):
    outcome = outcomes[name]

    if outcome["full"] is None:
        assert outcome["kind"] == "", outcome
        assert outcome["differs"] < 1


@pytest.mark.parametrize("name", having(REFUSE))
def test_a_damaged_image_is_refused(outcomes, name):
    assert outcomes[name]["full"]


@pytest.mark.parametrize("name", having(WHOLE))
def test_a_whole_image_is_accepted(outcomes, name):
    outcome = outcomes[name]

    assert (outcome["header"], outcome["full"], outcome["kind"]) == (None, None, "")
