"""Runs many hostile command lines in one process, each up to where its job would run.

`python -m tests.hostile.process` reads `{"folder": ..., "lines": [[word, ...], ...]}`
and writes two lines of JSON for each: its number when it begins, and what became of it.
A job would run where the first of the heavy libraries is imported; that is where it
stops.
"""

import contextlib
import faulthandler
import gc
import io
import json
import logging
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.hostile.memory import peak_megabytes
from tests.warm import share_config_files

ROOT = Path(__file__).resolve().parents[2]
CPU_SECONDS = 10  # of one command
WALL_SECONDS = 60  # on a machine that does other things as well
_HEAVY = {
    *("tensorflow", "keras", "keras_tuner", "mlflow", "jax", "sklearn", "matplotlib"),
    *("plotly", "pandas", "torch", "scipy"),
}
# Of the project, what a job begins with.
_BEGINNINGS = {
    *(f"experiments.tasks.{name}" for name in ("train", "sync", "reproduce")),
    *(f"experiments.sweeps.{name}" for name in ("closing", "search_closing")),
}


@dataclass
class Outcome:
    """What became of one command line.

    Attributes:
        code: Exit code; `None` when the process broke.
        ran: Whether its job would have run.
        output: Its standard output.
        errors: Its standard error.
        crash: Traceback of what nobody caught, or why the process broke.
        seconds: CPU seconds.
        megabytes: The most memory that the process had until its end.
        violations: What the guard has seen.
        left: Texts that it wrote into files.
    """

    code: int | None = None
    ran: bool = False
    output: str = ""
    errors: str = ""
    crash: str = ""
    seconds: float = 0.0
    megabytes: float = 0.0
    violations: list[str] = field(default_factory=list)
    left: str = ""


class WouldRun(BaseException):
    """The framework is asked for: the job begins."""


class Hang(BaseException):
    """It takes too long."""


class _Border:
    """Finds none of the heavy libraries.

    Attributes:
        asked: Whether one was asked for: what comes after is the end of a job.
    """

    asked = False

    def find_spec(self, name: str, *_: Any) -> None:
        if name.partition(".")[0] in _HEAVY or name in _BEGINNINGS:
            self.asked = True
            raise WouldRun(name)


_BORDER = _Border()


def _serve() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    request = json.loads(sys.stdin.buffer.read().decode("utf-8", "surrogatepass"))
    folder = Path(request["folder"])
    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.enable(file=sys.__stderr__)
    guard = _prepare(folder)
    # In the end everything that `hydra` and `omegaconf` import late is there.
    if request["code"] is None:
        run_line([], folder, guard)
    for number, line in enumerate(request["lines"]):
        answers.write(json.dumps({"begins": number}) + "\n")
        faulthandler.dump_traceback_later(WALL_SECONDS + 30, exit=True)
        outcome = run_line(line, folder, guard, request["code"])
        faulthandler.cancel_dump_traceback_later()
        answers.write(json.dumps({"number": number, **asdict(outcome)}) + "\n")


def _prepare(folder: Path) -> Any:
    """Makes this process what a new one is when it reads `run.py`."""
    sys.path[:0] = [str(ROOT)]
    # What every command needs is imported before the guard watches.
    from experiments import launch
    from experiments.jobs import running
    from tests.hostile.guard import Guard

    assert running.run_job is not launch.main
    share_config_files(setattr)
    sys.meta_path.insert(0, _BORDER)  # type: ignore[arg-type]
    sys.dont_write_bytecode = True
    os.environ["HOME"] = str(folder / "home")
    os.environ["XDG_CACHE_HOME"] = str(folder / "home" / ".cache")
    os.environ["HOSTILE"] = "from the environment"
    places = [Path(place) for place in (sys.prefix, sys.base_prefix, ROOT)]
    guard = Guard(folder, folder / "canary", [*places, *map(Path, sys.path[1:])])
    guard.install()
    gc.freeze()
    return guard


