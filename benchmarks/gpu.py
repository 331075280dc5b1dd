"""Images a second of a ResNet-50 on one GPU: the project on JAX, Keras, torchvision.

Needs JAX and PyTorch with CUDA, torchvision and this project's small dependencies.
TensorFlow may be absent, so images are random and the pipeline is not part of it.
"""

import argparse
import json
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import BENCHMARKS
from results import FOLDER, describe_machine

# Derived for an H200: its memory bandwidth over 341 MB an image with XLA-like fusion.
LIMIT = 10_970
BASELINE = "torchvision, bf16, channels-last, compiled"


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A script that trains on the GPU.

    Attributes:
        name: For tables.
        command: The script in this folder and its own arguments.
        goals: Smallest ratios of its images a second to the baseline's and the limit.
        batch_size: Where it is not that of all.
    """

    name: str
    command: list[str]
    goals: tuple[float, ...] = ()
    batch_size: int | None = None


CONTENDERS = (
    Contender(name="project", command=["gpu_keras.py", "project"], goals=(1.0, 0.55)),
    Contender(name=BASELINE, command=["gpu_torchvision.py"]),
    Contender(
        name="project, Keras' batch norm",
        command=[
            "gpu_keras.py",
            "project",
            "--overrides",
            "trainer.fused_batch_norm=false",
        ],
    ),
    Contender(
        name="project, images from host memory",
        command=["gpu_keras.py", "project", "--feed", "host"],
    ),
    Contender(
        name="keras.applications, model.fit",
        command=["gpu_keras.py", "applications"],
    ),
    *(
        Contender(
            name=f"project, batches of {size}",
            command=["gpu_keras.py", "project"],
            batch_size=size,
        )
        for size in (32, 512, 1024)
    ),
)


def main() -> int:
    """Runs the contenders one after the other and stores after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--steps", type=int, default=50, help="an epoch")
    parser.add_argument("--epochs", type=int, default=6, help="the first is left out")
    parser.add_argument(
        "--contenders", type=int, default=len(CONTENDERS), help="the first so many"
    )
    parser.add_argument("--output", type=Path, default=FOLDER / "gpu.json")
    options = parser.parse_args()
    settings = {
        name: getattr(options, name) for name in ("batch_size", "steps", "epochs")
    }
    result = {
        **describe_machine(),
        "settings": settings,
        "limit": LIMIT,
        "baseline": BASELINE,
        "contenders": {},
    }
    for contender in CONTENDERS[: options.contenders]:
        batch_size = contender.batch_size or options.batch_size
        figures = run(contender, {**settings, "batch_size": batch_size})
        result["machine"]["gpu"] = figures.pop("device")
        result["versions"] |= figures.pop("versions")
        result["contenders"][contender.name] = {
            **figures,
            "batch_size": batch_size,
            "goals": contender.goals,
        }
        options.output.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
        middle = statistics.median(figures["images_per_second"])
        print(f"{contender.name:<48}{middle:9.0f} images/s", flush=True)
    return 0


def run(contender: Contender, settings: dict[str, int]) -> dict[str, Any]:
    """Runs a contender in a fresh process and returns what it measured."""
    script, *own = contender.command
    arguments = [
        f"--{name.replace('_', '-')}={value}" for name, value in settings.items()
    ]
    process = subprocess.run(
        [sys.executable, str(BENCHMARKS / script), *own, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        output = (process.stdout + process.stderr)[-4000:]
        raise RuntimeError(f"{contender.name!r} failed. It printed:\n{output}")
    figures: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return figures


if __name__ == "__main__":
    sys.exit(main())
