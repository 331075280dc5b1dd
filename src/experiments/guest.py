"""What a call in somebody's own process changes of it for a while, and gives back."""

import contextlib
import io
import logging
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from experiments.errors import ExperimentError
from experiments.randomness import keeping_randomness
from experiments.screen import RedactingFormatter, Screen, losing_lines
from experiments.speedups.gradients import keeping_models

_OWN = "experiments"
_LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_RUNNING = threading.Lock()


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Lets one training at a time run in this process: they share the framework.

    Raises:
        ExperimentError: Another thread is training.
    """
    if not _RUNNING.acquire(blocking=False):
        raise ExperimentError(
            "Another training runs in this process, in another thread. Wait for it, or "
            "start this one in a process of its own."
        )
    try:
        yield
    finally:
        _RUNNING.release()


@contextlib.contextmanager
def as_guest(*, forget: bool = False) -> Iterator[None]:
    """Gives back what a job sets for a whole process.

    That is precision, random numbers and the levels of logs. The seeds of Keras and
    TensorFlow, which nobody can read, stay those of the job.

    Args:
        forget: Free what the models of the block have left.
    """
    models = keeping_models(forget=forget)
    with undisturbed(), models, _keeping_precision():
        yield


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Gives back what imports change of a process: random numbers, levels of logs."""
    with keeping_randomness(), _keeping_levels():
        yield


@contextlib.contextmanager
def _keeping_levels() -> Iterator[None]:
    """Gives the levels of logs back: MLflow is kept quiet while a job uses it.

    A log that begins in the block keeps what its package made of it.
    """
    known = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    former = [(log, log.level) for log in known if isinstance(log, logging.Logger)]
    try:
        yield
    finally:
        for log, level in former:
            if log.level != level:  # to set one empties the caches of all
                log.setLevel(level)


@contextlib.contextmanager
def guarded_screen(*, quiet: bool = False) -> Iterator[None]:
    """Prints without secrets, or not at all; a notebook's streams come back.

    Args:
        quiet: Print nothing but warnings.
    """
    former = sys.stdout, sys.stderr
    output = io.StringIO() if quiet else _guard(sys.stdout)
    sys.stdout, sys.stderr = output, _guard(sys.stderr)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = former


@contextlib.contextmanager
def job_log(path: Path) -> Iterator[None]:
    """Writes the job's log; warnings are shown too, by the user's own log if any.

    What the user has set up gets what it would without a job, and no secrets.
    """
    root, own = logging.getLogger(), logging.getLogger(_OWN)
    level, shown = own.level, max(own.getEffectiveLevel(), logging.WARNING)
    with contextlib.ExitStack() as undo:
        for handler in root.handlers:
            undo.enter_context(_tamed(handler, shown))
        file = logging.FileHandler(path, encoding="utf-8")
        undo.callback(file.close)
        added: list[logging.Handler] = [file]
        file.setFormatter(RedactingFormatter(logging.Formatter(_LINE)))
        if not root.handlers:
            screen = logging.StreamHandler(sys.stderr)
            screen.setLevel(logging.WARNING)
            screen.setFormatter(
                RedactingFormatter(logging.Formatter("%(levelname)s: %(message)s"))
            )
            added.append(screen)
        for handler in added:
            root.addHandler(handler)
            undo.callback(root.removeHandler, handler)
        own.setLevel(logging.INFO)
        undo.callback(own.setLevel, level)
        with losing_lines():
            yield


@contextlib.contextmanager
def _tamed(handler: logging.Handler, level: int) -> Iterator[None]:
    """Lets a handler of the user's see no more of a job than before, and no secret."""

    def passes(record: logging.LogRecord) -> bool:
        is_own = record.name == _OWN or record.name.startswith(f"{_OWN}.")
        return record.levelno >= level or not is_own

    former = handler.formatter
    handler.setFormatter(RedactingFormatter(former or logging.Formatter()))
    handler.addFilter(passes)
    try:
        yield
    finally:
        handler.removeFilter(passes)
        handler.setFormatter(former)


def _guard(stream: Any) -> Any:
    return stream if isinstance(stream, Screen) else Screen(stream)


@contextlib.contextmanager
def _keeping_precision() -> Iterator[None]:
    """Gives Keras' global policy back as it was, or as Keras would have begun."""
    keras = sys.modules.get("keras")
    policy = None if keras is None else keras.config.dtype_policy()
    try:
        yield
    finally:
        keras = sys.modules.get("keras")
        if keras is not None:
            keras.config.set_dtype_policy(policy or keras.config.floatx())
