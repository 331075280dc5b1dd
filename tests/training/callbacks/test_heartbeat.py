import keras
import numpy as np
import pytest

from experiments.heartbeat import count_beats
from experiments.training.callbacks.heartbeat import Heartbeat


@pytest.mark.parametrize("ask", ["evaluate", "predict"])
def test_each_batch_that_a_model_is_asked_about_is_a_sign_of_life(ask: str) -> None:
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(loss="mse")
    inputs = np.zeros((6, 2), np.float32)
    given = (inputs, inputs[:, :1]) if ask == "evaluate" else (inputs,)
    before = count_beats()
    getattr(model, ask)(*given, batch_size=2, callbacks=[Heartbeat()], verbose=0)
    assert count_beats() - before == 3
