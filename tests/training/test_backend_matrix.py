"""Each option does on JAX what it does on TensorFlow, and goes on exactly on both."""

import functools
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments import job_files
from experiments.training.checkpoints.store import load_last
from tests.conftest import ROOT
from tests.training.backend_matrix import TOGETHER, list_cases, list_processes

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("jax") is None, reason="JAX is an optional extra"
    ),
    pytest.mark.timeout(3600),  # the first test of a part waits for all its cases
]
BACKENDS = ("tensorflow", "jax")
# What one backend cannot do is refused, by (case, backend).
REFUSED = {
    ("trainer.onednn=true", "jax"): "trainer.onednn must be auto or false with backend",
    ("trainer.threads=1", "jax"): "trainer.threads must be null with backend=jax",
}
# Without checkpoints there is nothing to compare the weights by.
WITHOUT_STATE = ("callbacks.checkpoint=null",)
# Half precision rounds each product to 8 or 11 bits, in another order.
ROUGH = ("trainer.precision=",)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Trains several cases on a backend, once for all tests, and returns reports."""

    @functools.cache
    def reports(backend: str, names: tuple[str, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for process in list_processes(names):
            folder = tmp_path_factory.mktemp(backend)
            found |= train(backend, folder, process)
        return found

    return reports


def train(backend: str, folder: Path, names: Iterable[str]) -> dict[str, Any]:
    environment = {**os.environ, "KERAS_BACKEND": backend}
    environment["PYTHONPATH"] = f"{ROOT}{os.pathsep}{environment['PYTHONPATH']}"
    module = "tests.training.backend_matrix"
    done = subprocess.run(
        [sys.executable, "-m", module, backend, str(folder), *names],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    found = {report["case"]: report for report in map(json.loads, lines)}
    assert list(found) == list(names), done.stderr
    return found


def check_case(case: str, found: dict[str, Any]) -> None:
    refusals = {backend: REFUSED.get((case, backend)) for backend in BACKENDS}
    for backend, report in found.items():
        refusal = refusals[backend]
        if refusal is not None:
            assert refusal in report["problem"]
            assert report["problem"].startswith("ConfigError: ")
            continue
        assert report["problem"] is None, (backend, report["problem"])
        assert report["stopped"], backend
        assert report["same_state"], backend
        assert report["same_metrics"], backend
    if len(found) > 1 and not any(refusals.values()):
        check_equal(case, *(found[backend] for backend in BACKENDS))


def check_equal(case: str, one: dict[str, Any], other: dict[str, Any]) -> None:
    """The same losses, and weights that went the same way from the same start."""
    rough = case.startswith(ROUGH)
    for name in ("best_train_loss", "best_val_loss", "test_loss"):
        expected = pytest.approx(other["metrics"][name], rel=2e-2 if rough else 1e-4)
        assert one["metrics"][name] == expected, name
    if case in WITHOUT_STATE:
        return
    states = [
        load_last(Path(r["folder"]) / job_files.CHECKPOINTS) for r in (one, other)
    ]
    mine, theirs = (state.arrays for state in states if state is not None)
    assert mine.keys() == theirs.keys()
    for name, array in mine.items():
        if name.startswith("model/") and "seed" not in name:
            np.testing.assert_allclose(
                array, theirs[name], atol=2e-2 if rough else 1e-4, err_msg=name
            )


def test_what_depends_on_the_backend_does_the_same_on_both(reports: Any) -> None:
    found = {backend: reports(backend, (TOGETHER,))[TOGETHER] for backend in BACKENDS}
    check_case(TOGETHER, found)


def test_deterministic_operations_train_and_go_on(reports: Any) -> None:
    """Which are those of a whole process, so that no other test has them."""
    case = "trainer.deterministic=true"
    check_case(case, {"tensorflow": reports("tensorflow", (case,))[case]})


@pytest.mark.slow
@pytest.mark.parametrize("case", list_cases())
def test_each_option_does_the_same_on_both_backends(reports: Any, case: str) -> None:
    names = tuple(list_cases())
    found = {backend: reports(backend, names)[case] for backend in BACKENDS}
    check_case(case, found)