def run_line(
    line: Sequence[str], folder: Path, guard: Any, code: str | None = None
) -> Outcome:
    """Runs one command line in a folder of its own, or some code instead."""
    outcome = Outcome()
    _BORDER.asked = False
    guard.violations = outcome.violations
    guard.typed = " ".join(line)
    begin = time.process_time()
    with _own_place(folder) as place, _own_state(), _captured(outcome):
        guard.on = True
        try:
            outcome.code = _call(line, code)
        except WouldRun:
            pass
        except SystemExit as end:
            outcome.code = (
                end.code if isinstance(end.code, int) else int(bool(end.code))
            )
            if isinstance(end.code, str):
                print(end.code, file=sys.stderr)
        except Hang:
            outcome.crash = "hangs\n" + traceback.format_exc(limit=-12)
        except BaseException:
            outcome.crash = traceback.format_exc(limit=-30)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
            guard.on = False
        outcome.left = _read_all(place)
    if _BORDER.asked:
        outcome = Outcome(0, ran=True, violations=outcome.violations, left=outcome.left)
    outcome.seconds = time.process_time() - begin
    outcome.megabytes = peak_megabytes()
    return outcome


def _call(line: Sequence[str], code: str | None) -> int:
    from experiments import launch
    from experiments.jobs import running

    sys.argv = [str(ROOT / "run.py"), *line]
    sys.orig_argv = [sys.executable, *sys.argv]
    for timer, number, seconds in (
        (signal.ITIMER_PROF, signal.SIGPROF, CPU_SECONDS),
        (signal.ITIMER_REAL, signal.SIGALRM, WALL_SECONDS),
    ):
        signal.signal(number, _stop)
        signal.setitimer(timer, seconds)
    if code is not None:
        exec(code, {**globals(), "socket": socket, "subprocess": subprocess})
        return 0
    return launch.main(running.run_job, config_path=str(ROOT / "conf"))


def _stop(*_: Any) -> None:
    raise Hang


@contextlib.contextmanager
def _own_place(folder: Path) -> Iterator[Path]:
    place = folder / "work"
    if place.exists():  # of a process that broke
        shutil.rmtree(place)
    place.mkdir()
    for name in ("given", "shared"):
        (place / name).symlink_to(folder / name)
    os.chdir(place)
    try:
        yield place
    finally:
        os.chdir(folder)
        os.umask(0o022)
        shutil.rmtree(place)


@contextlib.contextmanager
def _own_state() -> Iterator[None]:
    """Takes back what a command changes in its process."""
    environment, path = dict(os.environ), list(sys.path)
    root = logging.getLogger()
    level, handlers, disabled = root.level, list(root.handlers), root.manager.disable
    signals = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        with warnings.catch_warnings():
            yield
    finally:
        os.environ.clear()
        os.environ.update(environment)
        sys.path[:] = path
        for reference in list(logging._handlerList):  # type: ignore[attr-defined]
            handler = reference()
            if isinstance(handler, logging.FileHandler):
                handler.close()
        root.setLevel(level)
        root.handlers[:] = handlers
        logging.disable(disabled)
        for number, former in signals.items():
            signal.signal(number, former)


@contextlib.contextmanager
def _captured(outcome: Outcome) -> Iterator[None]:
    """Catches both streams, which refuse what those of a process would refuse."""
    former = sys.stdout, sys.stderr
    sys.stdout = io.TextIOWrapper(io.BytesIO(), "utf-8", "strict")
    sys.stderr = io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace")
    try:
        yield
    finally:
        for name, stream in (("output", sys.stdout), ("errors", sys.stderr)):
            stream.flush()
            text = stream.buffer.getvalue().decode("utf-8", "replace")  # type: ignore[attr-defined]
            setattr(outcome, name, text[:20000])
        sys.stdout, sys.stderr = former


def _read_all(place: Path) -> str:
    """Returns what a command wrote, names included."""
    paths = [path for path in place.rglob("*") if "given" not in path.parts]
    texts = [path.read_text("utf-8", "replace") for path in paths if path.is_file()]
    names = [str(path.relative_to(place)) for path in paths]
    return "\n".join([*names, *texts])[:50000]


if __name__ == "__main__":
    _serve()
