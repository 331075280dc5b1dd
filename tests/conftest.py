"""What several test folders share."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
CONF = ROOT / "conf"


@pytest.fixture
def compose() -> Iterator[Any]:
    """Composes and validates overrides, as a job does."""
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir

    from experiments.config.validation import validate

    with initialize_config_dir(str(CONF), version_base="1.3"):
        yield lambda *overrides: validate(hydra_compose("config", list(overrides)))


@pytest.fixture
def check() -> Any:
    """Checks a command line, as `run.py` does before anything starts."""
    from experiments.config.preflight import check_command_line

    def check(*overrides: str, **options: Any) -> Any:
        return check_command_line(overrides, config_dir=CONF, **options)

    return check


@pytest.fixture
def run_command(tmp_path: Path) -> Any:
    """Runs `run.py` as a process in a folder of its own."""

    def run(*arguments: str, timeout: float = 240) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(ROOT / "run.py"), *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run
