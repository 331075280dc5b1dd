"""Mixup by itself."""

from experiments.data.augment.mixup_cutmix import MixupCutmix


class Mixup(MixupCutmix):
    """Blends an image with another of its batch.

    Args:
        alpha: Of the beta distribution of the shares.
        probability: Of being mixed at all.
        per: `batch` draws once a batch, `sample` once an image.
    """

    def __init__(self, *, alpha: float, probability: float, per: str) -> None:
        super().__init__(
            mixup_alpha=alpha,
            cutmix_alpha=1.0,
            probability=probability,
            switch_probability=0.0,
            per=per,
        )
