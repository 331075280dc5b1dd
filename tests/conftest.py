"""What several test folders share."""

import atexit
import functools
import gc
import inspect
import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from experiments.runtime.environment import prepare_environment
from tests.warm import run_to_the_end, share_config_files

ROOT = Path(__file__).resolve().parents[1]
CONF = ROOT / "conf"
# Jobs that run inside the tests' own process find what they would set themselves.
prepare_environment(gpu="cpu", backend="tensorflow", onednn="auto", deterministic=False)
# Networks as small as these take XLA longer to optimise than to compute.
os.environ["XLA_FLAGS"] = "--xla_backend_optimization_level=0"
# A run that takes longer under load records no more: its test asks for every metric.
os.environ["MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL"] = "3600"
# What is imported while tests are collected stays: no collection finds anything in it.
gc.disable()
atexit.register(gc.freeze)  # nor does the last one, when the interpreter ends
_INTERPRETER = str(ROOT / "tests" / "interpreter")  # for those that tests start
os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, [_INTERPRETER, os.environ.get("PYTHONPATH")])
)


def pytest_sessionstart() -> None:
    """Refuses to test what one machine's own configs would make of the project."""
    if (CONF / "local").exists():
        pytest.exit("conf/local/ takes part in every command: move it away.", 4)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts folders of many short modules last: all processes end at the same time."""
    short = [ROOT / "tests" / name for name in ("config", "command", "data")]
    items.sort(key=lambda item: any(map(item.path.is_relative_to, short)))


def pytest_collection_finish() -> None:
    """Turns the garbage collector on, for what the tests make."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keeps what the project remembers for its user out of the user's folders."""
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        os.environ[name] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session", autouse=True)
def _clean_checkout() -> Iterator[None]:
    """Fails where tests leave files behind: each writes into a folder of its own."""
    before = _list_checkout()
    yield
    left = _list_checkout() - before
    assert not left, f"The tests have left {sorted(left)} in {ROOT}."


def _list_checkout() -> set[str]:
    # What tools remember is hidden, and a person may be training beside the tests.
    return {p.name for p in ROOT.iterdir() if p.name[0] != "."} - {"outputs"}


@pytest.fixture(autouse=True)
def _no_job_of_hydra() -> Iterator[None]:
    """Forgets the job that Hydra ran in this process: its folder is not another's."""
    from hydra.core.hydra_config import HydraConfig

    yield
    HydraConfig.instance().cfg = None


@pytest.fixture(scope="module", autouse=True)
def _closed_databases() -> Iterator[None]:
    """Closes what MLflow keeps open of databases: a process has 1,024 files at most."""
    yield
    for name in ("tracking", "model_registry"):
        module = sys.modules.get(f"mlflow.store.{name}.sqlalchemy_store")
        for engine in module.SqlAlchemyStore._engine_map.values() if module else ():
            engine.dispose()


@pytest.fixture(scope="session", autouse=True)
def _config_files() -> Iterator[None]:
    """Reads each config file and merges each choice once for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        share_config_files(patch.setattr)
        yield


@pytest.fixture(scope="session", autouse=True)
def _compositions() -> Iterator[None]:
    """Lets Hydra compose the same of this repository's configs once for all tests."""
    from hydra._internal.config_loader_impl import ConfigLoaderImpl

    known: dict[str, bytes] = {}
    plain = ConfigLoaderImpl.load_configuration

    @functools.wraps(plain)
    def load_configuration(self: Any, *given: Any, **named: Any) -> Any:
        sources = [place.path for place in self.config_search_path.get_path()]
        key = repr((Path.cwd(), sources, given, sorted(named.items())))
        if not any(path.endswith(str(CONF)) for path in sources):  # a test's own
            return plain(self, *given, **named)
        if key not in known:
            known[key] = pickle.dumps(plain(self, *given, **named))
        return pickle.loads(known[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ConfigLoaderImpl, "load_configuration", load_configuration)
        yield


@pytest.fixture
def unshared_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets each command read and merge for itself, as it does outside of tests."""
    from experiments.command.composing.loader import Loader, ReadOnce

    for kind in (Loader, ReadOnce):
        monkeypatch.setattr(kind, "__init__", inspect.unwrap(kind.__init__))


@pytest.fixture
def run_job(run_job_in: Any, tmp_path: Path) -> Any:
    """Runs one training job in this process, as `run.py` would, or goes on with one."""
    return functools.partial(run_job_in, tmp_path / "outputs")


@pytest.fixture(scope="session")
def run_job_in(check: Any) -> Any:
    """Runs one training job, likewise, with an output folder of one's choice."""
    from omegaconf import OmegaConf

    from experiments.command.composing.overlay import find_links
    from experiments.jobs.folder import choose_folder
    from experiments.jobs.job import Job
    from experiments.tasks.train import train

    def run(outputs: Path, *overrides: str, folder: Path | None = None) -> Any:
        plan = check(*overrides, f"output_dir={outputs}")
        folder = folder or choose_folder(plan.folder, fresh=True)
        folder.mkdir(parents=True, exist_ok=True)
        chosen = [o.partition("=") for o in overrides if "." not in o]
        choices = {group: name for group, _, name in chosen if (CONF / group).is_dir()}
        job = Job(
            resolved=OmegaConf.to_container(plan.config, resolve=True),
            output_dir=folder,
            overrides=overrides,
            name="test",
            choices=choices,
            links=find_links(plan.config),
        )
        return train(job)

    return run


@pytest.fixture
def own_log() -> Iterator[None]:
    """Takes back how Hydra sets up the log in this process, and closes its files."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    for handler in [reference() for reference in logging._handlerList]:
        if isinstance(handler, logging.FileHandler):
            handler.close()
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.fixture
def compose() -> Iterator[Any]:
    """Composes and validates overrides, as a job does."""
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir

    from experiments.config.validation import validate

    with initialize_config_dir(str(CONF), version_base="1.3"):
        yield lambda *overrides: validate(hydra_compose("config", list(overrides)))


@pytest.fixture(scope="session")
def check() -> Any:
    """Checks a command line, as `run.py` does before anything starts."""
    from experiments.command.plan import check_command_line

    def check(*overrides: str, **options: Any) -> Any:
        return check_command_line(overrides, config_dir=CONF, **options)

    return check


@pytest.fixture
def run_command(tmp_path: Path) -> Any:
    """Runs `run.py` as a process in a folder of its own; `cold` imports everything."""

    def run(
        *arguments: str, timeout: float = 240, cold: bool = False
    ) -> subprocess.CompletedProcess[str]:
        args = [sys.executable, str(ROOT / "run.py"), *arguments]
        return run_to_the_end(args, cold=cold, timeout=timeout, cwd=tmp_path)

    return run


@pytest.fixture
def eager(request: pytest.FixtureRequest) -> Iterator[None]:
    """Lets the functions of TensorFlow run as they are written, unless given False."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(getattr(request, "param", True))
    yield
    tf.config.run_functions_eagerly(False)
