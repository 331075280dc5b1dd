"""Frees the gradients of models that nobody trains any more."""


def forget_models() -> None:
    """Frees what earlier jobs of this process have left.

    TensorFlow keeps the gradient of every custom gradient for ever, since a graph names
    it only. Each holds the graph it was traced in: some 17 MB for a model of Keras,
    whose own functions nobody calls any more when the next job begins.
    """
    import keras
    from tensorflow.python.framework import ops

    gradients = getattr(ops.gradient_registry, "_registry", {})  # not public
    for name in [name for name in gradients if name.startswith("CustomGradient-")]:
        del gradients[name]
    keras.utils.clear_session()  # collects what nobody holds any more
