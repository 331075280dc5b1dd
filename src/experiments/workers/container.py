"""Runs jobs in a process of their own, which may crash, hang or leak."""

import os
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cloudpickle
from omegaconf import DictConfig, OmegaConf

from experiments.workers.host import (
    RESTART,
    Request,
    describe_failure,
    describe_return,
)
from experiments.workers.host_process import HostProcess
from experiments.workers.leases import (
    Lease,
    gpu_folder,
    gpu_places,
    gpus_to_share,
    share_cores,
    take_lease,
)
from experiments.workers.report import STOPPED, Report

_POLL_SECONDS = 0.5
_RESTARTS = 10
_DEAD_BEFORE_SECONDS = 1.0
# What a process that has imported a framework can no longer change.
_PROCESS_KEYS = (
    "gpu",
    "backend",
    "trainer.onednn",
    "trainer.deterministic",
    "trainer.threads",
)


@dataclass(frozen=True, kw_only=True)
class ContainedTask:
    """A task function as a launcher calls it: returns a `Report` and never raises.

    Attributes:
        task: The task function of one config.
        stop_file: Exists when everything is being stopped.
        minutes: Ends a job that takes longer.
        minutes_key: The config key that says so.
        silent_minutes: Ends a job that takes no step for so long.
        silent_key: The config key that says so.
        workers: Local jobs at a time, which share the cores; `None` to leave them.
        slots: Folder where local workers agree on their share.
        trials_per_process: After so many a fresh process is started.
        trials_per_gpu: How many may be on one GPU that `gpu=auto` found.
        parent: Process that must be alive; `None` where it lives elsewhere.
    """

    task: Any
    stop_file: Path
    minutes: float | None = None
    minutes_key: str = "hydra.sweeper.trial_minutes"
    silent_minutes: float | None = None
    silent_key: str = "hydra.sweeper.silent_minutes"
    workers: int | None = None
    slots: Path
    trials_per_process: int = 50
    trials_per_gpu: int = 1
    parent: int | None = None

    def __call__(self, config: DictConfig) -> Report:
        """Runs one job."""
        from hydra.core.hydra_config import HydraConfig

        request = Request(
            task=cloudpickle.dumps(self.task),
            config=config,
            hydra=HydraConfig.instance().cfg,
            folder=str(Path.cwd()),
            path=list(sys.path),
            stop_file=str(self.stop_file.absolute()),
        )
        if self.parent is not None:
            _end_with(self.parent)
        with _serving:
            report = self._run(config, request)
            for _ in range(_RESTARTS):
                if report.reason != RESTART:
                    break
                report = self._run(config, request)
        if report.status == "failed" and report.result is None:
            # A job that was killed tells nothing, but its checkpoints take space.
            folder = str(request.hydra.hydra.runtime.output_dir)
            report = replace(report, output_dir=folder)
        return report

    def _run(self, config: DictConfig, request: Request) -> Report:
        process = self._claim_process(config)
        if process is None:
            return STOPPED
        keep, begin = False, time.monotonic()
        try:
            report = self._watch(process, request)
            keep = _leaves_usable(report) and process.trials < self.trials_per_process
        finally:
            _keep_or_end(process, keep=keep)
        at_once = time.monotonic() - begin < _DEAD_BEFORE_SECONDS
        if report.failure == "killed" and process.trials > 1 and at_once:
            # It was dying while it was idle, which says nothing about this job.
            return self._run(config, request)
        return report

    def _claim_process(self, config: DictConfig) -> HostProcess | None:
        settings = [OmegaConf.select(config, name) for name in _PROCESS_KEYS]
        # Ray gives each task of one worker its own GPUs.
        key = str([*settings, os.environ.get("CUDA_VISIBLE_DEVICES")])
        if _idle and not (_idle[0].key == key and _idle[0].is_alive()):
            _idle.pop().end()
        return _idle.pop() if _idle else self._start_process(config, key)

    def _start_process(self, config: DictConfig, key: str) -> HostProcess | None:
        leases: list[Lease] = []
        environment = dict(os.environ)
        cores: list[int] = []
        gpus = gpus_to_share(OmegaConf.select(config, "gpu"))
        if gpus:
            places = gpu_places(gpus, self.trials_per_gpu)
            lease = take_lease(gpu_folder(), places, keep_waiting=self._goes_on)
            if lease is None:
                return None
            leases.append(lease)
            environment["CUDA_VISIBLE_DEVICES"] = gpus[lease.index % len(gpus)]
        if self.workers is not None and self.workers > 1:
            workers = range(self.workers)
            share = take_lease(self.slots, workers, keep_waiting=self._goes_on)
            if share is None:
                for lease in leases:
                    lease.release()
                return None
            leases.append(share)
            cores = share_cores(share.index, self.workers)
        return HostProcess(key, environment=environment, cores=cores, leases=leases)

    def _goes_on(self) -> bool:
        """Tells whether the search does."""
        orphaned = self.parent is not None and os.getppid() != self.parent
        return not orphaned and not self.stop_file.exists()

    def _watch(self, process: HostProcess, request: Request) -> Report:
        """Waits for the end of a job, ends it when its time or the search is up."""
        begin = heard = time.monotonic()
        try:
            process.send(request)
            report: Report | None = None
            while report is None:
                if process.poll(_POLL_SECONDS):
                    report, heard = process.receive(), time.monotonic()
                elif not self._goes_on():
                    process.end()
                    return STOPPED
                if report is None and (late := self._find_lateness(begin, heard)):
                    process.end()
                    return Report(status="failed", failure="timeout", reason=late)
        except (EOFError, OSError):
            return process.describe_death()
        except BaseException:
            process.end()
            raise
        return report

    def _find_lateness(self, begin: float, heard: float) -> str | None:
        """Returns why a job is to be ended; `None` while its time is not up.

        Args:
            begin: When it was started.
            heard: When it gave its last sign of life.
        """
        now = time.monotonic()
        if self.minutes is not None and now > begin + 60 * self.minutes:
            return f"took longer than {self.minutes_key}={self.minutes:g}"
        silent = self.silent_minutes
        if silent is not None and now > heard + 60 * silent:
            return f"took no step for longer than {self.silent_key}={silent:g}"
        return None


