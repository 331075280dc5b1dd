"""A training of ten steps by the real command, whose result is known."""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments import job_files
from experiments.config.code.programs import command_words
from experiments.doctor.finding import Finding

# Mean loss of ten steps, by backend: their random numbers differ. Measured on a CPU;
# other kernels add up in another order, which ten steps make no more than a hundredth.
KNOWN_LOSS: Mapping[str, float] = {"tensorflow": 2.7413, "jax": 4.3375}
_TOLERANCE = 0.02
_STEPS = 10
_MOST_SECONDS = 600
_WORDS = (
    "task=train",
    "model=resnet20_cifar",
    "dataset=synthetic",
    "augment=none",
    "optimizer=sgd",
    "optimizer.lr=0.001",
    "schedule=constant",
    "callbacks=terminate_on_nan",
    "tracking=off",
    "seed=0",
    "trainer.epochs=1",
    "trainer.batch_size=32",
    f"trainer.max_steps_per_epoch={_STEPS}",
    "trainer.precision=float32",
    "trainer.progress=plain",
    "task.evaluate_test=false",
    "task.picture_grid=false",
    "task.predictions=none",
)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What a training of ten steps gave.

    Attributes:
        loss: Its mean; `None` where it failed.
        state_sha256: Hash of its weights.
        rate: Images a second, as it was printed.
        output: What it printed last, where it failed.
    """

    loss: float | None
    state_sha256: str | None = None
    rate: str = ""
    output: str = ""


def train_ten_steps(
    words: Sequence[str], environment: Mapping[str, str], folder: Path
) -> Trial:
    """Runs the command in a process of its own, which leaves nothing.

    Args:
        words: Beside the training's own: the device and the backend.
        environment: Of the process.
        folder: Where it is typed.
    """
    try:
        return _train_in_temporary(words, environment, folder)
    except subprocess.TimeoutExpired:
        told = f"they take more than {_MOST_SECONDS} s, which is no way to train"
        return Trial(loss=None, output=told)
    except OSError as error:  # such as a disk on which nothing can be begun
        return Trial(loss=None, output=str(error))


def _train_in_temporary(
    words: Sequence[str], environment: Mapping[str, str], folder: Path
) -> Trial:
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run(
            [*command_words(), *_WORDS, *words, f"output_dir={place}"],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_MOST_SECONDS,
        )
        printed = (done.stdout + done.stderr).strip()
        results = sorted(Path(place).rglob(job_files.RESULT))
        if done.returncode or not results:
            return Trial(loss=None, output=printed.splitlines()[-1] if printed else "")
        result: dict[str, Any] = json.loads(results[0].read_text())
    rates = list(_list_rates(done.stdout))
    return Trial(
        loss=result["metrics"].get("best_train_loss"),
        state_sha256=result.get("state_sha256"),
        rate=rates[-1] if rates else "",
    )


def judge_loss(trial: Trial, backend: str) -> Finding:
    """Holds a loss against the known one."""
    known = KNOWN_LOSS[backend]
    what = "training"
    if trial.loss is None:
        told = f"ten steps failed: {trial.output}"
        advice = "Mend what it tells; the lines above may say why."
        return Finding(level="error", what=what, told=told, advice=advice)
    told = f"ten steps, loss {trial.loss:.4f}, known {known:.4f}"
    if abs(trial.loss - known) <= _TOLERANCE * known:
        return Finding(level="ok", what=what, told=told)
    advice = (
        "This machine computes something else: look at the versions above, and try "
        "trainer.onednn=false and gpu=cpu."
    )
    return Finding(level="error", what=what, told=told, advice=advice)


def judge_determinism(first: Trial, second: Trial) -> Finding:
    """Holds two trainings with one seed against each other, to the bit."""
    what = "determinism"
    if first.state_sha256 is None or second.state_sha256 is None:
        told = "not known: a training failed"
        return Finding(level="error", what=what, told=told)
    if first.state_sha256 == second.state_sha256:
        told = "two trainings give the same bits"
        return Finding(level="ok", what=what, told=told)
    advice = "trainer.deterministic=true gives the same bits, and is slower on a GPU."
    told = "two trainings with one seed differ"
    return Finding(level="warning", what=what, told=told, advice=advice)


def _list_rates(output: str) -> Iterator[str]:
    """Yields `589 images/s` of each epoch line."""
    for line in output.splitlines():
        words = line.split()
        if "images/s" in words:
            yield f"{words[words.index('images/s') - 1]} images/s"
