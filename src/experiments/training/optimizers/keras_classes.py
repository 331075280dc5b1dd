"""Keras optimizers with `lr` as the key and no decay where it does harm."""

from typing import Any

from experiments.speedups.fused import fuse_updates
from experiments.training.optimizers.averaging import keep_averages_apart
from experiments.training.optimizers.schedule_free import end_with_average


def build_optimizer(
    optimizer_class: Any,
    *,
    lr: Any,
    model: Any,
    weight_decay: float | None = None,
    decay_norm_and_bias: bool = False,
    clip_norm: float | None = None,
    global_clip_norm: float | None = None,
    clip_value: float | None = None,
    ema_momentum: float | None = None,
    fused: bool = True,
    **arguments: Any,
) -> Any:
    """Builds a fresh optimizer for `model`.

    Keras decays decoupled from the gradient: each step multiplies a decayed weight by
    `1 - lr * weight_decay`, with Adam as with SGD. A recipe that adds an L2 term to
    the gradient instead has it accumulated by the momentum: its decay corresponds to
    `weight_decay / (1 - momentum)` here.

    Args:
        optimizer_class: A subclass of `keras.optimizers.Optimizer`.
        lr: Learning rate: a positive number or a `LearningRateSchedule`.
        model: A built `keras.Model`; says which variables are not decayed.
        weight_decay: Decay in units of the learning rate; `None` for none.
        decay_norm_and_bias: Decay biases too, and what else has less than two
            dimensions: the scales and offsets of normalisations.
        clip_norm: Largest L2 norm of the gradient of one variable.
        global_clip_norm: Largest L2 norm of all gradients together.
        clip_value: Largest magnitude of an element of a gradient.
        ema_momentum: Keeps a moving average of the weights, which validation and the
            final model use: each step it moves by `1 - ema_momentum` towards them.
            `None` keeps none.
        fused: Update each variable by one operation where it can, see `fuse_updates`.
        **arguments: The class's own keyword arguments.

    Returns:
        An optimizer that belongs to no model yet.

    Raises:
        ValueError: `model` has no weights yet.
    """
    if not model.built:
        raise ValueError(
            "`model` must be built, since its variables decide what is decayed. "
            f"Received: {model.name!r}, not built. Give it an input shape first."
        )
    optimizer = optimizer_class(
        learning_rate=lr,
        weight_decay=weight_decay,
        clipnorm=clip_norm,
        global_clipnorm=global_clip_norm,
        clipvalue=clip_value,
        use_ema=ema_momentum is not None,
        ema_momentum=ema_momentum or 0.99,  # Keras insists on a number
        **arguments,
    )
    if not decay_norm_and_bias:  # of some classes the decay has another name
        optimizer.exclude_from_weight_decay(
            var_list=[
                variable
                for variable in model.trainable_variables
                if len(variable.shape) < 2 or variable.name == "bias"  # one a head
            ]
        )
    if fused:
        fuse_updates(optimizer)
    keep_averages_apart(optimizer)
    end_with_average(optimizer)
    return optimizer


def scale_lr(lr: float, *, batch_size: int, reference_batch_size: int | None) -> float:
    """Scales a learning rate linearly to another batch size.

    Args:
        lr: Rate that is right for a batch of `reference_batch_size` images.
        batch_size: Images a step, over all devices together.
        reference_batch_size: `None` returns `lr` as it is.

    Returns:
        `lr * batch_size / reference_batch_size`.

    Reference:
        Goyal et al., Accurate, Large Minibatch SGD, 2017, section 2.1.
    """
    if reference_batch_size is None:
        return lr
    return lr * batch_size / reference_batch_size
