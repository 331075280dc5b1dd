import shlex
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from experiments.config.code import extras
from experiments.errors import ConfigError
from tests.conftest import ROOT

# Import name -> what brings it, as the extra names it.
BROUGHT_BY = {
    "ai_edge_litert": "ai-edge-litert>",
    "onnxruntime": "onnxruntime>",
    "tf2onnx": "tf2onnx>",
    "cleanlab": "cleanlab>",
    "imagehash": "ImageHash>",
    "datasets": "datasets>",
    "tensorflow_datasets": "tensorflow-datasets>",
    "array_record": "array_record>",
    "jax": "jax>",
    "psycopg": "psycopg[binary]>",
    "jax_plugins.xla_cuda12": "jax[cuda12]",
    "nvidia": "tensorflow[and-cuda]",
    "hydra_plugins.hydra_ray_launcher": "hydra-ray-launcher",
    "hydra_plugins.hydra_submitit_launcher": "hydra-submitit-launcher",
}


@pytest.mark.parametrize("package", extras.EXTRAS)
def test_extra_of_a_package_brings_it(package: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extra = extras.EXTRAS[package]
    requirements = project["optional-dependencies"][extra]
    assert any(r.startswith(BROUGHT_BY[package]) for r in requirements)
    told = [*BROUGHT_BY.values(), "nvidia-ml-py"]  # what GPUs do
    assert all(any(map(r.startswith, told)) for r in requirements)
    *start, pip, install, editable, place = shlex.split(extras.how_to_install(package))
    assert " ".join(start) == "To install it:"
    assert (Path(pip).name, install, editable) == ("pip", "install", "-e")
    assert place == f"{ROOT}[{extra}]"  # whichever folder it is typed in


def test_every_extra_that_a_run_may_need_is_in_the_table() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {*extras.EXTRAS.values(), "dev", "browser"} == {
        *project["optional-dependencies"]
    }


def test_packages_are_found_without_importing_them() -> None:
    assert extras.is_installed("hydra_plugins.experiments_keras_tuner")
    assert extras.is_installed("this")
    assert "this" not in sys.modules
    assert not extras.is_installed("absent_package")
    assert not extras.is_installed("absent_package.part")


@pytest.fixture
def without_jax(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = extras.is_installed
    monkeypatch.setattr(extras, "is_installed", lambda p: p != "jax" and plain(p))


@pytest.mark.usefixtures("without_jax")
@pytest.mark.parametrize("options", [["backend=jax"], ["backend=tensorflow,jax"]])
def test_backend_that_is_not_installed_is_told_with_the_command(
    check: Any, options: list[str]
) -> None:
    with pytest.raises(ConfigError) as error:
        check(*options, multirun="," in options[0])
    told = (
        "backend cannot be jax: the package jax is not installed. "
        f"{extras.how_to_install('jax')}"
    )
    assert told in str(error.value)


@pytest.mark.usefixtures("without_jax")
def test_other_backend_needs_no_extra(check: Any) -> None:
    check("backend=tensorflow")


@pytest.mark.parametrize(
    ("launcher", "extra"),
    [("ray", "ray"), ("ray_aws", "ray"), ("submitit_slurm", "slurm"), ("basic", None)],
)
def test_launchers_name_their_extra(launcher: str, extra: str | None) -> None:
    command = extras.how_to_get_launcher(launcher)
    assert command.endswith(f"[{extra}]'" if extra else "")
    assert bool(command) == bool(extra)
