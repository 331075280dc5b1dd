"""How busy the machine is while a run trains, by MLflow's own monitors.

MLflow's thread would ask a server at each sample and end when it gives no answer. Here
its monitors only measure, and what they say goes the way of every other record.
"""

import itertools
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from experiments.tracking.spool.contents import SYSTEM
from experiments.tracking.store.mlflow_import import import_mlflow, importing

_LOGGER = logging.getLogger(__name__)

_SECONDS = 10.0
_SINGLE, _TOGETHER = 60, 6  # samples
_JOIN_SECONDS = 1.0
_ORDER = "CUDA_DEVICE_ORDER"


class SystemSampler:
    """A thread that measures CPU, memory and some GPUs, and never fails.

    It records every 10 s, after ten minutes the mean of each minute, so that a week
    takes no more than a few megabytes of the journal. Other figures are given by
    `MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL` and `..._SAMPLES_BEFORE_LOGGING`, as for
    MLflow's own.

    Args:
        gpus: Those that the run computes on, as the machine counts them or by their
            UUID; no other is looked at.
        record: Gets the metrics of each sample.
    """

    def __init__(
        self, gpus: Sequence[str], record: Callable[[Mapping[str, float]], None]
    ) -> None:
        self._gpus = gpus
        self._record = record
        self._ended = threading.Event()
        self._recording = threading.Lock()
        self._thread = threading.Thread(
            target=self._run, name="system metrics", daemon=True
        )

    def start(self) -> None:
        """Starts the thread, which imports mlflow."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; after that nothing is recorded."""
        with self._recording:
            self._ended.set()
        self._thread.join(timeout=_JOIN_SECONDS)

    def _run(self) -> None:
        try:
            import_mlflow()
            monitors = list(_build_monitors(self._gpus))
            for number in itertools.count():
                values = self._sample(monitors, 1 if number < _SINGLE else _TOGETHER)
                if values is None:
                    return
                with self._recording:
                    if not self._ended.is_set():
                        self._record(values)
        except Exception as error:  # a machine or a driver that tells nothing
            _LOGGER.warning("System metrics are not recorded: %s", error)

    def _sample(self, monitors: Sequence[Any], count: int) -> dict[str, float] | None:
        """Returns the means of some samples; `None` when it is over."""
        from mlflow.environment_variables import (
            MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING as COUNT,
        )
        from mlflow.environment_variables import (
            MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL as INTERVAL,
        )

        for _ in range(COUNT.get() or count):
            if self._ended.wait(INTERVAL.get() or _SECONDS):
                return None
            for monitor in monitors:
                monitor.collect_metrics()
        values: dict[str, float] = {}
        for monitor in monitors:
            found = monitor.aggregate_metrics()
            values |= {SYSTEM + name: float(value) for name, value in found.items()}
            monitor.clear_metrics()
        return values


def _build_monitors(gpus: Sequence[str]) -> Iterator[Any]:
    import psutil

    with importing():
        from mlflow.system_metrics.metrics.cpu_monitor import CPUMonitor
    psutil.cpu_percent()  # the first call measures nothing
    yield CPUMonitor()
    if gpus and (monitor := _watch_gpus(gpus)) is not None:
        yield monitor


def _watch_gpus(gpus: Sequence[str]) -> Any:
    """Returns what measures these GPUs alone; `None` where that cannot be."""
    with importing():
        from mlflow.system_metrics.metrics.gpu_monitor import GPUMonitor
    try:
        monitor = GPUMonitor()
        monitor.gpu_handles = list(_find_gpus(gpus, monitor.gpu_handles))
    except Exception as error:  # no library, no driver, another numbering
        _LOGGER.warning("The use of the GPU is not recorded: %s", error)
        return None
    return monitor


def _find_gpus(gpus: Sequence[str], handles: Sequence[Any]) -> Iterator[Any]:
    """Yields NVML's handles of these GPUs.

    Raises:
        LookupError: It cannot be told which of the machine's they are.
    """
    import pynvml

    if os.environ.get(_ORDER) != "PCI_BUS_ID":
        kinds = {pynvml.nvmlDeviceGetName(handle) for handle in handles}
        if len(kinds) > 1 and any(gpu.isdecimal() for gpu in gpus):
            # CUDA counts from the fastest, NVML by the place on the bus.
            raise LookupError(
                f"this machine has different ones ({', '.join(sorted(kinds))}), whose "
                f"numbers may mean others. Set {_ORDER}=PCI_BUS_ID"
            )
    names = [str(pynvml.nvmlDeviceGetUUID(handle)) for handle in handles]
    for gpu in gpus:
        if gpu.isdecimal() and int(gpu) < len(handles):
            yield handles[int(gpu)]
            continue
        found = [n for n, name in enumerate(names) if name.startswith(gpu)]
        if len(found) != 1:
            raise LookupError(f"{gpu} is none of {', '.join(names) or 'those here'}")
        yield handles[found[0]]
