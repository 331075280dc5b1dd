"""What no memory could hold is refused with the estimate, and nothing else."""

from typing import Any

import pytest

from experiments.config.checks import machine
from experiments.config.checks.demand import find_excess, list_demands, write_bytes
from experiments.config.checks.memory import check_memory
from experiments.errors import ConfigError

GB = 10**9


@pytest.fixture
def excess(check: Any) -> Any:
    def excess(*overrides: str, memory: int = 24 * GB, **options: Any) -> list[str]:
        run = check(*overrides).run
        return [str(problem) for problem in find_excess(run, memory, **options)]

    return excess


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            [
                "dataset=folder",
                "dataset.path=x",
                "trainer.batch_size=10000000",
                "trainer.oom=accumulate",
            ],
            "trainer.batch_size would need about 1.5 TB of memory for the images of "
            "one batch; this machine has 24 GB. Lower it or dataset.image_size.",
        ),
        (
            ["dataset=folder", "dataset.path=x", "trainer.batch_size=10000000"],
            "trainer.batch_size would need about 32 TB of memory for the maps between "
            "the blocks of 10,000,000 images; this machine has 24 GB. Lower it, ",
        ),
        (
            [
                "dataset=synthetic",
                "dataset.images=1000000",
                "dataset.image_size=1024",
            ],
            "dataset.images would need about 6.3 TB of memory for 1,000,000 made-up "
            "images; this machine has 24 GB.",
        ),
        (
            ["model.width=60000"],
            "model would need about 247 TB of memory for 20,606,419,740,000 weights "
            "and what Adam keeps of each; this machine has 24 GB. Take a smaller",
        ),
        (
            [
                "dataset=synthetic",
                "dataset.image_size=4096",
                "dataset.images=100",
                "trainer.batch_size=32",
                "gpu=cpu",
            ],
            "trainer.batch_size would need about 241 GB of memory for the maps between "
            "the blocks of 32 images; this machine has 24 GB.",
        ),
        (
            ["dataset=cifar10", "dataset.cache=memory", "dataset.image_size=1024"],
            "dataset.cache would need about ",
        ),
    ],
)
def test_what_does_not_fit_is_told_with_the_estimate(
    excess: Any, overrides: list[str], message: str
) -> None:
    (problem,) = excess(*overrides)
    assert problem.startswith(message)
    assert excess(*overrides, memory=10**18) == []


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        # A batch of arrays ends where they do.
        ["trainer.batch_size=10000000", "trainer.drop_remainder=false"],
        # It may turn out to be small, and the path to lead to a cut copy.
        ["dataset=cifar10", "dataset.path=x", "trainer.batch_size=10000000"],
        ["dataset=cifar10", "dataset.cache=auto", "dataset.image_size=1024"],
        # Another config decides.
        ["model.width=60000", "from_search=abcdef"],
        ["model.width=60000", "task=reproduce", "run_id=abcdef"],
        # Halved until it fits.
        [
            "dataset=synthetic",
            "dataset.image_size=1024",
            "dataset.images=600",
            "trainer.batch_size=32",
            "trainer.oom=accumulate",
            "gpu=cpu",
        ],
        ["model=resnet1202_cifar"],
        ["model=resnet152", "dataset=synthetic", "dataset.image_size=224"],
    ],
    ids=" ".join,
)
def test_what_could_run_is_not_refused(excess: Any, overrides: list[str]) -> None:
    assert excess(*overrides) == []


def test_a_job_whose_parts_fit_one_by_one_is_told_as_a_whole(excess: Any) -> None:
    words = ["dataset=synthetic", "dataset.images=100000", "dataset.image_size=64"]
    run_parts = excess(*words, "model=resnet152", memory=2_500_000_000)
    assert run_parts == [
        "dataset.images would need about 2.5 GB of memory for 100,000 made-up images, "
        "and the whole job at least 3.2 GB; this machine has 2.5 GB. Lower it or "
        "dataset.image_size."
    ]


def test_what_a_gpu_holds_is_told_from_what_the_machine_holds(excess: Any) -> None:
    assert excess("model.width=60000", on_device=False) == []
    (problem,) = excess("model.width=60000", on_device=True)
    assert "; the GPU has 24 GB." in problem


@pytest.mark.parametrize(
    ("words", "copies"),
    [
        (["optimizer=sgd"], 2),
        (["optimizer=sgd", "optimizer.momentum=0"], 1),
        (["optimizer=adamw"], 3),
        (["optimizer=adam", "optimizer.ema_momentum=0.9"], 4),
        (["optimizer=lion"], 2),
        (["optimizer=rmsprop"], 2),
        (["optimizer=nadam"], 3),
        (["optimizer=adafactor"], 2),
        (["optimizer=lamb", "optimizer.ema_momentum=0.9"], 4),
    ],
    ids=str,
)
def test_what_an_optimizer_keeps_of_each_weight_counts(
    check: Any, words: list[str], copies: int
) -> None:
    def size(*overrides: str) -> int:
        (model,) = [d for d in list_demands(check(*overrides).run) if d.key == "model"]
        return model.size

    assert size(*words) * 3 == size("optimizer=adam") * copies


@pytest.fixture
def large(check: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(machine, "total_memory", lambda: 24 * GB)
    return check("model.width=60000").run


def test_a_gpu_may_hold_what_this_machine_can_not(
    large: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "may_have_accelerator", lambda: True)
    check_memory(large)
    monkeypatch.setattr(machine, "may_have_accelerator", lambda: False)
    with pytest.raises(ConfigError, match=r"The job has 1 problem:\n  - model would"):
        check_memory(large)


@pytest.mark.parametrize(("memory", "fits"), [(80 * GB, False), (None, True)])
def test_a_claimed_gpu_is_asked_for_its_memory(
    large: Any, memory: int | None, fits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TF_FORCE_UNIFIED_MEMORY", raising=False)
    if fits:
        check_memory(large, gpu_memory=lambda: memory)
    else:
        with pytest.raises(ConfigError, match="the GPU has 80 GB"):
            check_memory(large, gpu_memory=lambda: memory)
    monkeypatch.setenv("TF_FORCE_UNIFIED_MEMORY", "1")
    check_memory(large, gpu_memory=lambda: memory)


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (1_640_000, "1.64 MB"),
        (24 * GB, "24 GB"),
        (3_140_000_000_000, "3.1 TB"),
        (5 * 10**20, "500 EB"),
    ],
)
def test_a_size_is_written_in_words(count: int, words: str) -> None:
    assert write_bytes(count) == words
