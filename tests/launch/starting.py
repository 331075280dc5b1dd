"""Starts `run.py` in this process, with jobs that do little."""

import sys
from collections.abc import Callable
from typing import Any

import pytest
from omegaconf import DictConfig

from experiments import launch
from experiments.errors import ConfigError, Problem
from tests.conftest import CONF

WRONG = ConfigError([Problem("seed", "is missing.")])


def start(run: Callable[[DictConfig], Any], *arguments: str) -> int:
    sys.argv = ["run.py", *arguments]
    return launch.main(run, config_path=str(CONF))


def refuse_to_run(_: Any) -> None:
    pytest.fail("nothing may run")


def do_nothing(_: Any) -> None:
    """A job that leaves no result."""


def raising(error: BaseException) -> Callable[..., Any]:
    def run(*_: Any, **__: Any) -> None:
        raise error

    return run
