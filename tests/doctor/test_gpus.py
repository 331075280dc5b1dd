"""Each library is named that does not load, with what brings it."""

from experiments.doctor.gpus import can_load, check_gpus
from experiments.gpu_libraries import DRIVER, TENSORFLOW


def check(*absent, names=("NVIDIA H200",), has_smi=True):
    return list(
        check_gpus(names, exists=lambda name: name not in absent, has_smi=has_smi)
    )


def test_a_machine_without_any_trains_on_its_cpu():
    (only,) = check(DRIVER, *TENSORFLOW, names=(), has_smi=False)
    assert (only.level, only.told) == ("ok", "none: trainings run on the CPU")


def test_all_is_well():
    assert [one.level for one in check()] == ["ok", "ok"]


def test_a_missing_library_is_named():
    wrong = [one for one in check("libcudnn.so.9") if one.level == "error"]
    assert [one.told for one in wrong] == ["libcudnn.so.9 does not load"]
    assert "[gpu]" in wrong[0].advice


def test_a_missing_driver_and_a_gpu_that_does_not_answer():
    driver, *_ = check(DRIVER)
    assert "driver" in driver.told
    silent = [one for one in check(names=()) if one.level == "error"]
    assert [one.what for one in silent] == ["GPU"]


def test_a_library_loads_or_does_not():
    assert can_load("libc.so.6")
    assert not can_load("libnothing_of_this_name.so.1")
