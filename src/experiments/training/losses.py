"""The losses that fit a classifier's head; labels are integers."""

from typing import Any

import keras
from keras import ops


def build_loss(*, from_logits: bool, label_smoothing: float, num_classes: int) -> Any:
    """Builds the cross-entropy for integer labels of shape (B,) or (B, 1).

    Args:
        from_logits: The model gives logits, not probabilities.
        label_smoothing: Share of a label spread evenly over all classes, in [0, 1).
        num_classes: Size of the model's last axis.

    Returns:
        A `keras.losses.Loss`, the mean over the batch.
    """
    if not label_smoothing:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits)
    return SmoothedSparseCategoricalCrossentropy(
        from_logits=from_logits,
        label_smoothing=label_smoothing,
        num_classes=num_classes,
    )


def train_on(model: Any, loss: Any) -> None:
    """Lets a compiled model train on another loss than it is judged by.

    Evaluation stays plain Keras, and so does what is saved. A model that is compiled
    anew trains on what it is compiled with.

    Args:
        model: A compiled `keras.Model` of one output.
        loss: A `keras.losses.Loss`; the layers' own losses are added to it.
    """
    judged, plain = model.loss, model.compute_loss

    def compute_loss(
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        if not training or model.loss is not judged:
            return plain(x, y, y_pred, sample_weight, training=training)
        total = loss(y, y_pred, sample_weight)
        for other in model.losses:
            total = total + ops.sum(ops.cast(other, total.dtype))
        return total

    model.compute_loss = compute_loss


def outputs_probabilities(model: Any) -> bool:
    """Tells whether the last layer of `model`, nested ones included, is a softmax."""
    for layer in reversed(model.layers):
        activation = getattr(layer, "activation", None)
        is_activation = isinstance(layer, keras.layers.Activation)
        if is_activation and activation is keras.activations.linear:
            continue  # a cast to float32 behind the head
        if isinstance(layer, keras.Model):
            return outputs_probabilities(layer)
        is_softmax = isinstance(layer, keras.layers.Softmax)
        return is_softmax or activation is keras.activations.softmax
    return False


@keras.saving.register_keras_serializable(package="experiments")
class SmoothedSparseCategoricalCrossentropy(keras.losses.Loss):
    """Cross-entropy with label smoothing, which Keras has for one-hot labels only.

    Args:
        from_logits: The model gives logits, not probabilities.
        label_smoothing: Share of a label spread evenly over all classes.
        num_classes: Size of the model's last axis.
        name: Name of the loss.
        reduction: How Keras reduces over the batch.
        **arguments: Further arguments of `keras.losses.Loss`.

    Reference:
        Szegedy et al., Rethinking the Inception Architecture, 2016, section 7.
    """

    def __init__(
        self,
        *,
        from_logits: bool,
        label_smoothing: float,
        num_classes: int,
        name: str = "smoothed_sparse_categorical_crossentropy",
        reduction: str = "sum_over_batch_size",
        **arguments: Any,
    ) -> None:
        super().__init__(name=name, reduction=reduction, **arguments)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.num_classes = num_classes

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns the loss of each sample, shape (B,)."""
        labels = ops.reshape(ops.cast(y_true, "int32"), (-1,))
        one_hot = ops.one_hot(labels, self.num_classes, dtype=y_pred.dtype)
        return keras.losses.categorical_crossentropy(
            one_hot,
            y_pred,
            from_logits=self.from_logits,
            label_smoothing=self.label_smoothing,
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
            "num_classes": self.num_classes,
        }
