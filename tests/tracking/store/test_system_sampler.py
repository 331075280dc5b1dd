import sys
from importlib.abc import MetaPathFinder
from types import SimpleNamespace

import psutil
import pytest

from experiments.tracking.account import read_account, read_stored_account
from experiments.tracking.store import system_sampler
from experiments.tracking.store.system_sampler import SystemSampler
from tests.tracking.conftest import destination, points_of, run_of, settle, wait_until

CPU = "system/cpu_utilization_percentage"
MEMORY = "system/system_memory_usage_percentage"


@pytest.fixture
def often(monkeypatch):
    """A hundred samples a second."""
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.01")


def watch(tracker, count):
    """Records until there are more samples than that, those of before included."""
    tracker.watch_system(())
    wait_until(lambda: len(samples_of(tracker)) > count)
    tracker.finish("FINISHED")


def samples_of(tracker):
    entries = [e for e in tracker._journal.entries if e.kind == "metrics"]
    return [e.content for e in entries if CPU in e.content["values"]]


def test_use_of_the_machine_is_recorded_until_the_end(open_run, often):
    tracker = open_run()
    watch(tracker, 2)
    samples = samples_of(tracker)
    assert [content["step"] for content in samples] == list(range(len(samples)))
    assert not any("gpu" in key for content in samples for key in content["values"])
    assert all(0 <= content["values"][CPU] <= 100 for content in samples)
    memory = psutil.virtual_memory()
    used = 100 * memory.used / memory.total
    assert samples[-1]["values"][MEMORY] == pytest.approx(used, abs=20)
    assert tracker._journal.entries[-1].kind == "end"
    assert not tracker._sampler._thread.is_alive()


def test_continued_run_counts_its_samples_on(open_run, often, tmp_path):
    last = -1
    for _ in range(2):
        tracker = open_run(folder=tmp_path / "out" / "runs" / "one")
        tracker.log_metrics({"loss": 1.0}, step=7)  # an epoch, which is no sample
        watch(tracker, last + 2)
        last = samples_of(tracker)[-1]["step"]
    steps = [step for step, _ in points_of(settle(tracker), tracker.run_id, CPU)]
    assert steps == list(range(last + 1))


def test_samples_are_no_epochs(open_run, often, tmp_path):
    tracker = open_run()
    tracker.log_metrics({"loss": 1.0}, step=1)
    watch(tracker, 2)
    assert CPU in run_of(tracker).data.metrics
    for account in (
        read_account(tracker._spool.job_folder),
        read_stored_account(tracker.run_id, destination(tmp_path / "out")),
    ):
        assert account.points == {1: {"loss": 1.0}}


def test_long_run_has_the_mean_of_several_samples(monkeypatch, often):
    monkeypatch.setattr(system_sampler, "_SINGLE", 1)
    monkeypatch.setattr(system_sampler, "_TOGETHER", 2)
    told = iter([1.0, 2.0, 4.0] + [9.0] * 10_000)
    lists = {"load": []}
    monitor = SimpleNamespace(
        collect_metrics=lambda: lists["load"].append(next(told)),
        aggregate_metrics=lambda: {"load": sum(lists["load"]) / len(lists["load"])},
        clear_metrics=lists["load"].clear,
    )
    monkeypatch.setattr(system_sampler, "_build_monitors", lambda _: [monitor])
    recorded = []
    sampler = SystemSampler((), recorded.append)
    sampler.start()
    wait_until(lambda: len(recorded) > 1)
    sampler.stop()
    assert recorded[:2] == [{"system/load": 1.0}, {"system/load": 3.0}]


def test_machine_that_tells_nothing_is_told_and_stops_nothing(monkeypatch, caplog):
    def fail(_):
        raise OSError("no /proc")

    monkeypatch.setattr(system_sampler, "_build_monitors", fail)
    sampler = SystemSampler((), pytest.fail)
    sampler.start()
    sampler._thread.join()
    sampler.stop()
    assert "System metrics are not recorded: no /proc" in caplog.text


@pytest.fixture
def cards(monkeypatch):
    """Three GPUs as NVML tells of them: number, name, UUID."""
    cards = [SimpleNamespace(number=n, name="H100", uuid=f"GPU-{n}f") for n in range(3)]
    nvml = SimpleNamespace(
        NVMLError=RuntimeError,
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: len(cards),
        nvmlDeviceGetHandleByIndex=lambda index: cards[index],
        nvmlDeviceGetName=lambda card: card.name,
        nvmlDeviceGetUUID=lambda card: card.uuid,
        nvmlDeviceGetMemoryInfo=lambda card: SimpleNamespace(
            used=(card.number + 1) * 1e6, total=1e7
        ),
        nvmlDeviceGetUtilizationRates=lambda card: SimpleNamespace(
            gpu=10 * card.number
        ),
        nvmlDeviceGetPowerUsage=lambda card: 1000,
        nvmlDeviceGetEnforcedPowerLimit=lambda card: 2000,
    )
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    name = "mlflow.system_metrics.metrics.gpu_monitor"
    monkeypatch.delitem(sys.modules, name, raising=False)
    yield cards
    sys.modules.pop(name, None)  # it holds what was imported


@pytest.mark.parametrize(
    ("leased", "used"), [(["2"], [3.0]), (["GPU-1"], [2.0]), (["2", "0"], [3.0, 1.0])]
)
def test_only_the_leased_gpus_are_measured(cards, leased, used):
    _, monitor = system_sampler._build_monitors(leased)
    monitor.collect_metrics()
    found = monitor.aggregate_metrics()
    names = [f"gpu_{n}_memory_usage_megabytes" for n in range(len(used))]
    assert [found[name] for name in names] == used
    assert len([name for name in found if name.endswith("_megabytes")]) == len(used)


@pytest.mark.parametrize(
    ("leased", "reason"),
    [("MIG-3", "MIG-3 is none of GPU-0f"), ("7", "7 is none of GPU-0f")],
)
def test_gpu_that_cannot_be_found_is_told(cards, leased, reason, caplog):
    assert len(list(system_sampler._build_monitors([leased]))) == 1
    assert "The use of the GPU is not recorded" in caplog.text
    assert reason in caplog.text


def test_number_among_different_gpus_may_mean_another_one(cards, caplog, monkeypatch):
    cards[1].name = "T4"
    monkeypatch.delenv("CUDA_DEVICE_ORDER", raising=False)
    assert len(list(system_sampler._build_monitors(["1"]))) == 1
    assert "different ones (H100, T4)" in caplog.text
    assert len(list(system_sampler._build_monitors(["GPU-1f"]))) == 2
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    assert len(list(system_sampler._build_monitors(["1"]))) == 2


def test_library_that_is_not_installed_is_told(monkeypatch, caplog):
    class Absent(MetaPathFinder):
        def find_spec(self, name, path, target=None):
            if name == "pynvml":
                raise ModuleNotFoundError(name)

    monkeypatch.delitem(sys.modules, "pynvml", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Absent(), *sys.meta_path])
    name = "mlflow.system_metrics.metrics.gpu_monitor"
    monkeypatch.delitem(sys.modules, name, raising=False)
    assert len(list(system_sampler._build_monitors(["0"]))) == 1
    assert "nvidia-ml-py" in caplog.text
