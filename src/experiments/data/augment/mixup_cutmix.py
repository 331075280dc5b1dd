"""Mixup and cutmix: images and labels of two samples in one."""

from typing import Any

import tensorflow as tf

from experiments.data.augment import mixing
from experiments.data.augment.beta import draw_beta
from experiments.data.augment.boxes import fill_boxes
from experiments.data.pipeline.sample_keys import draw_uniform

# What the numbers of a key are for; a share takes two, and so does a box.
_WHETHER, _WHICH, _MIXUP, _CUTMIX, _BOX = 0, 1, 2, 4, 6


class MixupCutmix:
    """Blends an image with another of its batch, or shows the other in a box of it.

    Partners are the first and the last image of a batch, the second and the last but
    one, and so on: batches are in random order.

    Args:
        mixup_alpha: Of the beta distribution of the shares of a blend.
        cutmix_alpha: Of that of the shares beside a box.
        probability: Of being mixed at all.
        switch_probability: Of a box, where something is mixed; 0 is mixup alone, 1 is
            cutmix alone.
        per: `batch` draws once a batch, `sample` once an image.

    Reference:
        Zhang et al. (2017), mixup, arXiv:1710.09412; Yun et al. (2019), CutMix,
        arXiv:1905.04899; either of both, and the partners, as in timm's `Mixup`.
    """

    def __init__(
        self,
        *,
        mixup_alpha: float,
        cutmix_alpha: float,
        probability: float,
        switch_probability: float,
        per: str,
    ) -> None:
        self.mixup_alpha = mixup_alpha
        self.cutmix_alpha = cutmix_alpha
        self.probability = probability
        self.switch_probability = switch_probability
        self.per = per

    def mix(self, images: Any, labels: Any, keys: Any) -> tuple[Any, Any]:
        """Returns uint8 `(B, H, W, C)` and float32 `(B, classes)`; see `MixAugment`."""
        keys = mixing.one_for_all(keys) if self.per == "batch" else keys
        happens = draw_uniform(keys, _WHETHER) < self.probability
        is_box = draw_uniform(keys, _WHICH) < self.switch_probability
        shares = tf.where(happens, draw_beta(keys, _MIXUP, self.mixup_alpha), 1.0)

        def blend() -> tuple[Any, Any]:
            return mixing.blend_images(images, shares), shares

        def paste() -> tuple[Any, Any]:
            beside = draw_beta(keys, _CUTMIX, self.cutmix_alpha)
            size = tuple(images.shape[1:3])
            rows, columns = mixing.place_boxes(beside, keys, _BOX, size)
            rows &= (happens & is_box)[:, None]
            pasted = fill_boxes(images, mixing.pair(images), rows, columns)
            return pasted, mixing.share_outside(rows, columns)

        if self.per == "batch":
            mixed, own = tf.cond(is_box[0], paste, blend)
        else:
            (blended, own), (pasted, outside) = blend(), paste()
            mixed = tf.where(is_box[:, None, None, None], pasted, blended)
            own = tf.where(is_box, outside, own)
        mixed = tf.ensure_shape(mixed, images.shape)
        return mixed, mixing.mix_labels(labels, own)
