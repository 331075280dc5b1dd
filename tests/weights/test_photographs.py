"""The photographs of `docs/finetune.md`: cut as it says, and learnt as it shows."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.conftest import ROOT
from tests.docs.pages import list_commands
from tests.weights.downloads import find_mobilenet

SCRIPT = ROOT / "examples" / "photographs" / "cut_photos.py"


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("skimage")
    folder = tmp_path_factory.mktemp("photographs") / "photos"
    subprocess.run([sys.executable, str(SCRIPT), str(folder)], check=True)
    return folder


def place(path: Path) -> tuple[int, int]:
    """Returns row and column of a part, by its name."""
    _, row, _, column = path.stem.split("_")
    return int(row), int(column)


def test_halves_have_every_pixel_once(photos: Path) -> None:
    from skimage import data

    halves = [sorted((photos / half / "cat").iterdir()) for half in ("train", "test")]
    train, test = [{place(path) for path in half} for half in halves]
    assert len(train) == len(test) == 8
    assert not train & test
    parts = {
        place(path): np.asarray(Image.open(path)) for half in halves for path in half
    }
    rows = [
        np.concatenate([parts[row, column] for column in range(1, 5)], axis=1)
        for row in range(1, 5)
    ]
    whole, expected = np.concatenate(rows).astype(int), data.cat()
    assert whole.shape == expected.shape
    assert abs(whole - expected).mean() < 3  # of JPEG


@pytest.mark.weights
@pytest.mark.timeout(1800)
def test_what_the_page_types_learns_them(
    run_command: Any, photos: Path, tmp_path: Path
) -> None:
    weights = find_mobilenet()
    page = list_commands(ROOT / "docs" / "finetune.md")
    (command,) = [one for one in page if f"model.weights={weights.name}" in one.line]
    words = [
        word.replace("=photos", f"={photos}").replace(weights.name, str(weights))
        for word in command.arguments
    ]
    done = run_command(*words, "gpu=cpu", "tracking=off", timeout=1500)
    assert done.returncode == 0, done.stderr
    assert "260 of 262 arrays loaded" in done.stdout
    (result,) = tmp_path.glob("outputs/runs/*/result.json")
    assert json.loads(result.read_text())["metrics"]["test_accuracy"] >= 0.85
