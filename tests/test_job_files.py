"""What a job leaves has its names in one place."""

import ast
import re
from pathlib import Path

import pytest

from experiments import job_files

ROOT = Path(job_files.__file__).parent
NAMES = {k: v for k, v in vars(job_files).items() if k.isupper()}
# Words that are also the names of something else.
WORDS = {
    *("tracking", "search", "trials", "stop", "models", "artifacts"),
    *("predictions", "evaluation", "advice", ".safetensors"),
}


@pytest.mark.parametrize("name", sorted(set(NAMES.values())))
def test_each_name_is_told_of(name: str) -> None:
    words = re.findall(r"`(?:[\w.]+/)?([\w.]+)/?`", str(job_files.__doc__))
    assert name in words


def test_no_other_module_says_a_name_of_its_own() -> None:
    names = set(NAMES.values()) - WORDS
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.value}"
        for path in sorted(ROOT.rglob("*.py"))
        if path.name != "job_files.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in names
    ]
    assert found == []


def test_names_are_what_earlier_releases_wrote() -> None:
    """Whoever changes one has to read the old one too: see `experiments.records`."""
    assert NAMES == {
        "DATABASE": "mlflow.db",
        "ARTIFACTS": "artifacts",
        "REGISTRY_LOCK": "registry.lock",
        "LOCK": "job.lock",
        "HOLDER": "job.holder.json",
        "RESULT": "result.json",
        "ORIGIN": "origin.json",
        "ROLLBACKS": "rollbacks.json",
        "ACCUMULATE": "accumulate.json",
        "CLEANED": "cleaned.json",
        "SCREEN": "screen.log",
        "LOG": "run.log",
        "INSPECTION": "inspect.html",
        "RANGE_TEST": "find_lr.json",
        "RANGE_PICTURE": "find_lr.png",
        "RANGE_PAGE": "find_lr.html",
        "CHECKPOINTS": "checkpoints",
        "MANIFEST": "manifest.json",
        "STATE_SUFFIX": ".safetensors",
        "AUDIT_PAGE": "audit.html",
        "CORRECTIONS": "corrections.csv",
        "PROPOSALS": "proposals.csv",
        "PREDICTIONS": "predictions",
        "EVALUATION": "evaluation",
        "ANSWERS": "predictions.csv",
        "UNREADABLE": "unreadable.csv",
        "BUNDLE": "bundle",
        "SERVED": "served_model",
        "SPLITS": "splits.csv",
        "GALLERY": "gallery.html",
        "EXPLANATION_PAGE": "explanation.html",
        "EXPLANATIONS": "explanations",
        "TABLE": "predictions.parquet",
        "COMPARISON": "comparison.html",
        "TRACKING": "tracking",
        "JOURNAL": "journal.jsonl",
        "MODELS": "models",
        "RUN": "run.json",
        "SENT": "sent.json",
        "SENT_MODELS": "models.json",
        "REFUSED": "refused.jsonl",
        "OWNER_LOCK": "owner.lock",
        "RUN_LOCK": "run.lock",
        "SWEEP_PACE": "pace.jsonl",
        "SWEEP_HEADER": "header.json",
        "OUT_OF_FOLD": "out_of_fold.parquet",
        "WORKERS": "workers",
        "ADVICE": "advice",
        "PAGE": "search.html",
        "SEARCH": "search",
        "TRIALS": "trials.jsonl",
        "ORDER": "order.json",
        "STOP": "stop",
        "SLOTS": "slots",
        "REPEATS": "trials",
    }
