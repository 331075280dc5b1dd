from typing import Any

import pytest

from experiments.command.data_jobs import JobsByData, reads_known_place

FOLDER = ("dataset=folder", "dataset.path=/data")


def test_jobs_are_gathered_by_what_they_read(compose: Any) -> None:
    jobs = JobsByData()
    for words in (("seed=1",), ("seed=2",), ("trainer.batch_size=3",), ("seed=3",)):
        jobs.add(compose(*FOLDER, *words))
    assert [group.numbers for group in jobs.groups()] == [(0, 1, 3), (2,)]
    assert [group.run.seed for group in jobs.groups()] == [1, 0]


def test_sweep_knows_which_jobs_read_what(check: Any) -> None:
    plan = check(*FOLDER[:1], "dataset.path=/a,/b", "seed=0,1", multirun=True)
    found = {jobs.run.dataset.known_place: jobs.numbers for jobs in plan.data_jobs}
    assert found == {"/a": (0, 1), "/b": (2, 3)}


def test_jobs_with_other_weights_are_told_apart(check: Any) -> None:
    words = ("model=resnet18", "model.weights=null,/a.pth,/b.pth", "seed=0,1")
    plan = check(*words, multirun=True)
    found = {jobs.run.model.weights: jobs.numbers for jobs in plan.data_jobs}
    assert found == {None: (0, 1), "/a.pth": (2, 3), "/b.pth": (4, 5)}


@pytest.mark.parametrize(
    ("words", "is_read"),
    [
        (FOLDER, True),
        (("dataset=mnist", "dataset.path=/data/mnist.npz"), True),
        (("dataset=mnist",), False),
        (("dataset=digits",), False),
        ((*FOLDER, "task=sync"), False),
        ((*FOLDER, "from_search=abc"), False),
    ],
    ids=str,
)
def test_only_what_a_training_reads_has_a_known_place(
    compose: Any, words: tuple[str, ...], is_read: bool
) -> None:
    assert reads_known_place(compose(*words)) is is_read
