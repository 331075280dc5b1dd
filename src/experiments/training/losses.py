"""The losses that fit a classifier's head.

Labels are integers, and in training also the shares that classes have of a mixed image.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from experiments.training.image_losses import CrossEntropy


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
    return build_training_loss(
        from_logits=from_logits,
        label_smoothing=label_smoothing,
        num_classes=num_classes,
    )


def build_training_loss(
    *,
    from_logits: bool,
    label_smoothing: float,
    num_classes: int,
    of_image: Any = None,
    class_weights: Sequence[float] | None = None,
    has_several: bool = False,
) -> Any:
    """Builds what training minimises, of labels of either kind.

    Args:
        from_logits: See `build_loss`.
        label_smoothing: See `build_loss`; of mixed labels too.
        num_classes: See `build_loss`.
        of_image: The loss of an image, see `image_losses`; `None` for cross-entropy.
        class_weights: What the images of each class count; `None` for 1 each.
        has_several: Whether an image may have several labels.

    Returns:
        A `keras.losses.Loss`, the mean over the batch, of integer labels `(B,)` or
        shares `(B, num_classes)`, whose rows sum to 1 unless there are several labels.
    """
    return TrainingLoss(
        CrossEntropy(from_logits=from_logits) if of_image is None else of_image,
        label_smoothing=label_smoothing,
        num_classes=num_classes,
        class_weights=class_weights,
        has_several=has_several,
    )


def build_several_loss() -> Any:
    """Builds what a model of several labels an image is judged by, of logits.

    Returns:
        A `keras.losses.Loss`, binary cross-entropy: the mean over classes and batch.
    """
    return keras.losses.BinaryCrossentropy(from_logits=True)


def holds_shares(labels: Any, num_classes: int) -> bool:
    """Tells whether labels are shares `(B, num_classes)`, not integers `(B,)`."""
    shape = tuple(labels.shape)
    return len(shape) == 2 and shape[-1] == num_classes > 1


def train_on(model: Any, loss: Any) -> None:
    """Lets a compiled model train on another loss than it is judged by.

    Evaluation stays plain Keras, and so does what is saved: an image with the shares of
    several classes, which Keras' metrics of integer labels do not know, counts in them
    as one of the class with the largest share. A model that is compiled anew trains on
    what it is compiled with.

    Args:
        model: A compiled `keras.Model` of one output.
        loss: A `keras.losses.Loss`; the layers' own losses are added to it.
    """
    judged, plain, measure = model.loss, model.compute_loss, model.compute_metrics
    judge = _round if getattr(loss, "has_several", False) else _largest_share

    def compute_loss(
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        if model.loss is not judged:
            return plain(x, y, y_pred, sample_weight, training=training)
        if not training:  # Keras asks so for shapes of training labels, too
            y = judge(y, y_pred)
            return plain(x, y, y_pred, sample_weight, training=training)
        total = loss(y, y_pred, sample_weight)
        for other in model.losses:  # a replica's share of it, as of the loss itself
            share = model._aggregate_additional_loss(other)
            total = total + ops.cast(share, total.dtype)
        return total

    def compute_metrics(x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        if model.loss is judged:
            y = judge(y, y_pred)
        return measure(x, y, y_pred, sample_weight)

    model.compute_loss = compute_loss
    model.compute_metrics = compute_metrics


def _largest_share(labels: Any, scores: Any) -> Any:
    return ops.argmax(labels, -1) if holds_shares(labels, scores.shape[-1]) else labels


def _round(labels: Any, scores: Any) -> Any:
    """Returns as there what has more than half of a mixed image."""
    return ops.cast(ops.cast(labels, scores.dtype) > 0.5, scores.dtype)


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


class TrainingLoss(keras.losses.Loss):
    """Makes the targets of a loss out of labels, smooths them and weighs the images.

    Labels are integers, or the shares of each class in an image, which counts as the
    weights of its classes by their shares. The mean is over the images, not over their
    weights, as with Keras' `class_weight`. Nothing that is saved holds it: a model is
    judged by another loss.

    Args:
        of_image: A `keras.losses.Loss` of targets and outputs `(B, num_classes)`, see
            `image_losses`.
        label_smoothing: Share of a label spread evenly over all classes; of several
            labels, of each, over yes and no.
        num_classes: Size of the model's last axis.
        class_weights: What the images of each class count; `None` for 1 each.
        has_several: Whether an image may have several labels.

    Reference:
        Szegedy et al., Rethinking the Inception Architecture, 2016, section 7.
    """

    def __init__(
        self,
        of_image: Any,
        *,
        label_smoothing: float,
        num_classes: int,
        class_weights: Sequence[float] | None = None,
        has_several: bool = False,
    ) -> None:
        super().__init__(name="training_loss")
        self.has_several = has_several
        self.of_image = of_image
        self.label_smoothing = label_smoothing
        self.num_classes = num_classes
        self.class_weights = class_weights

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns the loss of each sample, shape (B,)."""
        if holds_shares(y_true, self.num_classes):
            shares = ops.cast(y_true, y_pred.dtype)
        else:
            labels = ops.reshape(ops.cast(y_true, "int32"), (-1,))
            if self._is_plain():
                return keras.losses.sparse_categorical_crossentropy(
                    labels, y_pred, from_logits=self.of_image.from_logits
                )
            shares = ops.one_hot(labels, self.num_classes, dtype=y_pred.dtype)
        losses = self.of_image.call(self._smooth(shares), y_pred)
        if self.class_weights is None:
            return losses
        weights = ops.convert_to_tensor(self.class_weights, dtype=shares.dtype)
        return losses * ops.sum(shares * weights, axis=-1)

    def _is_plain(self) -> bool:
        changed = self.label_smoothing or self.class_weights is not None
        return isinstance(self.of_image, CrossEntropy) and not changed

    def _smooth(self, shares: Any) -> Any:
        if not self.label_smoothing:
            return shares
        # As Keras computes it, to the last bit.
        answers = 2 if self.has_several else self.num_classes
        others = self.label_smoothing / ops.cast(answers, shares.dtype)
        return shares * (1.0 - self.label_smoothing) + others
