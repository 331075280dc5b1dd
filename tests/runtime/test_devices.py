import sys
from types import SimpleNamespace
from typing import Any

import pytest

from experiments.errors import DeviceError
from experiments.runtime.devices import (
    Devices,
    choose_gpus,
    confirm_devices,
    count_gpus,
    free_memory,
    list_gpus,
)


@pytest.mark.parametrize(
    ("gpu", "available", "expected"),
    [
        ("auto", ("0", "1"), ("0",)),
        ("auto", (), ()),
        ("cpu", ("0",), ()),
        ("all", ("0", "1"), ("0", "1")),
        (1, ("0", "1"), ("1",)),
        ([0, 1], ("4", "7"), ("4", "7")),
    ],
)
def test_gpus_are_chosen_within_what_is_visible(
    gpu: Any, available: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert choose_gpus(gpu, available).gpus == expected


@pytest.mark.parametrize(
    ("gpu", "available", "existing"),
    [
        (2, ("0", "1"), "0, 1"),
        ([0, 3], ("0",), "0"),
        ("all", (), "none"),
        (0, (), "none"),
    ],
)
def test_missing_gpu_is_refused_with_those_that_exist(
    gpu: Any, available: tuple[str, ...], existing: str
) -> None:
    with pytest.raises(DeviceError, match=f"Existing indices: {existing}\\."):
        choose_gpus(gpu, available)


def test_auto_without_a_gpu_says_so() -> None:
    devices = choose_gpus("auto", ())
    assert devices.kind == "cpu"
    assert devices.note == "gpu=auto found no GPU; running on the CPU"


@pytest.mark.parametrize(
    ("visible", "expected"),
    [("2,5", ("2", "5")), ("-1", ()), ("", ()), ("GPU-8a1b", ("GPU-8a1b",))],
)
def test_assignment_by_a_scheduler_is_respected(
    monkeypatch: pytest.MonkeyPatch, visible: str, expected: tuple[str, ...]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    list_gpus.cache_clear()
    assert list_gpus() == expected
    list_gpus.cache_clear()


@pytest.mark.parametrize(
    ("gpu", "claimed"), [("auto", ("0",)), ([1, 0], ("1", "0")), ("cpu", ())]
)
def test_devices_that_the_framework_has_are_confirmed(
    usable: Any, gpu: Any, claimed: tuple[str, ...]
) -> None:
    usable(len(claimed))
    devices = Devices(claimed)
    assert confirm_devices(devices, gpu=gpu, backend="tensorflow") is devices


def test_auto_falls_back_and_names_what_is_missing(usable: Any) -> None:
    usable(0)
    devices = confirm_devices(Devices(("0",)), gpu="auto", backend="tensorflow")
    assert devices.kind == "cpu"
    assert devices.note == (
        "gpu=auto runs on the CPU: TensorFlow cannot use GPU 0: libcudnn.so.9 is "
        "missing. To install it: pip install x"
    )


@pytest.mark.parametrize("gpu", [0, [0], "all"])
def test_gpu_that_was_asked_for_and_cannot_be_used_is_refused(
    usable: Any, gpu: Any
) -> None:
    usable(0)
    with pytest.raises(DeviceError) as error:
        confirm_devices(Devices(("0",)), gpu=gpu, backend="jax")
    assert str(error.value) == (
        f"gpu={gpu} is refused: JAX cannot use GPU 0: libcudnn.so.9 is missing. "
        "Use gpu=cpu to run without one. To install it: pip install x"
    )


def test_some_of_several_gpus_are_not_enough(usable: Any) -> None:
    usable(1)
    with pytest.raises(DeviceError, match="can use 1 of the 2 GPUs 0, 7"):
        confirm_devices(Devices(("0", "7")), gpu="all", backend="tensorflow")


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_gpus_are_counted_by_the_framework_itself(
    monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    import tensorflow as tf

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind] * 2)
    devices = [SimpleNamespace(platform=name) for name in ("cpu", "gpu", "gpu")]
    jax = SimpleNamespace(devices=lambda: devices)
    monkeypatch.setitem(sys.modules, "jax", jax)
    assert count_gpus(backend) == 2


def test_jax_that_cannot_start_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> None:
        raise RuntimeError("Unable to initialize\nbackend 'cuda'")

    monkeypatch.setitem(sys.modules, "jax", SimpleNamespace(devices=fail))
    with pytest.raises(DeviceError, match="finds no device: Unable to initialize back"):
        count_gpus("jax")


def test_memory_of_the_cpu_is_known() -> None:
    memory = free_memory(Devices(()))
    assert memory is not None
    assert memory > 10**8