@dataclass(frozen=True, kw_only=True)
class DirectTask:
    """A task function that runs where the launcher calls it, crashes included."""

    task: Any

    def __call__(self, config: DictConfig) -> Report:
        """Runs one job."""
        from hydra.core.hydra_config import HydraConfig

        try:
            value = self.task(config)
        except Exception as error:
            return describe_failure(error)
        output_dir = Path(str(HydraConfig.get().runtime.output_dir))
        return describe_return(value, output_dir)


# At most one, which serves the jobs of this process in turn.
_idle: list[HostProcess] = []
_serving = threading.Lock()  # held while a job runs
_watched: set[int] = set()


def _end_with(parent: int) -> None:
    """Lets this worker end with the search that started it.

    Joblib's workers outlive it without end, and one with an idle process would keep its
    GPU and its cores from the same search started again.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_POLL_SECONDS)
        with _serving:  # the running job is being stopped and saves its state
            end_processes()
            os._exit(1)

    if parent not in _watched:
        _watched.add(parent)
        threading.Thread(target=watch, daemon=True).start()


def _leaves_usable(report: Report) -> bool:
    """Tells whether a process is as good as new after a job.

    One that was stopped ends by itself; in one that ran out of memory the next job
    could find it taken.
    """
    return report.status != "stopped" and report.failure != "oom"


def _keep_or_end(process: HostProcess, *, keep: bool) -> None:
    if keep and process.is_alive():
        _idle.append(process)
    else:
        process.end()


def end_processes() -> None:
    """Ends the idle process, if there is one."""
    while _idle:
        _idle.pop().end()
