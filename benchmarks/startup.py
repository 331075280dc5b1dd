"""How soon the project answers and trains, beside a bare Hydra and Keras script."""

import argparse
import sys
import tempfile
from pathlib import Path

from measure import BENCHMARKS, RUN, Contender, compare, run_in_turn
from results import describe_machine, store

HYDRA_APPLICATION = """\
import hydra

@hydra.main(version_base="1.3", config_path=None)
def run(config):
    print(config)

run()
"""
STOPWATCH = (
    "allowed_targets=[experiments,keras.optimizers,keras.callbacks,stopwatch]",
    "+callbacks.stopwatch._target_=stopwatch.ExitAfterFirstStep",
)

# A neighbour's minute voids one comparison; measuring the other again takes longer.
ATTEMPTS = 3


def main() -> int:
    """Measures both comparisons and stores them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="of first steps")
    parser.add_argument("--quick-rounds", type=int, default=15, help="of --help")
    parser.add_argument("--depth", type=int, default=50, choices=(18, 34, 50, 101))
    parser.add_argument("--image-size", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--mlflow", action="store_true", help="a script with it, too")
    options = parser.parse_args()
    result = {**describe_machine(), "settings": vars(options), "comparisons": {}}
    with tempfile.TemporaryDirectory() as folder:
        application = Path(folder, "application.py")
        application.write_text(HYDRA_APPLICATION, "utf-8")
        for title, contenders, rounds in (
            ("command line", list_answers(application), options.quick_rounds),
            ("first training step", list_first_steps(options), options.rounds),
        ):
            for _ in range(ATTEMPTS):
                samples = run_in_turn(contenders, rounds=rounds)
                comparison = compare(contenders, samples)
                if comparison["valid"]:
                    break
            result["comparisons"][title] = comparison
    return store("startup", result)


def list_answers(application: Path) -> list[Contender]:
    """Returns what answers at once: the project, and a bare Hydra application."""
    run, bare = str(RUN), [str(application), "--help"]
    return [
        Contender(name="bare Hydra application --help", command=bare, control=True),
        Contender(name="run.py --help", command=[run, "--help"], goal=1.2),
        Contender(name="run.py --cfg job", command=[run, "--cfg", "job"], goal=1.2),
        Contender(name="the same again", command=bare, control=True),
        Contender(
            name="run.py with a config error",
            command=[run, "optimizer.learning_rate=1", "trainer.epochs=-1"],
            exit_code=2,
            goal=1.2,
        ),
    ]


def list_first_steps(options: argparse.Namespace) -> list[Contender]:
    """Returns what trains: the default job, and scripts with Keras' defaults."""
    script = [
        str(BENCHMARKS / "bare_first_step.py"),
        f"--depth={options.depth}",
        f"--image-size={options.image_size}",
        f"--batch-size={options.batch_size}",
    ]
    project = [
        str(RUN),
        *STOPWATCH,
        "gpu=cpu",
        f"model=resnet{options.depth}",
        f"dataset.image_size={options.image_size}",
        f"trainer.batch_size={options.batch_size}",
    ]
    contenders = [
        Contender(name="bare Keras script", command=script, control=True),
        Contender(name="run.py, with tracking", command=project, goal=0.65),
        Contender(name="the same script again", command=script, control=True),
    ]
    if options.mlflow:
        command = [*script, "--mlflow"]
        contenders.append(Contender(name="bare script with MLflow", command=command))
    return contenders


if __name__ == "__main__":
    sys.exit(main())
