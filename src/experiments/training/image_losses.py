"""The loss of an image: the choices of the group `loss`.

Each gets targets, float32 `(B, classes)`, which are one-hot, mixed or smoothed, so that
their rows sum to 1 unless images may have several labels, and what the network says, of
the same shape; it gives float32 `(B,)`.
"""

from typing import Any, Literal

import keras
from keras import ops


class CrossEntropy(keras.losses.Loss):
    """How unlikely the softmax of the logits holds the target.

    Args:
        from_logits: The network gives logits, not probabilities.
    """

    def __init__(self, *, from_logits: bool) -> None:
        super().__init__(name="cross_entropy")
        self.from_logits = from_logits

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns `-sum_c q_c log p_c` of each image, shape (B,)."""
        return keras.losses.categorical_crossentropy(
            y_true, y_pred, from_logits=self.from_logits
        )


class BinaryCrossEntropy(keras.losses.Loss):
    """Each class is a question of its own: is it in the image?

    Args:
        from_logits: Must be true: `sigmoid(logit)` is the answer for each class.
        target_threshold: What is above it counts as 1 and all else as 0, so that both
            classes of a mixed image are fully there; `None` keeps the shares.
        over_classes: `mean` or `sum` of a row's classes.

    Raises:
        ValueError: The network gives probabilities.

    Reference:
        Wightman et al., ResNet strikes back, 2021, section 3, and timm's
        `BinaryCrossEntropy`, which has the threshold after the smoothing too.
    """

    def __init__(
        self,
        *,
        from_logits: bool,
        target_threshold: float | None,
        over_classes: Literal["mean", "sum"],
    ) -> None:
        if not from_logits:
            raise ValueError("`from_logits` must be true. Received: False.")
        super().__init__(name="binary_cross_entropy")
        self.target_threshold = target_threshold
        self.reduce = ops.mean if over_classes == "mean" else ops.sum

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns `-q log s - (1 - q) log(1 - s)` over the classes, shape (B,)."""
        if self.target_threshold is not None:
            y_true = ops.cast(y_true > self.target_threshold, y_pred.dtype)
        losses = ops.binary_crossentropy(y_true, y_pred, from_logits=True)
        return self.reduce(losses, axis=-1)


class BinaryFocalLoss(keras.losses.Loss):
    """Binary cross-entropy that leaves out more of what is nearly right already.

    Args:
        from_logits: Must be true, see `BinaryCrossEntropy`.
        gamma: 0 is the binary cross-entropy; the more, the less a class counts that the
            network is sure of.
        alpha: Weight of a class that is there, and 1 - alpha of one that is not; `None`
            for 1 each.
        over_classes: `mean` or `sum` of a row's classes.

    Raises:
        ValueError: The network gives probabilities.

    Reference:
        Lin et al., Focal Loss for Dense Object Detection, 2017, section 3.2: theirs is
        the sum, with gamma 2 and alpha 0.25.
    """

    def __init__(
        self,
        *,
        from_logits: bool,
        gamma: float,
        alpha: float | None,
        over_classes: Literal["mean", "sum"],
    ) -> None:
        if not from_logits:
            raise ValueError("`from_logits` must be true. Received: False.")
        super().__init__(name="binary_focal")
        self.gamma = gamma
        self.alpha = alpha
        self.reduce = ops.mean if over_classes == "mean" else ops.sum

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns `-a (1 - p)^gamma log p` of the right answers, shape (B,)."""
        losses = ops.binary_crossentropy(y_true, y_pred, from_logits=True)
        there = ops.sigmoid(y_pred)
        wrong = y_true * (1.0 - there) + (1.0 - y_true) * there
        # A power below 1 has no slope at 0.
        losses = losses * ops.power(
            ops.maximum(wrong, keras.config.epsilon()), self.gamma
        )
        if self.alpha is not None:
            losses = losses * (
                y_true * self.alpha + (1.0 - y_true) * (1.0 - self.alpha)
            )
        return self.reduce(losses, axis=-1)


class FocalLoss(keras.losses.Loss):
    """Cross-entropy that leaves out more of what is nearly right already.

    Args:
        from_logits: The network gives logits, not probabilities.
        gamma: 0 is the cross-entropy; the more, the less an image counts that the
            network is sure of.
        alpha: What all of it is multiplied by.

    Reference:
        Lin et al., Focal Loss for Dense Object Detection, 2017, section 3.2. Their
        network asks about each class by itself; with the softmax of all classes, as
        here and in `keras.losses.CategoricalFocalCrossentropy`, there is one `alpha`,
        and weights of the classes are a matter of their own.
    """

    def __init__(self, *, from_logits: bool, gamma: float, alpha: float) -> None:
        super().__init__(name="focal")
        self.from_logits = from_logits
        self.gamma = gamma
        self.alpha = alpha

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns `-alpha sum_c q_c (1 - p_c)^gamma log p_c`, shape (B,)."""
        logarithms = _log_probabilities(y_pred, from_logits=self.from_logits)
        # A power below 1 has no slope at 0.
        rest = ops.maximum(1.0 - ops.exp(logarithms), keras.config.epsilon())
        losses = -y_true * ops.power(rest, self.gamma) * logarithms
        return self.alpha * ops.sum(losses, axis=-1)


class PolyLoss(keras.losses.Loss):
    """Cross-entropy with more, or less, of the first term of its series.

    Args:
        from_logits: The network gives logits, not probabilities.
        epsilon: What is added to the first coefficient, which is 1.

    Reference:
        Leng et al., PolyLoss, 2022, section 4: Poly-1.
    """

    def __init__(self, *, from_logits: bool, epsilon: float) -> None:
        super().__init__(name="poly")
        self.from_logits = from_logits
        self.epsilon = epsilon

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns `sum_c q_c (epsilon (1 - p_c) - log p_c)`, shape (B,)."""
        logarithms = _log_probabilities(y_pred, from_logits=self.from_logits)
        rest = 1.0 - ops.exp(logarithms)
        return ops.sum(y_true * (self.epsilon * rest - logarithms), axis=-1)


def _log_probabilities(outputs: Any, *, from_logits: bool) -> Any:
    if from_logits:
        return ops.log_softmax(outputs, axis=-1)
    return ops.log(ops.maximum(outputs, keras.config.epsilon()))
