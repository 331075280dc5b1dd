import os
import sys
from typing import Any

import pytest

from experiments.errors import DeviceError
from experiments.runtime import environment
from experiments.runtime.environment import prepare_environment


@pytest.mark.parametrize(
    ("gpu", "onednn", "visible", "kernels"),
    [("cpu", "auto", "-1", "1"), (1, False, "1", "0"), ("all", True, "0,1", "1")],
)
def test_environment_is_set_before_the_framework_is_imported(
    monkeypatch: pytest.MonkeyPatch, gpu: Any, onednn: Any, visible: str, kernels: str
) -> None:
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setattr(environment, "list_gpus", lambda: ("0", "1"))
    prepare_environment(gpu=gpu, backend="jax", onednn=onednn, deterministic=False)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == visible
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == kernels
    assert os.environ["KERAS_BACKEND"] == "jax"
    assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"


@pytest.mark.parametrize(
    ("backend", "gpu", "flags"),
    [
        ("jax", "auto", "--a=1 --xla_gpu_deterministic_ops=true"),
        ("jax", "cpu", "--a=1"),  # XLA's CPU gives the same bits anyway
        ("tensorflow", "auto", "--a=1"),
    ],
)
def test_deterministic_gpus_are_asked_of_the_backend_that_computes(
    monkeypatch: pytest.MonkeyPatch, backend: str, gpu: Any, flags: str
) -> None:
    monkeypatch.setattr(os, "environ", {"XLA_FLAGS": "--a=1"})
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setattr(environment, "list_gpus", lambda: ("0",))
    for _ in range(2):
        prepare_environment(gpu=gpu, backend=backend, onednn="auto", deterministic=True)
        assert os.environ["XLA_FLAGS"] == flags
        assert os.environ["TF_CUDNN_DETERMINISTIC"] == "1"


@pytest.mark.parametrize("settings", [{"onednn": False}, {"deterministic": True}])
def test_second_job_of_a_process_cannot_change_the_arithmetic(
    settings: dict[str, Any],
) -> None:
    import keras

    assert keras.backend.backend() == "tensorflow"
    given = {"onednn": "auto", "deterministic": False, **settings}
    with pytest.raises(DeviceError, match=r"trainer\.onednn or trainer\.deterministic"):
        prepare_environment(gpu="cpu", backend="tensorflow", **given)


def test_second_job_of_a_process_cannot_change_the_backend() -> None:
    import keras

    assert keras.backend.backend() == "tensorflow"
    with pytest.raises(DeviceError, match="KERAS_BACKEND=tensorflow"):
        prepare_environment(
            gpu="cpu", backend="jax", onednn="auto", deterministic=False
        )


def test_only_the_first_job_of_a_process_says_that_there_is_no_gpu(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.setattr(environment, "list_gpus", lambda: ())
    given: dict[str, Any] = {"backend": "tensorflow", "onednn": "auto"}
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    prepare_environment(gpu="auto", deterministic=False, **given)
    assert "found no GPU" in caplog.text
    caplog.clear()
    monkeypatch.setitem(sys.modules, "keras", sys)  # by the first job
    prepare_environment(gpu="auto", deterministic=False, **given)
    assert caplog.text == ""


VARIABLES = (
    "KERAS_BACKEND",
    "CUDA_VISIBLE_DEVICES",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_FORCE_GPU_ALLOW_GROWTH",
    "XLA_PYTHON_CLIENT_PREALLOCATE",
    "TF_CUDNN_DETERMINISTIC",
    "JAX_PLATFORMS",
)


@pytest.fixture
def imported_by_others(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets Keras be imported as a notebook does it, on a machine with some GPUs."""
    import keras

    assert keras.backend.backend() == "tensorflow"
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)

    def machine(*gpus: str) -> None:
        monkeypatch.setattr(environment, "list_gpus", lambda: gpus)

    return machine


@pytest.mark.parametrize(
    ("gpus", "gpu", "taken"),
    [
        ((), "auto", ()),
        ((), "cpu", ()),
        (("0",), "auto", ("0",)),
        (("0", "1"), "auto", ("0",)),
        (("0", "1"), 0, ("0",)),
        (("0", "1"), "all", ("0", "1")),
    ],
)
def test_framework_that_a_notebook_has_imported_is_taken_as_it_is(
    gpus: tuple[str, ...], gpu: Any, taken: tuple[str, ...], imported_by_others: Any
) -> None:
    imported_by_others(*gpus)
    devices = prepare_environment(
        gpu=gpu, backend="tensorflow", onednn="auto", deterministic=False
    )
    assert devices.gpus == taken
    assert not [name for name in VARIABLES if name in os.environ]


@pytest.mark.parametrize(
    ("gpus", "settings", "message"),
    [
        ((), {"backend": "jax"}, "KERAS_BACKEND=tensorflow"),
        ((), {"onednn": False}, "TF_ENABLE_ONEDNN_OPTS=1"),
        ((), {"deterministic": True}, "TF_CUDNN_DETERMINISTIC=0"),
        (("0",), {"gpu": "cpu"}, "CUDA_VISIBLE_DEVICES=0 and cannot change it to -1"),
        (("0", "1"), {"gpu": 1}, "CUDA_VISIBLE_DEVICES=0,1"),
    ],
)
def test_what_it_is_too_late_for_is_told_with_the_way_out(
    gpus: tuple[str, ...],
    settings: dict[str, Any],
    message: str,
    imported_by_others: Any,
) -> None:
    imported_by_others(*gpus)
    given = {
        "gpu": "auto",
        "backend": "tensorflow",
        "onednn": "auto",
        "deterministic": False,
    }
    with pytest.raises(DeviceError, match=message) as caught:
        prepare_environment(**{**given, **settings})
    assert "in a notebook before anything imports Keras" in str(caught.value)
