"""Images are dealt out by the definition: shares, and what belongs together whole."""

from collections import Counter, defaultdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as some
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from experiments.data.dealing import bind, deal

LABELS = some.lists(some.integers(0, 4), min_size=1, max_size=60)
SEEDS = some.integers(0, 2**32 - 1)


def deal_images(labels, ties, shares, seed=0):
    """Returns the part of each image."""
    names = [f"image {number}" for number in range(len(labels))]
    bundles = bind(names, labels, ties, seed=seed)
    chosen = [-1] * len(labels)
    for bundle, part in zip(bundles, deal(bundles, shares), strict=True):
        for image in bundle.members:
            assert chosen[image] == -1, "is in two bundles"
            chosen[image] = part
    return chosen


def count(labels, chosen, parts):
    """Returns class -> how many images of it each part has."""
    table = defaultdict(lambda: [0] * parts)
    for label, part in zip(labels, chosen, strict=True):
        table[label][part] += 1
    return table


@settings(max_examples=50, deadline=None)
@given(labels=LABELS, folds=some.integers(2, 7), seed=SEEDS)
def test_equal_parts_differ_by_at_most_one_image_in_each_class_and_in_all(
    labels, folds, seed
):
    chosen = deal_images(labels, [], [1 / folds] * folds, seed)

    assert set(chosen) <= set(range(folds))
    for sizes in [
        *count(labels, chosen, folds).values(),
        count([0] * len(labels), chosen, folds)[0],
    ]:
        assert max(sizes) - min(sizes) <= 1


@settings(max_examples=50, deadline=None)
@given(labels=LABELS, share=some.floats(0.05, 0.95), seed=SEEDS)
def test_unequal_parts_get_the_nearest_number_of_each_class(labels, share, seed):
    chosen = deal_images(labels, [], [1 - share, share], seed)

    for sizes in count(labels, chosen, 2).values():
        wanted = sum(sizes) * share
        # But a part that would be empty gets one.
        assert abs(sizes[1] - wanted) <= 0.5 + 1e-9 or 1 in sizes
        assert 0 not in sizes or sum(sizes) == 1


@settings(max_examples=50, deadline=None)
@given(
    images=some.lists(
        some.tuples(some.integers(0, 4), some.integers(0, 9), some.integers(0, 30)),
        min_size=1,
        max_size=60,
    ),
    folds=some.integers(2, 5),
    seed=SEEDS,
)
def test_what_shares_a_tie_is_in_one_part(images, folds, seed):
    labels, groups, digests = zip(*images, strict=True)

    chosen = deal_images(labels, [groups, digests], [1 / folds] * folds, seed)

    for column in (groups, digests):
        parts = defaultdict(set)
        for value, part in zip(column, chosen, strict=True):
            parts[value].add(part)
        assert all(len(found) == 1 for found in parts.values())


@settings(max_examples=50, deadline=None)
@given(
    sizes=some.lists(
        some.tuples(some.integers(0, 3), some.integers(1, 6)), min_size=1, max_size=20
    ),
    folds=some.integers(2, 5),
)
def test_groups_of_one_class_leave_parts_that_differ_by_the_largest_at_most(
    sizes, folds
):
    labels = [label for label, size in sizes for _ in range(size)]
    groups = [number for number, (_, size) in enumerate(sizes) for _ in range(size)]

    chosen = deal_images(labels, [groups], [1 / folds] * folds)

    for label, found in count(labels, chosen, folds).items():
        largest = max(size for of, size in sizes if of == label)
        assert max(found) - min(found) <= largest
        if sum(of == label for of, _ in sizes) >= folds:
            assert min(found) > 0


def test_ties_of_several_kinds_bind_like_a_chain():
    bundles = bind(list("abcd"), [0, 1, 0, 1], [[1, 1, 2, 3], [7, 8, 8, 9]], seed=0)

    assert sorted(bundle.members for bundle in bundles) == [(0, 1, 2), (3,)]
    (chain,) = [bundle for bundle in bundles if len(bundle.members) == 3]
    assert chain.classes == Counter({0: 2, 1: 1})


def test_order_of_the_images_does_not_matter():
    names = [f"{number}.jpg" for number in range(40)]
    labels = [number % 3 for number in range(40)]
    order = np.random.default_rng(0).permutation(40)

    def divide(rows):
        own = [names[row] for row in rows]
        bundles = bind(own, [labels[row] for row in rows], [], seed=3)
        parts = deal(bundles, [0.25] * 4)
        members = zip(bundles, parts, strict=True)
        return {own[bundle.members[0]]: part for bundle, part in members}

    assert divide(order) == divide(range(40))


def test_another_seed_deals_otherwise():
    labels = [0] * 30
    first, second = (deal_images(labels, [], [0.5, 0.5], seed) for seed in (0, 1))

    assert first != second


def test_parts_are_fixed_for_all_time():
    assert deal_images([0] * 6 + [1] * 6, [], [1 / 3] * 3) == FIXED


def test_classes_are_as_even_as_those_of_scikit_learn():
    labels = np.random.default_rng(0).integers(0, 7, 400)
    chosen = deal_images(labels.tolist(), [], [0.2] * 5)
    theirs = [
        labels[test] for _, test in StratifiedKFold(5).split(labels[:, None], labels)
    ]

    for part, other in enumerate(theirs):
        ours = np.bincount(labels[np.array(chosen) == part], minlength=7)
        assert abs(ours - np.bincount(other, minlength=7)).max() <= 1


def test_groups_are_as_even_as_those_of_scikit_learn():
    """By its own measure: how the shares of the classes deviate between the folds."""
    ours, theirs = [], []
    for seed in range(10):
        random = np.random.default_rng(seed)
        groups = random.integers(0, 40, 600)
        labels = (groups % 3 + (random.random(600) < 0.2)) % 3
        chosen = np.array(deal_images(labels.tolist(), [groups.tolist()], [0.2] * 5))
        ours.append(deviate(labels, [chosen == part for part in range(5)]))
        split = StratifiedGroupKFold(5).split(labels[:, None], labels, groups)
        theirs.append(deviate(labels, [test for _, test in split]))

    assert np.mean(ours) <= 1.1 * np.mean(theirs)


def deviate(labels, parts):
    counts = np.array([np.bincount(labels[part], minlength=3) for part in parts])
    return (counts / np.bincount(labels)).std(axis=0).mean()


FIXED = [0, 2, 0, 2, 1, 1, 1, 1, 2, 0, 0, 2]
