"""What it costs to add a thing: the files that `CONTRIBUTING.md` names, and no other.

A copy of the project gets one of each kind. Its own tests have to take them, and its
command has to run them.
"""

import filecmp
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

COPIED = ("conf", "docs", "examples", "src", "tests")
ALONE = ("CHANGELOG.md", "CONTRIBUTING.md", "README.md", "pyproject.toml", "run.py")
# Kind -> file -> content; of the dataclass, what is added to its module.
OPTIMIZER = {
    "conf/optimizer/adam_short.yaml": """\
# Adam that forgets sooner how large gradients were.
defaults: [adam, _self_]
beta_2: 0.99
"""
}
MODEL = {
    "conf/model/resnet26.yaml": """\
# Two bottleneck blocks a stage: between resnet18 and resnet34.
defaults: [resnet, _self_]
depth: null
block: bottleneck
blocks: [2, 2, 2, 2]
"""
}
EXPERIMENT = {
    "conf/experiment/quick_look.yaml": """\
# @package _global_
# Purpose: does it learn at all?
# Command: python run.py experiment=quick_look
# Expected: validation accuracy 0.9 after two epochs.
# Source: none.
defaults:
  - override /model: resnet18

trainer:
  epochs: 2
"""
}
SCHEMA = "src/experiments/config/schema/datasets/dataset.py"
DATASET = {
    "src/experiments/data/datasets/stripes.py": '''\
"""Stripes that lie or stand."""

from typing import Unpack

import numpy as np

from experiments.data.dataset import Dataset
from experiments.data.datasets.array_dataset import ArrayOptions, split_arrays


def make_stripes(*, images: int, **options: Unpack[ArrayOptions]) -> Dataset:
    """Makes images of stripes; see `ArrayOptions` for the other arguments."""
    labels = np.arange(images, dtype=np.int32) % 2
    lying = np.repeat(np.arange(8) % 2 * 255, 8).reshape(8, 8).astype(np.uint8)
    pixels = np.where(labels[:, None, None] == 0, lying, lying.T)[..., None]
    names = ["lying", "standing"]
    return split_arrays(pixels, labels, name="stripes", class_names=names, **options)
''',
    SCHEMA: '''

@dataclass(frozen=True, kw_only=True)
class StripesConfig(CommonDatasetConfig):
    """Stripes that lie or stand.

    Attributes:
        images: How many, over all splits.
        test_fraction: Share of the test split.
    """

    images: int = setting(ge=20, most=10**6)
    test_fraction: float = setting(gt=0, lt=1)


DATASETS["experiments.data.datasets.stripes.make_stripes"] = StripesConfig
''',
    "conf/dataset/stripes.yaml": """\
# Stripes that lie or stand: 8 x 8 pixels, two classes.
defaults: [parts/common@_here_, _self_]
_target_: experiments.data.datasets.stripes.make_stripes
images: 200
validation_fraction: 0.2
test_fraction: 0.2
""",
    "tests/data/datasets/test_stripes.py": """\
from experiments.data.datasets.stripes import make_stripes


def test_stripes_lie_or_stand():
    data = make_stripes(
        images=20,
        image_size=None,
        mean=None,
        std=None,
        validation_fraction=0.2,
        test_fraction=0.2,
        split_seed=0,
        cache="auto",
        decode_threads=None,
    )
    assert data.class_names == ("lying", "standing")
""",
}
TASK = {
    "src/experiments/tasks/count_keys.py": '''\
"""Counts what a config says."""

from experiments.jobs.job import Job, JobResult


def count_keys(job: Job) -> JobResult:
    """Counts the groups and keys at the top of a job's config."""
    number = float(len(job.resolved))
    print(f"{number:g} keys")
    return JobResult(
        name=job.name,
        status="FINISHED",
        objective=number,
        metrics={"keys": number},
        output_dir=str(job.output_dir),
    )
''',
    "conf/task/count_keys.yaml": """\
# Counts what a config says.
_target_: experiments.tasks.count_keys.count_keys
""",
    "tests/tasks/test_count_keys.py": """\
from experiments.jobs.job import Job
from experiments.tasks.count_keys import count_keys


def test_every_key_counts(check, tmp_path):
    from omegaconf import OmegaConf

    resolved = OmegaConf.to_container(check("task=count_keys").config, resolve=True)
    job = Job(resolved=resolved, output_dir=tmp_path, name="count")
    assert count_keys(job).metrics == {"keys": len(resolved)}
""",
}
KINDS = {
    "a Keras optimizer": OPTIMIZER,
    "a depth or variant of a residual network": MODEL,
    "an experiment, a search space": EXPERIMENT,
    "a data set": DATASET,
    "a task": TASK,
}
NAMES = ("adam_short", "resnet26", "quick_look", "stripes", "count_keys")
# Of the project's own tests those that look at a group as a whole.
OVERALL = (
    "tests/conf/test_options.py",
    "tests/config/code/test_authority.py",
    "tests/config/schema",
    "tests/docs/test_architecture.py",
    "tests/docs/test_pages.py",
)

