"""Whatever is typed: the check answers with a sentence, and never with a traceback."""

import re
from pathlib import Path
from typing import Any

import pytest

from experiments.command import plan
from experiments.errors import ConfigError

SWEEP = ["seed=1,2"]
LONG = "x" * 300


@pytest.mark.parametrize(
    ("overrides", "message", "multirun"),
    [
        (
            ["model._target_=[]"],
            "model._target_ must begin with one of experiments, keras.optimizers, "
            "keras.callbacks. Received: '[]'.",
            False,
        ),
        (["callbacks.timing._target_={}"], "callbacks.timing._target_ must be", False),
        (["hydra/sweeper=null"], "hydra/sweeper must not be null in a sweep.", True),
        (["hydra.sweeper=null"], "hydra/sweeper must not be null in a sweep.", True),
        (["hydra.sweeper.params={seed:1}"], "hydra.sweeper.params is null", True),
        (
            ["hydra.job_logging.root.level=NOPE"],
            "hydra.job_logging.root.level must be one of CRITICAL, FATAL, ERROR, WARN",
            False,
        ),
        (["hydra/job_logging=null"], "hydra/job_logging must not be null. For", False),
        (["~hydra/job_logging"], "hydra/job_logging must not be null. For", False),
        (["hydra/hydra_logging=null"], "hydra/hydra_logging must not be null.", False),
        (
            ["hydra.job_logging.root.handlers=1e308"],
            "hydra.job_logging.root.handlers must be a list of names. Received: 1e+308",
            False,
        ),
        (
            ["hydra.job_logging.root.handlers=[[a]]"],
            "hydra.job_logging.root.handlers must be one of the handlers console, file",
            False,
        ),
        (
            ["hydra.job_logging.root.handlers=[nope]"],
            "hydra.job_logging.root.handlers must be one of the handlers console, file",
            False,
        ),
        (
            ["hydra.job_logging.handlers.file.formatter=x"],
            "hydra.job_logging.handlers.file.formatter must be one of the formatters",
            False,
        ),
        (["hydra.job_logging.root=5"], "hydra.job_logging.root must be a map", False),
        (
            ["hydra.output_subdir=../../x"],
            "hydra.output_subdir must be null or the name of one folder",
            False,
        ),
        (["hydra.output_subdir=/tmp"], "hydra.output_subdir must be null", False),
        (["name=${name}"], "name cannot be resolved: Recursive interpolation", False),
        (["name=${oc.env:NOPE}"], "name cannot be resolved: KeyError raised", False),
        (["name=${nope:1}"], "name cannot be resolved: Unsupported interp", False),
        (["seed=???"], "seed is missing. Set it: seed=...", False),
        (["optimizer.lr=nan"], "optimizer.lr must be a number > 0.", False),
        ([f"model={LONG}"], "model must be one of keras_application", False),
        (
            ["hydra/launcher=joblib", "hydra.launcher.n_jobs=100000000"],
            "hydra.launcher.n_jobs must be at most 1,024. Received: 100000000.",
            True,
        ),
    ],
)
def test_what_is_wrong_is_one_sentence_with_its_key(
    check: Any, overrides: list[str], message: str, multirun: bool
) -> None:
    with pytest.raises(ConfigError) as error:
        check(*overrides, *(SWEEP if multirun else []), multirun=multirun)
    assert str(error.value.problems[0]).startswith(message), str(error.value)
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: " + "[" * 3000, "The configuration is nested too deeply."),
        ("width: 1\n bad: [", "The configuration is no YAML in "),
        ("width: 1\n\tbad: 2", "line 3: a tab stands where only spaces may."),
        ("width: 1\n bad: 2", "line 3: its spaces do not fit the line above"),
        ("name\n  width: 1", "line 3: a : is missing, here or in the line above."),
        ('name: "abc', "line 2: a quote or bracket is not closed."),
        ("width: [1, 2", "a bracket is not closed."),
        (f"width: {'9' * 5000}", "The configuration holds a number of thousands of"),
        (
            f"width: 0x{'f' * 5000}",
            "model.width must be at most 1,000,000. Received: an",
        ),
        (b"width: \xff\xfe", "The configuration "),
        (b"\x00", "The configuration "),
    ],
)
def test_a_file_that_nobody_can_read_is_told(
    check: Any, tmp_path: Path, content: str | bytes, message: str
) -> None:
    (tmp_path / "model").mkdir()
    raw = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "model" / "own.yaml").write_bytes(b"defaults: [resnet18]\n" + raw)
    with pytest.raises(ConfigError) as error:
        check("model=own", extra_config_dir=tmp_path)
    assert re.search(message, str(error.value.problems[0])), str(error.value)


def test_a_folder_of_configs_may_have_no_impossible_name(check: Any) -> None:
    with pytest.raises(ConfigError, match="--config-dir must be a folder"):
        check(extra_config_dir=Path("x" * 5000))


def test_a_fault_of_the_program_is_no_problem_of_the_configuration(
    check: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise KeyError("odd")

    monkeypatch.setitem(fail.__globals__, "__name__", "experiments.config.odd")
    monkeypatch.setattr(plan, "find_clashes", fail)
    with pytest.raises(KeyError, match="odd"):
        check("seed=1")
