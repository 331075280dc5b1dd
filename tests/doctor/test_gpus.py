"""Each library is named that does not load, with what brings it."""

from experiments.doctor.gpus import can_load, check_gpus
from experiments.gpu_libraries import DRIVER, TENSORFLOW

H200 = "NVIDIA H200, 143771 MiB, 570.86.15"  # as nvidia-smi says, without a header


def check(*absent, names=(H200,), has_smi=True, visible="0", has_plugin=True):
    return list(
        check_gpus(
            names,
            exists=lambda name: name not in absent,
            has_smi=has_smi,
            visible=visible,
            has_plugin=has_plugin,
        )
    )


def test_a_machine_without_any_trains_on_its_cpu():
    (only,) = check(DRIVER, *TENSORFLOW, names=(), has_smi=False)
    assert (only.level, only.told) == ("ok", "none: trainings run on the CPU")


def test_all_is_well():
    found = check()
    assert [one.level for one in found] == ["ok", "ok", "ok"]
    told = " ".join(one.told for one in found)
    assert all(name in told for name in (DRIVER, "H200", *TENSORFLOW))


def test_a_missing_library_is_named():
    wrong = [one for one in check("libcudnn.so.9") if one.level == "error"]
    assert [one.told for one in wrong] == ["libcudnn.so.9 does not load"]
    assert "[gpu]" in wrong[0].advice


def test_a_missing_driver_and_a_gpu_that_does_not_answer():
    driver, *_ = check(DRIVER)
    assert "driver" in driver.told
    silent = [one for one in check(names=()) if one.level == "error"]
    assert [one.what for one in silent] == ["GPU"]


def test_what_nvidia_smi_fails_at_is_no_gpu():
    _, failed, *_ = check(names=("unknown: nvidia-smi failed (CalledProcessError)",))
    assert (failed.level, failed.what) == ("error", "GPU")
    assert failed.told == "nvidia-smi failed (CalledProcessError)"


def test_a_driver_without_nvidia_smi_is_told_as_that():
    _, unknown, *_ = check(names=(), has_smi=False)
    assert unknown.level == "warning"
    assert "no nvidia-smi" in unknown.told


def test_a_driver_that_is_older_than_cuda_12_takes_is_told():
    (old,) = [
        one
        for one in check(names=("Tesla V100-SXM2-16GB, 16160 MiB, 470.82.01",))
        if one.level != "ok"
    ]
    assert old.told == "470.82.01 is older than 525, which CUDA 12 needs"


def test_gpus_that_a_variable_hides_are_told():
    (hidden,) = [one for one in check(visible="-1") if one.level != "ok"]
    assert "CUDA_VISIBLE_DEVICES=-1 hides all" in hidden.told


def test_several_gpus_need_what_adds_their_gradients():
    assert {one.level for one in check("libnccl.so.2")} == {"ok"}
    *_, absent = check("libnccl.so.2", names=(H200, H200))
    assert absent.told == "libnccl.so.2 does not load"


def test_jax_without_its_plugin_is_told():
    *_, plugin = check(has_plugin=False)
    assert (plugin.level, plugin.what) == ("warning", "JAX")
    assert "jax" in plugin.advice


def test_a_library_loads_or_does_not():
    assert can_load("libc.so.6")
    assert not can_load("libnothing_of_this_name.so.1")
