"""Runs contenders in fresh processes, in turn, and compares what they took."""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BENCHMARKS = Path(__file__).resolve().parent
RUN = BENCHMARKS.parent / "run.py"
CONTROL_LIMIT = 0.05
# Settings of the caller's shell must not reach one contender and not the other.
_DROPPED = ("TF_", "KERAS_", "HYDRA_", "MLFLOW_", "XLA_", "OMP_", "PYTHON")


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A command that is measured.

    Attributes:
        name: For tables.
        command: Arguments of the Python interpreter; runs in a folder of its own.
        exit_code: What it must end with.
        control: Whether it is one of the two identical baselines.
        goal: Largest ratio to the baseline to reach; `None` where none is set.
    """

    name: str
    command: Sequence[str] = field(repr=False)
    exit_code: int = 0
    control: bool = False
    goal: float | None = None


@dataclass(frozen=True)
class Sample:
    """Seconds that one process, or a part of it, took."""

    wall: float
    cpu: float


# Turns a finished process, with the folder it ran in, into what counts of it.
Reader = Callable[[Contender, Path, Sample], Sample]


def run_in_turn(
    contenders: Sequence[Contender],
    *,
    rounds: int,
    warm_up: bool = True,
    read: Reader = lambda contender, folder, process: process,
) -> dict[str, list[Sample]]:
    """Runs every contender once a round: A B A B.

    Args:
        contenders: In the order of a round.
        rounds: Samples of each.
        warm_up: Begin with a round that does not count.
        read: Reads the sample from what the process left behind.
    """
    samples: dict[str, list[Sample]] = {c.name: [] for c in contenders}
    for number in range(0 if warm_up else 1, rounds + 1):
        for contender in contenders:
            with tempfile.TemporaryDirectory() as folder:
                process = run_process(contender, Path(folder))
                sample = read(contender, Path(folder), process)
            title = f"round {number}/{rounds}" if number else "warm-up"
            figures = f"{sample.wall:7.2f} s  CPU {sample.cpu:7.2f} s"
            print(f"{title:<12}{contender.name:<36}{figures}", flush=True)
            if number:
                samples[contender.name].append(sample)
    return samples


def run_process(contender: Contender, folder: Path) -> Sample:
    """Runs a contender to its end.

    Raises:
        RuntimeError: It ended with another exit code than it should.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_DROPPED)}
    environment = {**kept, "PYTHONPATH": str(BENCHMARKS), "CUDA_VISIBLE_DEVICES": "-1"}
    cpu, begin = _children_cpu(), time.perf_counter()
    process = subprocess.run(
        [sys.executable, *contender.command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    sample = Sample(time.perf_counter() - begin, _children_cpu() - cpu)
    if process.returncode != contender.exit_code:
        output = (process.stdout + process.stderr)[-4000:]
        raise RuntimeError(
            f"{contender.name!r} must end with {contender.exit_code}. Received: "
            f"{process.returncode}. It printed:\n{output}"
        )
    return sample


def compare(
    contenders: Sequence[Contender], samples: Mapping[str, Sequence[Sample]]
) -> dict[str, Any]:
    """Returns the figures of each contender beside the mean of both controls."""
    controls = [c.name for c in contenders if c.control]
    bases = [samples[name] for name in controls]
    differences = {kind: _difference(bases, kind) for kind in ("cpu", "wall")}
    rows = {}
    for contender in contenders:
        own = samples[contender.name]
        rows[contender.name] = {
            "wall": _summarise([s.wall for s in own]),
            "cpu": _summarise([s.cpu for s in own]),
        }
        if not contender.control:
            pairs = zip(own, *bases, strict=True)
            ratios = [a.wall / statistics.mean(b.wall for b in bs) for a, *bs in pairs]
            rows[contender.name]["ratio"] = {
                "wall_median": _ratio(statistics.median, own, bases, "wall"),
                "wall_min": _ratio(min, own, bases, "wall"),
                "cpu_median": _ratio(statistics.median, own, bases, "cpu"),
                "wall_spread": [round(min(ratios), 4), round(max(ratios), 4)],
                "goal": contender.goal,
            }
    return {
        "controls": controls,
        "control_difference": differences,
        "valid": differences["cpu"] <= CONTROL_LIMIT,
        "contenders": rows,
    }


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _summarise(values: Sequence[float]) -> dict[str, Any]:
    rounds = [round(value, 3) for value in values]
    return {
        "min": min(rounds),
        "median": round(statistics.median(rounds), 3),
        "rounds": rounds,
    }


def _difference(controls: Sequence[Sequence[Sample]], kind: str) -> float:
    medians = [statistics.median(getattr(s, kind) for s in own) for own in controls]
    return round(max(medians) / min(medians) - 1, 4)


def _ratio(
    statistic: Callable[..., float],
    own: Sequence[Sample],
    bases: Sequence[Sequence[Sample]],
    kind: str,
) -> float:
    value, *base = [
        statistic(getattr(s, kind) for s in group) for group in (own, *bases)
    ]
    return round(value / statistics.mean(base), 4)
