import os
import sys
from pathlib import Path
from typing import Any

import pytest

from experiments.errors import ConfigError
from experiments.runtime.devices import (
    Devices,
)
from experiments.runtime.framework import configure_framework
from tests.conftest import ROOT
from tests.tiny import TINY
from tests.warm import run_to_the_end


def configure(**changes: Any) -> None:
    settings: dict[str, Any] = {
        "gpu": "cpu",
        "backend": "tensorflow",
        "seed": 3,
        "precision": "float32",
        "deterministic": False,
        "threads": None,
        "compilation_cache": True,
    }
    configure_framework(Devices(()), **{**settings, **changes})


def test_seed_fixes_initial_weights() -> None:
    import keras
    import numpy as np

    def draw(seed: int) -> Any:
        configure(seed=seed)
        return keras.random.normal((4,), seed=keras.random.SeedGenerator()).numpy()

    assert np.array_equal(draw(3), draw(3))
    assert not np.array_equal(draw(3), draw(4))


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_on_a_cpu_is_refused(precision: str) -> None:
    with pytest.raises(ConfigError, match=r"Use trainer\.precision=float32"):
        configure(precision=precision)


def test_what_falls_back_to_the_cpu_is_configured_as_such(
    usable: Any, caplog: pytest.LogCaptureFixture
) -> None:
    usable(0)
    settings = {
        "gpu": "auto",
        "backend": "tensorflow",
        "seed": 3,
        "deterministic": False,
        "threads": None,
        "compilation_cache": True,
    }
    claimed = Devices(("0",))
    devices = configure_framework(claimed, precision="float32", **settings)
    assert devices.kind == "cpu"
    (record,) = caplog.records
    assert (record.levelname, record.message) == ("WARNING", devices.note)
    with pytest.raises(ConfigError, match="mixed_float16 needs a GPU"):
        configure_framework(claimed, precision="mixed_float16", **settings)


@pytest.fixture
def run_on_gpu_99(tmp_path: Path) -> Any:
    """Runs a command where a scheduler has assigned a GPU that does not exist."""

    def run(*arguments: str, cold: bool = False) -> Any:
        environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "99"}
        environment.pop("JAX_PLATFORMS", None)
        given = [*TINY, "debug=one_step", f"output_dir={tmp_path / 'outputs'}"]
        return run_to_the_end(
            [sys.executable, str(ROOT / "run.py"), *given, *arguments],
            cold=cold,
            timeout=240,
            cwd=tmp_path,
            env=environment,
        )

    return run


def test_gpu_that_cannot_compute_is_refused_before_data_are_loaded(
    run_on_gpu_99: Any, tmp_path: Path
) -> None:
    done = run_on_gpu_99("gpu=0", cold=True)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("gpu=0 is refused: TensorFlow cannot use GPU 99: ")
    assert done.stdout == ""


def test_what_computes_is_what_is_shown_and_recorded(
    run_on_gpu_99: Any, tmp_path: Path
) -> None:
    from experiments.tracking.store.mlflow_import import import_mlflow

    done = run_on_gpu_99("gpu=auto")
    assert done.returncode == 0, done.stderr
    assert "WARNING: gpu=auto runs on the CPU: TensorFlow cannot use" in done.stderr
    assert "device      CPU, tensorflow" in done.stdout
    store = import_mlflow().MlflowClient(f"sqlite:///{tmp_path}/outputs/mlflow.db")
    (run,) = store.search_runs(["1"])
    assert run.data.tags["device"] == "cpu"
    assert run.data.tags["device.note"].startswith("gpu=auto runs on the CPU: ")
    assert run.data.tags["derived.jit"] == "false"
