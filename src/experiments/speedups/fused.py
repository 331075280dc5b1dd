"""Updates of Adam and SGD as one operation of TensorFlow for each variable.

Keras writes an update as many small operations for each variable, and tracing them is
a large part of what the first training step of a ResNet-50 takes. TensorFlow has the
same formulas as one operation each. Adam's has `1 - beta_2` in float32, as the bias
correction has in both: with 0.999 its steps are 2e-5 of their length shorter.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras


def fuse_updates(optimizer: Any) -> bool:
    """Lets an optimizer update each variable by one operation where it can.

    That is on TensorFlow without a distribution strategy, for `Adam` without AMSGrad,
    `AdamW`, `SGD` and what inherits their update, and for float32 weights. Clipping,
    decay and averaging stay Keras', and so does what is saved.

    Args:
        optimizer: A `keras.optimizers.Optimizer`.

    Returns:
        Whether it does.
    """
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    fused = _FUSED.get(type(optimizer).update_step)
    amsgrad = getattr(optimizer, "amsgrad", False)
    if fused is None or amsgrad or tf.distribute.has_strategy():
        return False
    plain = optimizer._backend_update_step

    def update(grads: Sequence[Any], variables: Sequence[Any], lr: Any) -> None:
        whole = not any(isinstance(grad, tf.IndexedSlices) for grad in grads)
        if whole and all(variable.dtype == "float32" for variable in variables):
            fused(optimizer, grads, variables, tf.cast(lr, tf.float32))
        else:
            plain(grads, variables, lr)

    optimizer._backend_update_step = update
    return True


def _update_by_adam(
    optimizer: Any, grads: Sequence[Any], variables: Sequence[Any], lr: Any
) -> None:
    import tensorflow as tf

    step = tf.cast(optimizer.iterations, tf.float32) + 1
    shared = {
        "lr": lr,
        "beta1": tf.constant(optimizer.beta_1),
        "beta1_power": optimizer.beta_1**step,
        "beta2": tf.constant(optimizer.beta_2),
        "beta2_power": optimizer.beta_2**step,
        "epsilon": tf.constant(optimizer.epsilon),
    }
    for grad, variable in zip(grads, variables, strict=True):
        index = optimizer._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=optimizer._momentums[index].handle,
            v=optimizer._velocities[index].handle,
            grad=tf.cast(grad, tf.float32),
            **shared,
        )


def _update_by_sgd(
    optimizer: Any, grads: Sequence[Any], variables: Sequence[Any], lr: Any
) -> None:
    import tensorflow as tf

    momentum = tf.constant(float(optimizer.momentum))
    for grad, variable in zip(grads, variables, strict=True):
        grad = tf.cast(grad, tf.float32)
        if optimizer.momentum == 0:
            tf.raw_ops.ResourceApplyGradientDescent(
                var=variable.handle, alpha=lr, delta=grad
            )
            continue
        index = optimizer._get_variable_index(variable)
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=variable.handle,
            accum=optimizer.momentums[index].handle,
            lr=lr,
            grad=grad,
            momentum=momentum,
            use_nesterov=optimizer.nesterov,
        )


_Update = Callable[[Any, Sequence[Any], Sequence[Any], Any], None]
_FUSED: dict[Any, _Update] = {
    keras.optimizers.Adam.update_step: _update_by_adam,
    keras.optimizers.SGD.update_step: _update_by_sgd,
}
