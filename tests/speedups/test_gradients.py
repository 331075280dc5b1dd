"""What models leave in TensorFlow is freed."""

import gc

import keras
import numpy as np
from tensorflow.python.framework.func_graph import FuncGraph

from experiments.speedups.gradients import forget_models, keeping_models


def test_the_next_job_frees_the_graphs_of_the_last_one() -> None:
    """TensorFlow keeps them for ever, which cost 17 MB for a small model."""

    def count() -> int:
        gc.collect()
        return sum(isinstance(thing, FuncGraph) for thing in gc.get_objects())

    forget_models()
    before = count()
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    model.fit(np.zeros((8, 3)), np.zeros(8, int), verbose=0)
    del model
    keras.utils.clear_session()
    assert count() > before
    forget_models()
    assert count() <= before


def test_guest_frees_its_own_graphs_and_not_those_of_others() -> None:
    from tensorflow.python.framework import ops

    registry = ops.gradient_registry._registry
    registry["CustomGradient-of-others"] = {"type": None}
    try:
        with keeping_models(forget=True):
            registry["CustomGradient-of-the-guest"] = {"type": None}
            forget_models()
            assert "CustomGradient-of-the-guest" in registry
        assert "CustomGradient-of-others" in registry
        assert "CustomGradient-of-the-guest" not in registry
        forget_models()
        assert "CustomGradient-of-others" not in registry
    finally:
        registry.pop("CustomGradient-of-others", None)