pytestmark = pytest.mark.timeout(600)  # for the processes, on a busy machine


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with one more of each kind."""
    folder = tmp_path_factory.mktemp("copy") / "project"
    for name in COPIED:
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in ALONE:
        shutil.copy2(ROOT / name, folder / name)
    for files in KINDS.values():
        for name, content in files.items():
            with (folder / name).open("a", encoding="utf-8") as file:
                file.write(content)
    return folder


def run(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(copy / "src"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "XDG_CACHE_HOME": str(copy.parent / "cache"),
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
    )


def list_files(folder: Path) -> set[str]:
    found = (path for name in COPIED for path in (folder / name).rglob("*"))
    files = {path for path in found if path.is_file() and path.suffix != ".pyc"}
    return {str(path.relative_to(folder)) for path in files}


def test_a_thing_costs_the_files_that_the_page_names(copy: Path) -> None:
    new = list_files(copy) - list_files(ROOT)
    edited = {
        name
        for name in list_files(ROOT) & list_files(copy)
        if not filecmp.cmp(ROOT / name, copy / name, shallow=False)
    }
    assert new | edited == {name for files in KINDS.values() for name in files}
    assert edited == {SCHEMA}


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_names_these_files(kind: str) -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text()
    (row,) = re.findall(rf"^\| {kind} \| (.*) \|$", page, re.MULTILINE)
    told = set(re.findall(r"`([\w/.]+)`", row))
    (name,) = {match for match in NAMES for path in KINDS[kind] if match in path}
    paths = {path.removeprefix("src/experiments/") for path in KINDS[kind]}
    assert told == {path.replace(name, "NAME") for path in paths}


def test_the_tests_of_the_project_take_them(copy: Path) -> None:
    own = [name for files in KINDS.values() for name in files if "/test_" in name]
    selected = " or ".join(
        [*NAMES, "group", "contract", "picture", "room", "rate", "depth"]
    )
    result = run(
        copy,
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", selected),
        *(*OVERALL, *own),
    )
    assert result.returncode == 0, result.stdout
    passed = re.search(r"(\d+) passed", result.stdout)
    assert passed is not None
    assert int(passed[1]) > 30


def test_optimizer_and_data_set_are_trained_with(copy: Path) -> None:
    result = run(
        copy,
        *(
            "run.py",
            "optimizer=adam_short",
            "dataset=stripes",
            "model=resnet20_cifar",
        ),
        *("trainer.epochs=1", "schedule.warmup_epochs=0", "tracking=off", "gpu=cpu"),
        *("task.picture_grid=false", "callbacks.checkpoint=null"),
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "experiment  resnet20_cifar on stripes" in result.stdout
    assert "stripes: 120 train, 40 validation, 40 test images" in result.stdout
    assert "epoch 1/1" in result.stdout


def test_keys_of_the_yaml_file_are_checked(copy: Path) -> None:
    for key, message in (
        (
            "optimizer=adam_short optimizer.beta1=0.8",
            "Did you mean `optimizer.beta_1=0.8`?",
        ),
        ("dataset=stripes dataset.images=3", "dataset.images must be an integer >= 20"),
        ("task=count_keys task.keys=3", "task.keys is not a key"),
    ):
        result = run(copy, "run.py", *key.split())
        assert result.returncode == 2, result.stdout
        assert message in result.stderr + result.stdout


def test_the_help_names_them(copy: Path) -> None:
    words = re.findall(r"\w+", run(copy, "run.py", "--help").stdout)
    assert {*NAMES} <= {*words}


def test_task_runs_and_leaves_its_result(copy: Path) -> None:
    result = run(copy, "run.py", "task=count_keys", "output_dir=counted")
    assert result.returncode == 0, result.stderr
    (file,) = (copy / "counted" / "runs").glob("*/result.json")
    metrics = json.loads(file.read_text())["metrics"]
    assert result.stdout.splitlines()[0] == f"{metrics['keys']:g} keys"
