from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from experiments import gpu_libraries
from experiments.config.code.extras import how_to_install
from experiments.gpu_libraries import DRIVER, TENSORFLOW, explain_absence


def lacking(*missing: str) -> Any:
    return lambda library: library not in missing


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_without_a_driver_no_extra_helps(backend: str) -> None:
    reason, hint = explain_absence(backend, exists=lacking(DRIVER, *TENSORFLOW))
    assert reason == "the NVIDIA driver's library libcuda.so.1 is missing"
    assert hint == ""


def test_libraries_of_tensorflow_are_named_with_their_extra() -> None:
    reason, hint = explain_absence("tensorflow", exists=lacking("libcudnn.so.9"))
    assert reason == "libcudnn.so.9 is missing"
    assert hint == how_to_install("nvidia")
    reason, _ = explain_absence("tensorflow", exists=lacking(*TENSORFLOW[:2]))
    assert reason == "libcudart.so.12, libcublas.so.12 are missing"


@pytest.mark.parametrize(
    ("installed", "hint"),
    [
        ((), how_to_install("jax_plugins.xla_cuda12")),
        (("jax_plugins.xla_cuda13",), ""),
    ],
)
def test_jax_needs_one_of_its_plugins(
    monkeypatch: pytest.MonkeyPatch, installed: tuple[str, ...], hint: str
) -> None:
    monkeypatch.setattr(gpu_libraries, "is_installed", installed.__contains__)
    assert explain_absence("jax", exists=lacking())[1] == hint


def test_with_all_libraries_the_index_is_what_is_wrong() -> None:
    reason, _ = explain_absence("tensorflow", exists=lacking())
    assert reason == "no GPU answers under CUDA_VISIBLE_DEVICES"


def test_libraries_of_wheels_are_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    spec = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(gpu_libraries.importlib.util, "find_spec", lambda name: spec)
    assert not gpu_libraries._exists("libmissing.so.12")
    folder = tmp_path / "cuda_runtime" / "lib"
    folder.mkdir(parents=True)
    (folder / "libmissing.so.12").touch()
    assert gpu_libraries._exists("libmissing.so.12")


def test_tensorflow_is_built_with_the_libraries_that_are_looked_for() -> None:
    """Another release of CUDA or cuDNN has other names."""
    import tensorflow as tf

    built = tf.sysconfig.get_build_info()
    if not built["is_cuda_build"]:
        pytest.skip("a build without CUDA")
    assert f"libcudart.so.{built['cuda_version'].split('.')[0]}" in TENSORFLOW
    assert f"libcudnn.so.{built['cudnn_version']}" in TENSORFLOW
