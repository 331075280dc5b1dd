"""What a run of today writes down: with its format, and as the page on records says."""

import json
import re
from pathlib import Path
from typing import Any

from experiments import __version__
from experiments.records import FORMAT
from tests.conftest import ROOT
from tests.records.archive import SMALL

PAGE = (ROOT / "docs" / "records.md").read_text()
HEADER = f"# experiments {__version__}, format {FORMAT}\n"


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Returns what a JSON file holds, or each line of a journal."""
    text = path.read_text()
    texts = text.splitlines() if path.suffix == ".jsonl" else [text]
    return [json.loads(part) for part in texts]


def test_every_record_of_a_search_says_its_format_and_is_on_the_page(
    run_command: Any, tmp_path: Path
) -> None:
    words = (*SMALL, "trainer.epochs=2", "hydra/sweeper=keras_tuner")
    done = run_command("-m", *words, "hydra.sweeper.max_trials=1", "seed=1,2")
    assert done.returncode == 0, done.stderr
    outputs = tmp_path / "outputs"
    found = [p for p in outputs.rglob("*.json*") if "models" not in p.parts]
    names = {path.name for path in found}
    assert names >= {"result.json", "manifest.json", "journal.jsonl", "trials.jsonl"}
    for path in found:
        if path.parent.name in ("data", "artifacts") and path.name != "origin.json":
            continue  # written for people
        for content in read_lines(path):
            assert (content["format"], content["release"]) == (FORMAT, __version__), (
                path
            )
        assert re.search(rf"\b{re.escape(path.name)}\b", PAGE), path
    configs = list(outputs.rglob("artifacts/config/*.yaml"))
    assert {path.name for path in configs} == {
        "config.yaml",
        "choices.yaml",
        "overrides.yaml",
    }
    assert all(path.read_text().startswith(HEADER) for path in configs)
