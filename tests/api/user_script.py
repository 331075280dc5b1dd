"""What a user may write; a test checks its types as strictly as mypy can."""

from pathlib import Path

import experiments


def compare(rates: list[float]) -> dict[float, float]:
    """Trains once a rate and returns the best validation accuracies."""
    found: dict[float, float] = {}
    config = experiments.compose(["model=resnet18"], config_dir=Path("my_conf"))
    for rate in rates:
        result = experiments.train(config.with_overrides([f"optimizer.lr={rate}"]))
        found[rate] = result.metrics["best_val_accuracy"]
    return found


def mistakes(overrides: list[str]) -> list[str]:
    """Returns the keys that are wrong."""
    return [problem.key for problem in experiments.check(overrides, multirun=True)]


def depth(run_id: str) -> float:
    """Returns a key of a recorded config."""
    run: experiments.Run = experiments.load_run(run_id, output_dir="outputs")
    return run.config.optimizer.lr


class Patience:
    """A callback's memory."""

    def get_state(self) -> dict[str, float]:
        """Returns it."""
        return {"waited": 1.0}

    def set_state(self, state: dict[str, float]) -> None:
        """Takes it up."""


remembering: experiments.StatefulCallback = Patience()
try:
    experiments.build_model(experiments.compose())
except experiments.ConfigError as error:
    print(error.problems[0].hint)
