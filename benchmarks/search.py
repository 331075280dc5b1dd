"""What a search costs beside its trials: driver, process, idle workers, memory."""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil

from measure import BENCHMARKS, RUN
from results import describe_machine, store_plain

NOOP = BENCHMARKS / "noop_search.py"
QUIET = ("hydra.output_subdir=null", "hydra/job_logging=none", "tracking=off")
NUMBERED = ("hydra.sweep.subdir=${hydra:job.num}",)
TINY = (
    "model=resnet",
    "model.depth=null",
    "model.blocks=[1]",
    "model.block=basic",
    "model.width=8",
    "dataset=synthetic_small",
    "dataset.image_size=16",
    "trainer.batch_size=4",
    "trainer.epochs=2",
    "gpu=cpu",
)


def main() -> int:
    """Measures each part and stores the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000, help="that do nothing")
    parser.add_argument("--sleeping", type=int, default=60, help="trials that sleep")
    parser.add_argument("--real", type=int, default=50, help="trials that train")
    options = parser.parse_args()
    result: dict[str, Any] = {**describe_machine(), "settings": vars(options)}
    result["driver"] = measure_driver(options.trials)
    print("driver", result["driver"], flush=True)
    result["packing"] = measure_packing(options.sleeping)
    print("packing", result["packing"], flush=True)
    result["memory"] = measure_memory(options.real)
    print("memory", result["memory"], flush=True)
    return store_plain("search", result)


def run_noop(*overrides: str, sweeper: str = "keras_tuner") -> dict[str, Any]:
    """Runs a search or sweep of jobs that do nothing and returns its figures."""
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder, "figures.json")
        command = [sys.executable, str(NOOP), str(figures), "-m"]
        command += [f"hydra/sweeper={sweeper}", f"hydra.sweep.dir={folder}/sweep"]
        subprocess.run(
            [*command, *QUIET, *NUMBERED, *overrides],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
        )
        return dict(json.loads(figures.read_text()))


def measure_driver(trials: int) -> dict[str, Any]:
    """Measures what the driver takes for a trial beyond Hydra's launch of it.

    The memory is also that of Hydra's own sweep over as many jobs.
    """
    figures = run_noop(
        "seed=range(0,1000000)",
        f"hydra.sweeper.max_trials={trials}",
        "hydra.sweeper.isolation=none",
    )
    own = figures["whole"] - sum(figures["launched"])
    hydra = run_noop(f"seed=range(0,{trials})", sweeper="basic")
    return {
        "milliseconds_a_trial": round(1000 * own / trials, 2),
        "hydra_milliseconds_a_trial": round(
            1000 * statistics.fmean(figures["launched"]), 2
        ),
        **describe_growth(figures["memory"]),
        **{f"hydra_{k}": v for k, v in describe_growth(hydra["memory"]).items()},
        "goal_milliseconds": 50,
    }


def describe_growth(memory: list[int]) -> dict[str, float]:
    """Returns how memory, read once a trial, grows from a tenth of the trials on."""
    tenth = len(memory) // 10
    window = max(tenth, 1)
    later = memory[window:] or memory  # a single trial gains nothing
    gained = [end - begin for begin, end in zip(memory, later, strict=False)]
    return {
        "memory_mb": round(memory[-1] / 1e6, 1),
        "memory_growth_mb_from_a_tenth_on": round(
            (memory[-1] - memory[tenth]) / 1e6, 2
        ),
        # A median leaves single steps out: garbage that waits, a table that grows.
        "memory_kilobytes_a_trial": round(statistics.median(gained) / window / 1e3, 1),
    }


def measure_packing(trials: int) -> dict[str, Any]:
    """Measures how much longer than perfectly packed trials of 1 to 10 take."""
    workers = 4
    figures = run_noop(
        "seed=range(0,1000000)",
        f"hydra.sweeper.max_trials={trials}",
        "hydra.sweeper.isolation=none",
        f"hydra.sweeper.n_jobs={workers}",
        "hydra/launcher=joblib",
        "name=sleep",
    )
    perfect = sum(figures["launched"]) / workers
    return {
        "workers": workers,
        "seconds": round(figures["whole"], 2),
        "perfect_seconds": round(perfect, 2),
        "ratio": round(figures["whole"] / perfect, 4),
        "goal": 1.15,
    }


def measure_memory(trials: int) -> dict[str, Any]:
    """Measures the memory of the driver and of the one process of all trials."""
    command = [sys.executable, str(RUN), "-m", "hydra/sweeper=keras_tuner"]
    command += [
        "optimizer.lr=tag(log,interval(1e-5,1e-2))",
        f"hydra.sweeper.max_trials={trials}",
        f"hydra.sweeper.trials_per_process={trials}",
    ]
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [*command, *TINY],
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
        )
        samples: list[tuple[int, int]] = []
        ended = threading.Event()
        sampler = threading.Thread(
            target=_sample, args=(process.pid, samples, ended), daemon=True
        )
        sampler.start()
        begin = time.perf_counter()
        output, _ = process.communicate()
        seconds = time.perf_counter() - begin
        ended.set()
    if process.returncode:
        raise RuntimeError(output)
    # At its end the driver imports what draws the pictures, once.
    running = [pair for pair in samples if pair[1]]
    fifth = len(running) // 5
    driver, trial = ([pair[index] for pair in running] for index in (0, 1))
    return {
        "trials": trials,
        "seconds_a_trial": round(seconds / trials, 2),
        "driver_mb": round(max(driver) / 1e6, 1),
        "driver_growth": round(max(driver) / max(driver[:fifth]) - 1, 4),
        "driver_mb_with_pictures": round(max(own for own, _ in samples) / 1e6, 1),
        "trial_process_mb": round(max(trial) / 1e6, 1),
        "trial_process_growth": round(max(trial) / max(trial[:fifth]) - 1, 4),
        "trial_process_growth_mb_a_trial": round(
            (max(trial) - max(trial[:fifth])) / 1e6 / (0.8 * trials), 3
        ),
        "goal_growth": 0.05,
    }


def _sample(pid: int, samples: list[tuple[int, int]], ended: threading.Event) -> None:
    """Notes the memory of the driver and of its child, or 0, twice a second."""
    driver = psutil.Process(pid)
    while not ended.wait(0.5):
        try:
            children = [c.memory_info().rss for c in driver.children(recursive=True)]
            samples.append((driver.memory_info().rss, max(children, default=0)))
        except psutil.Error:
            continue


if __name__ == "__main__":
    sys.exit(main())
