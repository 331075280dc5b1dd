"""In which scope a model is built."""

import keras

from experiments.runtime.devices import Devices
from experiments.speedups.scope import variable_scope


def test_variables_of_one_device_have_one_name_beside_their_paths() -> None:
    """TensorFlow takes longer for a variable whose name it has not met."""
    layers = [keras.layers.Dense(2, name=name) for name in ("a", "b")]
    with variable_scope(Devices(()), "tensorflow"):
        for layer in layers:
            layer.build((None, 3))
    variables = [variable for layer in layers for variable in layer.variables]
    assert {variable.value.name for variable in variables} == {"variable:0"}
    paths = ["a/kernel", "a/bias", "b/kernel", "b/bias"]
    assert [variable.path for variable in variables] == paths
