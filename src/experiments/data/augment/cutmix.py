"""Cutmix by itself."""

from experiments.data.augment.mixup_cutmix import MixupCutmix


class Cutmix(MixupCutmix):
    """Shows another image of the batch in a box.

    Args:
        alpha: Of the beta distribution of the share beside the box.
        probability: Of being mixed at all.
        per: `batch` draws once a batch, `sample` once an image.
    """

    def __init__(self, *, alpha: float, probability: float, per: str) -> None:
        super().__init__(
            mixup_alpha=1.0,
            cutmix_alpha=alpha,
            probability=probability,
            switch_probability=1.0,
            per=per,
        )
