"""The sender imports mlflow in a thread while the framework builds and trains."""

import subprocess
import sys

import pytest

START = """
import os, sys
os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3",
    CUDA_VISIBLE_DEVICES="-1")
from pathlib import Path
from experiments.config.kinds.destination import Destination
from experiments.tracking.tracker import open_tracker
out = Path(sys.argv[1])
tracker = open_tracker(destination=Destination(output_dir=out, experiment="e"),
    drain_seconds=60, folder=out / sys.argv[2], run_name="r")
import keras, numpy
import tensorflow
tracker.start()
model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(2)])
model.compile(keras.optimizers.Adam(), "mse", metrics=["mae"])
model.fit(numpy.zeros((8, 8)), numpy.zeros((8, 2)), verbose=0)
if sys.argv[3] == "model":
    tracker.log_model(model, example=numpy.zeros((1, 8), "float32"))
tracker.finish("FINISHED")
sys.exit(tracker.unsent)
"""


def start(folder, name, end):
    command = [sys.executable, "-c", START, str(folder), name, end]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    "times", [1, pytest.param(20, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
def test_imports_of_two_threads_do_not_disturb_each_other(tmp_path, times):
    for number in range(times):
        end = "model" if number % 2 else "none"
        result = start(tmp_path, str(number), end)
        assert result.returncode == 0, result.stderr
        # TensorFlow prints what it likes; `runtime` keeps that off the screen.
        assert "Traceback" not in result.stderr
        assert "records" not in result.stderr
