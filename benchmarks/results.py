"""What a benchmark leaves behind: figures, machine and versions, but no path."""

import contextlib
import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from experiments.tracking.surroundings.code_version import read_code_version
from experiments.tracking.surroundings.hardware import describe_hardware

FOLDER = Path(__file__).resolve().parent / "results"
PACKAGES = ("tensorflow", "tensorflow-cpu", "keras", "hydra-core", "mlflow", "numpy")


def describe_machine() -> dict[str, Any]:
    """Returns when, with which code and versions, and on what a benchmark runs."""
    hardware = describe_hardware()
    code = read_code_version(FOLDER.parent)
    load = os.getloadavg()
    if load[0] > 0.5 * (hardware.usable_threads or 1):
        print(f"This machine is busy (load {load[0]:.1f}): the controls may differ.")
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": code.commit and code.commit[:12],
        "machine": {
            "cpu": hardware.cpu,
            "threads": hardware.usable_threads,
            "memory_gb": hardware.memory_gb,
        },
        "versions": {
            "python": platform.python_version(),
            **_list_versions(),
        },
        "load_average_before": [round(value, 2) for value in load],
    }


def store(name: str, result: dict[str, Any]) -> int:
    """Shows a result and writes it if all of it is valid; returns the exit code."""
    result["load_average_after"] = [round(value, 2) for value in os.getloadavg()]
    for title, comparison in result["comparisons"].items():
        _show(title, comparison)
    if not all(c["valid"] for c in result["comparisons"].values()):
        print("\nVoid: nothing is stored. Repeat it on a quieter machine.")
        return 1
    return store_plain(name, result)


def store_plain(name: str, result: dict[str, Any]) -> int:
    """Writes a result that needs no controls; returns the exit code 0."""
    FOLDER.mkdir(exist_ok=True)
    text = json.dumps(result, indent=2)
    (FOLDER / f"{name}.json").write_text(f"{text}\n", "utf-8")
    print(f"\nStored as results/{name}.json. Next: python benchmarks/report.py")
    return 0


def load(name: str) -> dict[str, Any] | None:
    """Returns a stored result; `None` when there is none yet."""
    path = FOLDER / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


def _list_versions() -> dict[str, str]:
    versions = {}
    for name in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            versions[name] = version(name)
    return versions


def _show(title: str, comparison: dict[str, Any]) -> None:
    apart = comparison["control_difference"]
    print(
        f"\n{title}: controls differ by {apart['cpu']:.1%} in CPU, "
        f"{apart['wall']:.1%} in wall time"
    )
    if (losses := comparison.get("losses")) is not None:
        print(f"  losses differ by {losses['largest_difference']:.1e} at most")
    for name, figures in comparison["contenders"].items():
        ratio = figures.get("ratio")
        text = "baseline"
        if ratio is not None:
            low, high = ratio["wall_spread"]
            text = (
                f"{ratio['wall_median']:.3f} times (rounds {low:.3f} .. {high:.3f}, "
                f"minima {ratio['wall_min']:.3f}, CPU {ratio['cpu_median']:.3f})"
            )
        print(f"  {name:<32}{text}")
