"""Claims devices, threads, precision and seeds; the steps before any model exists.

Order matters: the environment is set before the framework is imported, the framework
is told about threads and determinism before it starts its runtime, and what it then
says about its devices is what counts.
"""

import contextlib
import functools
import gc
import hashlib
import logging
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from experiments.config.checks.machine import total_memory
from experiments.errors import ConfigError, DeviceError, ExperimentError, Problem
from experiments.files import cache_folder
from experiments.gpu_libraries import explain_absence
from experiments.imports import without_collection, without_package

log = logging.getLogger(__name__)

_COMPILED_BYTES = 2**31
_DETERMINISTIC_XLA = "--xla_gpu_deterministic_ops=true"

Gpu = int | str | list[int]


@dataclass(frozen=True)
class Devices:
    """The devices of a process: those it has claimed, later those it computes on.

    Attributes:
        gpus: Indices of the GPUs in use, as the machine counts them; empty on the CPU.
        note: Why the CPU is used although a GPU was welcome; empty otherwise.
    """

    gpus: tuple[str, ...]
    note: str = ""

    @property
    def kind(self) -> str:
        """`gpu` or `cpu`."""
        return "gpu" if self.gpus else "cpu"


def free_memory(devices: Devices) -> int | None:
    """Returns the bytes that training may take on one device; `None` when unknown.

    For the CPU it is what the system calls available, for GPUs the smallest total.
    """
    if not devices.gpus:
        available = int(psutil.virtual_memory().available)
        # A container may be allowed less than the machine has.
        return min(available, total_memory() or available)
    command = [
        "nvidia-smi",
        "--query-gpu=memory.total",
        "--format=csv,noheader,nounits",
    ]
    try:
        shown = subprocess.run(
            [*command, f"--id={','.join(devices.gpus)}"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        ).stdout
        return min(int(line) for line in shown.split()) * 2**20
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


@functools.cache
def list_gpus() -> tuple[str, ...]:
    """Returns the GPUs this process may claim, without importing a framework.

    A `CUDA_VISIBLE_DEVICES` that SLURM, Ray or the user has set is respected: only what
    it names is counted. Whether the framework can use them is seen after its import,
    see `confirm_devices`. The answer is kept, since claiming a GPU hides the others.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        names = [name.strip() for name in visible.split(",")]
        return tuple(name for name in names if name and name != "-1")
    cards = Path("/proc/driver/nvidia/gpus")
    count = len(list(cards.iterdir())) if cards.is_dir() else 0
    return tuple(str(index) for index in range(count))


def choose_gpus(gpu: Gpu, available: Sequence[str]) -> Devices:
    """Decides which of the available GPUs a run takes.

    Args:
        gpu: `auto` (the first one, or the CPU), `cpu`, `all`, an index, or indices.
        available: What `list_gpus` returned; indices count within it.

    Raises:
        DeviceError: An index does not exist, or `all` finds none.
    """
    if gpu == "cpu":
        return Devices(())
    if gpu == "auto":
        note = "" if available else "gpu=auto found no GPU; running on the CPU"
        return Devices(tuple(available[:1]), note)
    wanted = (
        range(len(available))
        if gpu == "all"
        else [gpu]
        if isinstance(gpu, int)
        else gpu
    )
    missing = [index for index in wanted if int(index) >= len(available)]
    if missing or not wanted:
        exist = ", ".join(str(i) for i in range(len(available))) or "none"
        raise DeviceError(
            f"gpu={gpu} asks for a GPU that does not exist. Existing indices: {exist}. "
            "Use gpu=auto, or gpu=cpu to run without one."
        )
    return Devices(tuple(available[int(index)] for index in wanted))


def count_gpus(backend: str) -> int:
    """Returns how many GPUs the framework, imported by now, can compute on.

    Args:
        backend: `tensorflow` or `jax`.

    Raises:
        DeviceError: JAX cannot start on what `JAX_PLATFORMS` demands.
    """
    if backend != "jax":
        import tensorflow as tf

        return len(tf.config.list_physical_devices("GPU"))
    import jax

    try:
        return sum(device.platform == "gpu" for device in jax.devices())
    except RuntimeError as error:
        text = " ".join(str(error).split())
        raise DeviceError(f"JAX finds no device: {text}") from error


def confirm_devices(claimed: Devices, *, gpu: Gpu, backend: str) -> Devices:
    """Returns the devices that will compute: the claimed ones, if they can be used.

    Args:
        claimed: What was claimed before the framework was imported.
        gpu: As in the config.
        backend: `tensorflow` or `jax`.

    Returns:
        `claimed`, or with `gpu=auto` the CPU and why.

    Raises:
        DeviceError: A GPU that was asked for cannot be used.
    """
    if not claimed.gpus:
        return claimed
    found = count_gpus(backend)
    if found >= len(claimed.gpus):
        return claimed
    framework = "JAX" if backend == "jax" else "TensorFlow"
    names = ", ".join(claimed.gpus)
    if found:
        reason = (
            f"{framework} can use {found} of the {len(claimed.gpus)} GPUs {names}: "
            "the others do not answer under CUDA_VISIBLE_DEVICES"
        )
        hint = ""
    else:
        cause, hint = explain_absence(backend)
        reason = f"{framework} cannot use GPU {names}: {cause}"
    if gpu == "auto":
        note = f"gpu=auto runs on the CPU: {reason}."
        return Devices((), f"{note} {hint}".strip())
    refusal = f"gpu={gpu} is refused: {reason}. Use gpu=cpu to run without one."
    raise DeviceError(f"{refusal} {hint}".strip())


def prepare_environment(
    *, gpu: Gpu, backend: str, onednn: bool | str, deterministic: bool
) -> Devices:
    """Sets what the framework reads at its import.

    Args:
        gpu: See `choose_gpus`.
        backend: `tensorflow` or `jax`.
        onednn: `auto` and `True` switch oneDNN's CPU kernels on, `False` off.
        deterministic: Ask for bit-identical results.

    Raises:
        DeviceError: The GPU does not exist, or an earlier job of this process has
            claimed other devices or another backend.
    """
    devices = choose_gpus(gpu, list_gpus())
    settings = {
        "KERAS_BACKEND": backend,
        "CUDA_VISIBLE_DEVICES": ",".join(devices.gpus) or "-1",
        "TF_ENABLE_ONEDNN_OPTS": "0" if onednn is False else "1",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "TF_CUDNN_DETERMINISTIC": "1" if deterministic else "0",
    }
    if not devices.gpus:
        settings["JAX_PLATFORMS"] = "cpu"
    elif deterministic and backend == "jax":
        settings["XLA_FLAGS"] = _add_flag(_DETERMINISTIC_XLA)
    if "keras" in sys.modules:
        _check_unchanged(settings)
    else:
        os.environ.update(settings)
        # TensorFlow's start-up lines say nothing that the run's own summary does not.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if devices.note:
        log.warning(devices.note)
    return devices


def _add_flag(flag: str) -> str:
    """Returns the flags of XLA with one more."""
    flags = os.environ.get("XLA_FLAGS", "").split()
    return " ".join(flags if flag in flags else [*flags, flag])


def _check_unchanged(settings: dict[str, str]) -> None:
    """Refuses what a process that has imported the framework can no longer change."""
    for name, wanted in settings.items():
        current = os.environ.get(name)
        if current != wanted:
            raise DeviceError(
                f"This process runs with {name}={current} and cannot change it to "
                f"{wanted} any more. Run jobs that differ in gpu, backend, "
                "trainer.onednn or trainer.deterministic as separate commands, or with "
                "a launcher that starts a process for each job."
            )


def configure_framework(
    devices: Devices,
    *,
    gpu: Gpu,
    backend: str,
    seed: int,
    precision: str,
    deterministic: bool,
    threads: int | None,
    compilation_cache: bool,
) -> Devices:
    """Imports Keras and sets threads, determinism, precision and all seeds.

    Args:
        devices: What `prepare_environment` claimed.
        gpu: As in the config.
        backend: `tensorflow` or `jax`.
        seed: Seeds Python, NumPy and the backend.
        precision: Keras dtype policy.
        deterministic: Make every TensorFlow op deterministic, those of the pipeline
            too; on TensorFlow it switches XLA off.
        threads: CPU threads for one op; `None` for all cores.
        compilation_cache: Let JAX find what earlier processes have compiled.

    Returns:
        The devices that compute, see `confirm_devices`: from here on only these count.

    Raises:
        ConfigError: Half precision on a CPU, which is several times slower there.
        DeviceError: A GPU cannot be used, or the thread count no longer be changed.
    """
    _check_precision(precision, devices)  # before an import that would be for nothing
    imported = "keras" in sys.modules
    with _without_chatter():
        with contextlib.ExitStack() as quickly:
            quickly.enter_context(without_collection())
            if backend != "jax":
                # TensorFlow would import it for a converter that no run uses.
                quickly.enter_context(without_package("jax"))
            import keras
            import tensorflow as tf
        tf.config.list_physical_devices()
        claimed, devices = devices, confirm_devices(devices, gpu=gpu, backend=backend)
    if not imported:
        gc.freeze()  # no later collection looks through the libraries
    if devices != claimed:
        log.warning(devices.note)
        _check_precision(precision, devices)

    if backend != "tensorflow" or not devices.gpus:
        # For tf.data alone, or of a kind that CUDA_VISIBLE_DEVICES does not hide.
        tf.config.set_visible_devices([], "GPU")
    if backend == "jax":
        _keep_compilations(compilation_cache)
    if threads is not None:
        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
        except RuntimeError as error:
            raise DeviceError(
                f"trainer.threads={threads} cannot be set any more in this process: an "
                "earlier job has started TensorFlow. Run it as a separate command."
            ) from error
    forget_models()
    keras.config.set_dtype_policy(precision)
    keras.utils.set_random_seed(seed)
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    return devices


def _check_precision(precision: str, devices: Devices) -> None:
    if precision != "float32" and devices.kind == "cpu":
        reason = f"{precision} needs a GPU: a CPU is several times slower with it."
        hint = "Use trainer.precision=float32."
        raise ConfigError([Problem("trainer.precision", reason, hint)])


def _keep_compilations(keep: bool) -> None:
    """Tells JAX where to keep what it compiles, if anywhere.

    The folder belongs to a kind of CPU: code for one may not run on another, and
    machines may share a home. A folder that the environment names is left alone.
    """
    import jax

    if os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        return
    folder = cache_folder() / f"jax-{_identify_cpu()}"
    if keep:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            log.warning("JAX compiles everything anew: %s.", error)
            keep = False
    jax.config.update("jax_compilation_cache_dir", str(folder) if keep else None)
    jax.config.update("jax_compilation_cache_max_size", _COMPILED_BYTES)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)


def _identify_cpu() -> str:
    """Returns digits that CPUs share which have the same instructions."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    flags = [line for line in lines if line.startswith(("flags", "Features"))]
    text = " ".join([platform.machine(), *flags[:1]])
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def forget_models() -> None:
    """Frees what earlier jobs of this process have left.

    TensorFlow keeps the gradient of every custom gradient for ever, since a graph names
    it only. Each holds the graph it was traced in: some 17 MB for a model of Keras,
    whose own functions nobody calls any more when the next job begins.
    """
    import keras
    from tensorflow.python.framework import ops

    gradients = getattr(ops.gradient_registry, "_registry", {})  # not public
    for name in [name for name in gradients if name.startswith("CustomGradient-")]:
        del gradients[name]
    keras.utils.clear_session()  # collects what nobody holds any more


@contextlib.contextmanager
def _without_chatter() -> Iterator[None]:
    """Keeps what native libraries print at their start off the screen.

    TensorFlow writes some lines whatever its log level, since they come before its
    logging is set up. They go to the job's log, and to the screen after all when the
    import fails.
    """
    sys.stderr.flush()
    screen = os.dup(2)
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        failed = False
        try:
            yield
        except ExperimentError:  # explains itself
            raise
        except Exception:  # Ctrl-C is no reason to show them
            failed = True
            raise
        finally:
            sys.stderr.flush()
            os.dup2(screen, 2)
            os.close(screen)
            kept.seek(0)
            text = kept.read().decode(errors="replace").strip()
            if text and failed:
                print(text, file=sys.stderr)
            elif text:
                log.info("Start of the framework:\n%s", text)


def variable_scope(
    devices: Devices, backend: str
) -> contextlib.AbstractContextManager[Any]:
    """Returns the scope in which a model is built so that all claimed GPUs train it.

    Several share each batch: TensorFlow mirrors the variables, JAX shards the batch
    over a data-parallel mesh. On a single one TensorFlow's variables have one name,
    beside the path by which Keras knows them: for each new name TensorFlow prepares the
    operation that makes it, which is half of making a small variable.
    """
    several = len(devices.gpus) > 1
    if backend == "jax":
        if several:
            _share_batches()
        return contextlib.nullcontext()
    import tensorflow as tf

    scope: contextlib.AbstractContextManager[Any] = (
        tf.distribute.MirroredStrategy().scope()
        if several
        else tf.variable_creator_scope(_create_by_one_name)
    )
    return scope


def _share_batches() -> None:
    """Lets all devices of JAX share each batch.

    One that they can't share evenly, such as the last one of a validation, each of
    them computes as a whole: Keras takes the layout of the first one for all, and JAX
    refuses to cut it so.
    """
    from keras import distribution
    from keras.src.backend.jax import trainer  # not public

    class DataParallel(distribution.DataParallel):
        def get_data_layout(self, data_shape: Sequence[int]) -> Any:
            if data_shape[0] % self.device_mesh.devices.size == 0:
                return super().get_data_layout(data_shape)
            whole = [None] * len(data_shape)
            return distribution.TensorLayout(whole, self.device_mesh)

    def iterate(iterator: Any, _: Any) -> Iterator[Any]:
        return map(trainer._distribute_data, iterator.data_adapter.get_jax_iterator())

    trainer.JAXEpochIterator._get_distributed_iterator = iterate
    distribution.set_distribution(DataParallel())


def _create_by_one_name(create: Callable[..., Any], **options: Any) -> Any:
    # The slash keeps the layer's name, which is unique, from being put before it.
    return create(**{**options, "name": "variable/"})
