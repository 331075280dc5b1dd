from types import SimpleNamespace

import pytest

from experiments.errors import ExperimentError
from experiments.training.checkpoints.state import PHASE, Position, TrainingState
from experiments.training.loop.keras_loop import TrainingLoop
from experiments.training.loop.phases import Phases
from experiments.training.loop.spending import Spending


@pytest.mark.parametrize(
    ("position", "known", "phase"),
    [
        (Position(2, 11), 2, 0),
        (Position(10**9, 0), 2, 0),
        (Position(1, 0), 2, 0),
        (Position(2, 0), 0, 0),
        (Position(2, 0), 2, 1),  # of a training without phases
    ],
    ids=str,
)
def test_state_that_is_not_one_of_this_training_is_refused(
    position: Position, known: int, phase: int
) -> None:
    """Its file is whole; another program has written it."""
    loop = TrainingLoop(
        model=SimpleNamespace(),
        chain=SimpleNamespace(),  # type: ignore[arg-type]
        train_from=lambda step: None,
        steps_per_epoch=10,
        epochs=3,
        validation={},
        spending=Spending(),
        phases=Phases.one(3),
    )
    state = TrainingState(
        arrays={},
        position=position,
        history=({"loss": 1.0},) * known,
        memory={PHASE: {"number": phase}},
    )

    with pytest.raises(ExperimentError, match=r"of 10 steps each. .*fresh=true"):
        loop.run({}, state)
