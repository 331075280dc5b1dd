import gc
import logging
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from experiments import runtime
from experiments.errors import ConfigError, DeviceError
from experiments.runtime import (
    Devices,
    choose_gpus,
    configure_framework,
    confirm_devices,
    list_gpus,
    variable_scope,
)
from tests.conftest import ROOT
from tests.test_build import TINY
from tests.warm import run_to_the_end


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
    ("gpu", "onednn", "visible", "kernels"),
    [("cpu", "auto", "-1", "1"), (1, False, "1", "0"), ("all", True, "0,1", "1")],
)
def test_environment_is_set_before_the_framework_is_imported(
    monkeypatch: pytest.MonkeyPatch, gpu: Any, onednn: Any, visible: str, kernels: str
) -> None:
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setattr(runtime, "list_gpus", lambda: ("0", "1"))
    runtime.prepare_environment(
        gpu=gpu, backend="jax", onednn=onednn, deterministic=False
    )
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
    monkeypatch.setattr(runtime, "list_gpus", lambda: ("0",))
    for _ in range(2):
        runtime.prepare_environment(
            gpu=gpu, backend=backend, onednn="auto", deterministic=True
        )
        assert os.environ["XLA_FLAGS"] == flags
        assert os.environ["TF_CUDNN_DETERMINISTIC"] == "1"


@pytest.mark.parametrize("settings", [{"onednn": False}, {"deterministic": True}])
def test_second_job_of_a_process_cannot_change_the_arithmetic(
    settings: dict[str, Any],
) -> None:
    given = {"onednn": "auto", "deterministic": False, **settings}
    with pytest.raises(DeviceError, match=r"trainer\.onednn or trainer\.deterministic"):
        runtime.prepare_environment(gpu="cpu", backend="tensorflow", **given)


def test_second_job_of_a_process_cannot_change_the_backend() -> None:
    import keras

    assert keras.backend.backend() == "tensorflow"
    with pytest.raises(DeviceError, match="KERAS_BACKEND=tensorflow"):
        runtime.prepare_environment(
            gpu="cpu", backend="jax", onednn="auto", deterministic=False
        )


