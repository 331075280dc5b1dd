"""Colour jitter: brightness, contrast, saturation and hue, a little more or less."""

from typing import Any

import tensorflow as tf

from experiments.data.augment import filters, levels
from experiments.data.augment.each import change_each
from experiments.data.pipeline.sample_keys import draw_uniform

# What the numbers of a key are for.
_BRIGHTNESS, _CONTRAST, _SATURATION, _HUE, _WHETHER = range(5)


class ColorJitter:
    """Changes the colours of each image by random factors.

    Always in the order brightness, contrast, saturation, hue, where torchvision draws
    the order as well. An image of one channel has no saturation and no hue.

    Args:
        brightness: Factors are uniform in 1 - brightness .. 1 + brightness, and not
            negative.
        contrast: Likewise.
        saturation: Likewise.
        hue: Turns are uniform in -hue .. hue, of the whole circle.
        probability: Of an image to be changed.
    """

    def __init__(
        self,
        *,
        brightness: float,
        contrast: float,
        saturation: float,
        hue: float,
        probability: float,
    ) -> None:
        self.brightness = brightness
        self.contrast = contrast
        self.saturation = saturation
        self.hue = hue
        self.probability = probability

    def __call__(self, images: Any, keys: Any) -> Any:
        """Returns uint8 `(B, H, W, C)`; see `Augment`."""
        return change_each(
            self._change,
            images,
            draw_uniform(keys, _WHETHER) < self.probability,
            _draw_factors(keys, _BRIGHTNESS, self.brightness),
            _draw_factors(keys, _CONTRAST, self.contrast),
            _draw_factors(keys, _SATURATION, self.saturation),
            (2 * draw_uniform(keys, _HUE) - 1) * self.hue,
        )

    def _change(
        self,
        images: Any,
        happens: Any,
        brightness: Any,
        contrast: Any,
        saturation: Any,
        turns: Any,
    ) -> Any:
        def change() -> Any:
            changed = images
            if self.brightness:
                changed = levels.brighten(changed, brightness)
            if self.contrast:
                changed = levels.change_contrast(changed, contrast)
            if self.saturation:
                changed = filters.saturate(changed, saturation)
            if self.hue and images.shape[-1] == 3:
                changed = turn_hue(changed, turns)
            return changed

        return tf.cond(happens[0], change, lambda: images)


def turn_hue(images: Any, turns: Any) -> Any:
    """Returns images whose hues are turned, uint8 `(B, H, W, 3)`.

    Args:
        images: uint8 `(B, H, W, 3)`.
        turns: Of the whole circle, float32 `(B,)`.
    """
    hsv = tf.image.rgb_to_hsv(tf.cast(images, tf.float32) / 255)
    hue = tf.math.floormod(hsv[..., 0] + turns[:, None, None], 1.0)
    turned = tf.image.hsv_to_rgb(tf.stack([hue, hsv[..., 1], hsv[..., 2]], axis=-1))
    return tf.cast(tf.floor(turned * 255 + 0.5), tf.uint8)


def _draw_factors(keys: Any, number: int, most: float) -> Any:
    factors = 1 + (2 * draw_uniform(keys, number) - 1) * most
    return tf.maximum(factors, 0)
