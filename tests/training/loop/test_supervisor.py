"""What a supervisor says; what it does is tried by `tests/training/test_resume.py`."""

from types import SimpleNamespace
from typing import Any

import pytest

from experiments.interruption import StopRequest
from experiments.training.callbacks.checkpoint import Checkpoint
from experiments.training.loop import supervisor as module
from experiments.training.loop.supervisor import Limits, Supervisor

SAVED = ", and its state is saved"
LOST = "nothing is saved, because callbacks.checkpoint is off"


class Keeping(Checkpoint):
    """A checkpoint that writes nothing."""

    def __init__(self) -> None:
        pass

    def end_step(self, capture: Any) -> None:
        pass

    def end_epoch(self, *args: Any, **more: Any) -> None:
        pass


@pytest.mark.parametrize("saves", [True, False])
def test_what_a_stop_means_follows_the_training(
    saves: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "copy_metrics", lambda model: {})
    stop = StopRequest()
    supervisor = Supervisor(
        {"checkpoint": Keeping()} if saves else {},
        epochs=3,
        steps_per_epoch=2,
        history=[],
        stop=stop,
        limits=Limits(),
    )
    supervisor.set_model(SimpleNamespace(stop_training=False))
    plans = [supervisor.plan_of_start]
    stop.plan = supervisor.plan_of_start
    for epoch in range(2):
        supervisor.on_epoch_begin(epoch)
        for batch in range(2):
            supervisor.on_train_batch_begin(batch)
            plans.append(stop.plan)
        supervisor.on_test_begin()
        plans.append(stop.plan)
        supervisor.on_test_end()
        supervisor.on_epoch_end(epoch, {"loss": 1.0})

    end = SAVED if saves else f"; {LOST}"
    first = f"stopping after the first step, which is being compiled{end}"
    step = f"stopping after this step{end}"
    again = "this validation is done again when the job continues"
    validation = f"stopping: {again if saves else LOST}"
    assert plans == [first, first, step, validation, step, step, validation]