@pytest.fixture
def usable(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets the framework have so many GPUs, and their libraries lack one."""

    def usable(count: int) -> None:
        monkeypatch.setattr(runtime, "count_gpus", lambda backend: count)
        missing = ("libcudnn.so.9 is missing", "To install it: pip install x")
        monkeypatch.setattr(runtime, "explain_absence", lambda backend: missing)

    return usable


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
    assert runtime.count_gpus(backend) == 2


def test_jax_that_cannot_start_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> None:
        raise RuntimeError("Unable to initialize\nbackend 'cuda'")

    monkeypatch.setitem(sys.modules, "jax", SimpleNamespace(devices=fail))
    with pytest.raises(DeviceError, match="finds no device: Unable to initialize back"):
        runtime.count_gpus("jax")


def configure(**changes: Any) -> None:
    settings: dict[str, Any] = {
        "gpu": "cpu",
        "backend": "tensorflow",
        "seed": 3,
        "precision": "float32",
        "deterministic": False,
        "threads": None,
        "compilation_cache": True,
    }
    configure_framework(Devices(()), **{**settings, **changes})


def test_seed_fixes_initial_weights() -> None:
    import keras
    import numpy as np

    def draw(seed: int) -> Any:
        configure(seed=seed)
        return keras.random.normal((4,), seed=keras.random.SeedGenerator()).numpy()

    assert np.array_equal(draw(3), draw(3))
    assert not np.array_equal(draw(3), draw(4))


def test_variables_of_one_device_have_one_name_beside_their_paths() -> None:
    """TensorFlow takes longer for a variable whose name it has not met."""
    import keras

    layers = [keras.layers.Dense(2, name=name) for name in ("a", "b")]
    with variable_scope(Devices(()), "tensorflow"):
        for layer in layers:
            layer.build((None, 3))
    variables = [variable for layer in layers for variable in layer.variables]
    assert {variable.value.name for variable in variables} == {"variable:0"}
    paths = ["a/kernel", "a/bias", "b/kernel", "b/bias"]
    assert [variable.path for variable in variables] == paths


@pytest.fixture
def jax_config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """What a JAX that is not there is told."""
    told: dict[str, Any] = {}
    config = SimpleNamespace(update=told.__setitem__)
    monkeypatch.setitem(sys.modules, "jax", SimpleNamespace(config=config))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    return told


def test_jax_finds_what_earlier_processes_have_compiled(
    jax_config: dict[str, Any], tmp_path: Path
) -> None:
    runtime._keep_compilations(True)
    folder = Path(jax_config["jax_compilation_cache_dir"])
    assert folder.is_dir()
    assert folder.parent == tmp_path / "experiments"
    assert jax_config["jax_compilation_cache_max_size"] == 2 * 2**30
    runtime._keep_compilations(True)
    assert jax_config["jax_compilation_cache_dir"] == str(folder)
    runtime._keep_compilations(False)
    assert jax_config["jax_compilation_cache_dir"] is None


def test_other_cpus_do_not_share_what_is_compiled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = runtime._identify_cpu()
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "flags : of another\n")
    assert runtime._identify_cpu() != here


def test_cache_that_cannot_be_written_is_a_warning(
    jax_config: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "experiments").write_text("no folder")
    runtime._keep_compilations(True)
    assert jax_config["jax_compilation_cache_dir"] is None
    assert "JAX compiles everything anew" in caplog.text


def test_without_a_cache_nothing_is_written_or_said(
    jax_config: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "experiments").write_text("no folder")
    runtime._keep_compilations(False)
    assert jax_config["jax_compilation_cache_dir"] is None
    assert not caplog.records


def test_cache_that_the_environment_names_is_left_alone(
    jax_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "/elsewhere")
    runtime._keep_compilations(True)
    assert jax_config == {}


def test_the_next_job_frees_the_graphs_of_the_last_one() -> None:
    """TensorFlow keeps them for ever, which cost 17 MB for a small model."""
    import keras
    import numpy as np
    from tensorflow.python.framework.func_graph import FuncGraph

    def count() -> int:
        gc.collect()
        return sum(isinstance(thing, FuncGraph) for thing in gc.get_objects())

    configure()
    before = count()
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    model.fit(np.zeros((8, 3)), np.zeros(8, int), verbose=0)
    del model
    keras.utils.clear_session()
    assert count() > before
    configure()
    assert count() <= before


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_on_a_cpu_is_refused(precision: str) -> None:
    with pytest.raises(ConfigError, match=r"Use trainer\.precision=float32"):
        configure(precision=precision)


def test_what_falls_back_to_the_cpu_is_configured_as_such(
    usable: Any, caplog: pytest.LogCaptureFixture
) -> None:
    usable(0)
    settings = {
        "gpu": "auto",
        "backend": "tensorflow",
        "seed": 3,
        "deterministic": False,
        "threads": None,
        "compilation_cache": True,
    }
    claimed = Devices(("0",))
    devices = configure_framework(claimed, precision="float32", **settings)
    assert devices.kind == "cpu"
    (record,) = caplog.records
    assert (record.levelname, record.message) == ("WARNING", devices.note)
    with pytest.raises(ConfigError, match="mixed_float16 needs a GPU"):
        configure_framework(claimed, precision="mixed_float16", **settings)


def test_native_chatter_goes_to_the_log_and_to_the_screen_on_failure(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with runtime._without_chatter():
        os.write(2, b"native noise\n")
    assert "native noise" not in capfd.readouterr().err
    assert "native noise" in caplog.text
    with pytest.raises(OSError, match="broken"), runtime._without_chatter():
        _fail_noisily(OSError("broken"))
    assert "why it failed" in capfd.readouterr().err
    with pytest.raises(DeviceError), runtime._without_chatter():
        _fail_noisily(DeviceError("explains itself"))
    assert "why it failed" not in capfd.readouterr().err


def test_memory_of_the_cpu_is_known() -> None:
    memory = runtime.free_memory(Devices(()))
    assert memory is not None
    assert memory > 10**8


@pytest.fixture
def run_on_gpu_99(tmp_path: Path) -> Any:
    """Runs a command where a scheduler has assigned a GPU that does not exist."""

    def run(*arguments: str, cold: bool = False) -> Any:
        environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "99"}
        environment.pop("JAX_PLATFORMS", None)
        given = [*TINY, "debug=one_step", f"output_dir={tmp_path / 'outputs'}"]
        return run_to_the_end(
            [sys.executable, str(ROOT / "run.py"), *given, *arguments],
            cold=cold,
            timeout=240,
            cwd=tmp_path,
            env=environment,
        )

    return run


def test_gpu_that_cannot_compute_is_refused_before_data_are_loaded(
    run_on_gpu_99: Any, tmp_path: Path
) -> None:
    done = run_on_gpu_99("gpu=0", cold=True)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("gpu=0 is refused: TensorFlow cannot use GPU 99: ")
    assert done.stdout == ""


def test_what_computes_is_what_is_shown_and_recorded(
    run_on_gpu_99: Any, tmp_path: Path
) -> None:
    from experiments.tracking.store.client import import_mlflow

    done = run_on_gpu_99("gpu=auto")
    assert done.returncode == 0, done.stderr
    assert "WARNING: gpu=auto runs on the CPU: TensorFlow cannot use" in done.stderr
    assert "device      CPU, tensorflow" in done.stdout
    store = import_mlflow().MlflowClient(f"sqlite:///{tmp_path}/outputs/mlflow.db")
    (run,) = store.search_runs(["1"])
    assert run.data.tags["device"] == "cpu"
    assert run.data.tags["device.note"].startswith("gpu=auto runs on the CPU: ")
    assert run.data.params["derived.jit"] == "false"


def _fail_noisily(error: Exception) -> None:
    os.write(2, b"why it failed\n")
    raise error
