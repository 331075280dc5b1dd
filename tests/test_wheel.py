"""The wheel as somebody has it who has no checkout: built, installed and used."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import CONF, ROOT

PIP = ["-m", "pip", "--disable-pip-version-check", "--quiet"]
BUILD = ["--no-build-isolation", "--no-deps"]
SHIPPED = (
    *("conf", "examples", "src"),
    *("MANIFEST.in", "README.md", "pyproject.toml", "setup.py"),
    *("run.py", "constraints.txt", "CHANGELOG.md", "Makefile"),
)
Run = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.timeout(1200)  # many processes, on a busy machine


def call(*words: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    # As of a shell in which nothing was started: no command has told its processes.
    own = {k: v for k, v in os.environ.items() if not k.startswith("EXPERIMENTS_")}
    environment = {**own, "PYTHONPATH": "", **variables}
    return subprocess.run(
        words, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the repository holds: a build leaves files beside it."""
    folder = tmp_path_factory.mktemp("source")
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "outputs")
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("wheel")
    words = [sys.executable, *PIP, "wheel", *BUILD, "-w", str(place), "."]
    done = call(*words, cwd=source)
    assert done.returncode == 0, done.stderr
    (wheel,) = place.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment with the wheel, which borrows the rest."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    (site,) = folder.glob("lib/python*/site-packages")
    borrowed = [path for path in sys.path if path.endswith("site-packages")]
    (site / "borrowed.pth").write_text("\n".join(borrowed))
    words = ["install", "--no-deps", "--ignore-installed", str(wheel)]
    python = str(folder / "bin" / "python")
    done = call(sys.executable, *PIP, "--python", python, *words, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "bin"


@pytest.fixture(scope="module")
def run(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a line of the shell where that environment is activated."""
    own = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "XDG_CONFIG_HOME": str(tmp_path_factory.mktemp("settings")),
    }

    def run(line: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return call("bash", "-c", line, cwd=cwd, **own)

    return run


def list_wheel(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as file:
        names = [name for name in file.namelist() if ".dist-info" not in name]
        return {name: file.read(name) for name in names}


def test_wheel_holds_the_configs_the_plugin_and_the_first_project(wheel: Path) -> None:
    files = list_wheel(wheel)
    for path in CONF.rglob("*.yaml"):
        name = f"experiments/conf/{path.relative_to(CONF)}"
        assert files[name] == path.read_bytes()
    assert "hydra_plugins/experiments_keras_tuner/sweeper.py" in files
    assert "hydra_plugins/experiments_grid/sweeper.py" in files
    assert "experiments/my_project/my_project/model.py" in files
    assert not [name for name in files if "__pycache__" in name or "/outputs/" in name]
    assert {name.partition("/")[0] for name in files} == {
        "experiments",
        "hydra_plugins",
    }


def test_source_distribution_builds_the_same_wheel(
    source: Path, wheel: Path, tmp_path: Path
) -> None:
    code = "from setuptools import build_meta as b; b.build_sdist('made')"
    done = call(sys.executable, "-c", code, cwd=source)
    assert done.returncode == 0, done.stderr
    (archive,) = (source / "made").glob("*.tar.gz")
    assert call("tar", "-xf", str(archive), cwd=tmp_path).returncode == 0
    (unpacked,) = (path for path in tmp_path.iterdir() if path.is_dir())
    words = [sys.executable, *PIP, "wheel", *BUILD, "-w", str(tmp_path), "."]
    done = call(*words, cwd=unpacked)
    assert done.returncode == 0, done.stderr
    (again,) = tmp_path.glob("*.whl")
    assert list_wheel(again) == list_wheel(wheel)


def test_command_works_in_any_folder(run: Run, tmp_path: Path) -> None:
    assert run("experiments --version", tmp_path).stdout.startswith("experiments ")
    page = run("experiments --help", tmp_path)
    assert page.returncode == 0, page.stderr
    assert "model: " in page.stdout
    assert "python run.py" not in page.stdout
    (tmp_path / "mine.py").write_text(
        "import experiments\n"
        "try: experiments.train(experiments.compose(['task=sync']))\n"
        "except experiments.ConfigError as error: print(error)\n"
    )
    shown = run("python mine.py", tmp_path).stdout
    assert "Type it in a shell: experiments task=..." in shown
    (tmp_path / "mine.py").unlink()
    refused = run("experiments model.dept=3", tmp_path)
    assert refused.returncode == 2
    assert "Did you mean `model.depth" in refused.stderr
    assert not list(tmp_path.iterdir())


def test_downloaded_folder_runs_no_code_unasked(run: Run, tmp_path: Path) -> None:
    assert run("experiments init flowers", tmp_path).returncode == 0
    stranger = tmp_path / "downloaded"
    shutil.copytree(tmp_path / "flowers", stranger)
    trap = f"open({str(tmp_path / 'trap')!r}, 'w').close()\n"
    for name in ("flowers/__init__.py", "json.py", "pickle.py", "numpy.py", "keras.py"):
        with (stranger / name).open("a") as file:
            file.write(trap)
    small = "model=resnet20_cifar debug=one_step gpu=cpu"
    refused = run("experiments experiment=first", stranger)
    assert refused.returncode == 2
    assert "type: experiments trust" in refused.stderr
    for words in (
        "--help",
        "--hydra-help",
        "--info searchpath",
        "--shell-completion query=bash",
        f"-m {small} seed=1,2 hydra/launcher=joblib",
        f"-m {small} hydra/sweeper=keras_tuner seed=1,2 hydra.sweeper.max_trials=1",
    ):
        done = run(f"experiments {words}", stranger)
        assert done.returncode == 0, done.stdout + done.stderr
    assert not (tmp_path / "trap").exists()
    assert run("experiments trust", stranger).returncode == 0
    run("experiments experiment=first debug=one_step", stranger)
    assert (tmp_path / "trap").exists()


@pytest.mark.slow
def test_every_command_of_a_first_project_works(run: Run, tmp_path: Path) -> None:
    assert run("experiments init flowers", tmp_path).returncode == 0
    folder = tmp_path / "flowers"
    (block,) = re.findall(
        r"```bash\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL
    )
    commands = [line.partition("  #")[0].strip() for line in block.splitlines()]
    assert len(commands) == 4
    for command in [*commands, "make run"]:
        done = run(command, folder)
        assert done.returncode == 0, done.stdout + done.stderr
        if "experiments" in shlex.split(command)[0]:
            assert "conf/ in this folder: " in done.stdout
    assert (
        "accuracy_gap"
        in run(
            "python -c \"import sqlite3; print(sqlite3.connect('outputs/mlflow.db')"
            ".execute('select distinct key from metrics').fetchall())\"",
            folder,
        ).stdout
    )
