"""Shares are of the beta distribution, and labels follow the pixels."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from experiments.data.augment.beta import draw_beta
from experiments.data.augment.cutmix import Cutmix
from experiments.data.augment.mixup import Mixup
from experiments.data.augment.mixup_cutmix import MixupCutmix
from experiments.data.pipeline.sample_keys import derive_key, key_from_seed

COUNT = 64
KEYS = derive_key(key_from_seed(5), tf.range(COUNT))
# Image n has the value 2 n everywhere, and is of class n.
VALUES = 2 * tf.range(COUNT)[:, None, None, None]
IMAGES = tf.cast(tf.tile(VALUES, (1, 9, 8, 3)), tf.uint8)
LABELS = tf.eye(COUNT)


@pytest.mark.parametrize("alpha", [0.2, 0.8, 1.0, 4.0])
def test_shares_are_of_the_beta_distribution(alpha):
    keys = derive_key(key_from_seed(1), tf.range(20_000))
    shares = draw_beta(keys, 2, alpha).numpy()
    lower = shares[shares < 0.5]  # near 1 a float has no digits left
    assert len(lower) / len(shares) == pytest.approx(0.5, abs=0.02)
    cdf = stats.beta(alpha, alpha).cdf
    assert stats.kstest(lower, lambda x: 2 * cdf(x)).pvalue > 0.01
    assert ((shares >= 0) & (shares <= 1)).all()


def read(images, labels):
    """Returns each sample's own share by its label, and the mean of its pixels."""
    assert images.dtype == tf.uint8
    assert labels.dtype == tf.float32
    assert np.allclose(labels.numpy().sum(axis=1), 1, atol=1e-6)
    assert (np.count_nonzero(labels, axis=1) <= 2).all()
    return np.diag(labels), images.numpy().mean(axis=(1, 2, 3))


def expect(shares):
    own = 2 * np.arange(COUNT)
    return shares * own + (1 - shares) * own[::-1]


@pytest.mark.parametrize("per", ["batch", "sample"])
def test_blend_has_the_share_of_its_label(per):
    augment = Mixup(alpha=0.8, probability=1.0, per=per)
    shares, means = read(*augment.mix(IMAGES, LABELS, KEYS))
    assert np.allclose(means, expect(shares), atol=0.51)
    assert (np.ptp(shares) > 0.1) == (per == "sample")


@pytest.mark.parametrize("per", ["batch", "sample"])
def test_box_has_the_share_of_its_label(per):
    augment = Cutmix(alpha=1.0, probability=1.0, per=per)
    images, labels = augment.mix(IMAGES, LABELS, KEYS)
    shares, means = read(images, labels)
    assert np.allclose(means, expect(shares), atol=1e-3)
    own = (images == IMAGES) | (images == IMAGES[::-1])
    assert tf.reduce_all(own)  # nothing is blended


@pytest.mark.parametrize("per", ["batch", "sample"])
def test_probability_is_that_of_being_mixed(per):
    values = {"mixup_alpha": 0.8, "cutmix_alpha": 1.0, "switch_probability": 0.0}
    augment = MixupCutmix(**values, probability=0.5, per=per)
    shares = []
    for number in range(24):
        keys = derive_key(key_from_seed(number), tf.range(COUNT))
        found, means = read(*augment.mix(IMAGES, LABELS, keys))
        assert np.allclose(means, expect(found), atol=0.51)
        shares.append(found)
    mixed = np.mean(np.array(shares) < 1)
    assert mixed == pytest.approx(0.5, abs=0.3 if per == "batch" else 0.06)


def test_either_is_met_and_never_mixed_stays_as_it_is():
    values = {"mixup_alpha": 1.0, "cutmix_alpha": 1.0, "switch_probability": 0.5}
    images, _ = MixupCutmix(**values, probability=1, per="sample").mix(
        IMAGES, LABELS, KEYS
    )
    own = (images == IMAGES) | (images == IMAGES[::-1])
    blended = 1 - tf.reduce_all(own, axis=(1, 2, 3)).numpy().mean()
    assert 0.2 < blended < 0.8
    images, labels = MixupCutmix(**values, probability=0, per="sample").mix(
        IMAGES, LABELS, KEYS
    )
    assert tf.reduce_all(images == IMAGES)
    assert tf.reduce_all(labels == LABELS)
