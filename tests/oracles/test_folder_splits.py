"""The division of images into splits by hash, from its definition.

An image's place is the BLAKE2b hash (RFC 7693, 8 bytes, big-endian, over 2**64) of
`seed:name`; [0, test) is the test split, [test, test + validation) the validation
split, the rest trains. A class of at least as many images as splits has one in each:
no more images are away from their places than there are splits without one, and such a
split gets the image whose place is nearest. Whatever is added, only images that were or
are away move.
"""

import hashlib
import random
from collections import defaultdict

import pytest

from experiments.data.division import choose_splits

FRACTIONS = [(0.15, 0.15), (0.25, 0.25), (0.02, 0.0), (0.5, 0.4), (0.05, 0.6)]


def place(name, seed):
    digest = hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def borders(validation, test):
    found = {"validation": (test, test + validation), "train": (test + validation, 1)}
    return {"test": (0, test), **found} if test else found


def home(name, seed, validation, test):
    for split, (low, high) in borders(validation, test).items():
        if low <= place(name, seed) < high:
            return split
    raise AssertionError(name)


def split(images, seed, validation, test):
    """Returns (class, name) -> split of images given as such pairs."""
    chosen = choose_splits(
        [name for _, name in images],
        [label for label, _ in images],
        validation_fraction=validation,
        test_fraction=test,
        seed=seed,
    )
    return dict(zip(images, chosen, strict=True))


def by_class(chosen):
    classes = defaultdict(dict)
    for (label, name), split in chosen.items():
        classes[label][name] = split
    return classes


def draw_images(random, classes=6, most=12):
    return [
        (label, f"{label}/{random.random()}")
        for label in range(classes)
        for _ in range(random.randint(1, most))
    ]


@pytest.mark.parametrize(("validation", "test"), FRACTIONS)
@pytest.mark.parametrize("seed", range(20))
def test_each_split_has_an_image_of_each_class_that_has_enough(seed, validation, test):
    images = draw_images(random.Random(seed))
    wanted = borders(validation, test)

    for members in by_class(split(images, seed, validation, test)).values():
        homes = {name: home(name, seed, validation, test) for name in members}
        away = {name for name in members if members[name] != homes[name]}
        empty = wanted.keys() - set(homes.values())
        if len(members) < len(wanted):
            assert not away
        else:
            assert set(members.values()) == set(wanted)
            assert len(away) == len(empty)


@pytest.mark.parametrize(("validation", "test"), FRACTIONS)
@pytest.mark.parametrize("seed", range(20))
def test_a_split_without_images_gets_the_one_nearest_to_it(seed, validation, test):
    images = draw_images(random.Random(seed))
    wanted = borders(validation, test)

    for members in by_class(split(images, seed, validation, test)).values():
        homes = {name: home(name, seed, validation, test) for name in members}
        empty = wanted.keys() - set(homes.values())
        if len(members) < len(wanted) or len(empty) != 1:
            continue
        (target,) = empty
        low, high = wanted[target]
        counts = defaultdict(int)
        for split_name in homes.values():
            counts[split_name] += 1
        spare = [name for name in members if counts[homes[name]] > 1]
        nearest = min(
            spare,
            key=lambda name: min(
                abs(place(name, seed) - low), abs(place(name, seed) - high)
            ),
        )
        assert [n for n in members if members[n] != homes[n]] == [nearest]


@pytest.mark.parametrize(("validation", "test"), FRACTIONS)
@pytest.mark.parametrize("seed", range(10))
def test_added_images_move_only_what_is_away_from_its_place(seed, validation, test):
    draw = random.Random(seed)
    images = draw_images(draw, classes=4, most=4)
    before = split(images, seed, validation, test)

    for _ in range(40):
        label = draw.randrange(4)
        images = [*images, (label, f"{label}/{draw.random()}")]
        draw.shuffle(images)
        after = split(images, seed, validation, test)
        moved = {image for image in before if before[image] != after[image]}
        away = {
            (time, image)
            for time, chosen in (("before", before), ("after", after))
            for image in chosen
            if image[0] == label
            and chosen[image] != home(image[1], seed, validation, test)
        }
        assert {image[0] for image in moved} <= {label}
        assert moved <= {image for _, image in away}
        if not any(time == "before" for time, _ in away) and len(moved) > 0:
            # Only a class that had too few images to have one in each split.
            size = sum(1 for image in before if image[0] == label)
            assert size < len(borders(validation, test))
        assert len(moved) <= 2 * (len(borders(validation, test)) - 1)
        before = after


@pytest.mark.parametrize("seed", range(5))
def test_a_class_with_an_image_of_its_own_in_each_split_never_moves_any(seed):
    draw = random.Random(seed)
    images = [(0, f"{number}") for number in range(60)]
    before = split(images, seed, 0.2, 0.2)
    assert all(before[i] == home(i[1], seed, 0.2, 0.2) for i in images)

    more = [(0, f"{draw.random()}") for _ in range(60)]

    assert before.items() <= split([*images, *more], seed, 0.2, 0.2).items()


@pytest.mark.parametrize("seed", range(20))
def test_copies_stay_together_also_where_a_split_has_nothing(seed):
    draw = random.Random(seed)
    names = [f"{draw.random()}" for _ in range(4)]
    images = [(0, name) for name in names for _ in range(draw.randint(1, 3))]
    # The first two are in another class as well, which must not part them either.
    images += [(1, name) for name in (*names[:2], "x", "y", "z")]

    chosen = choose_splits(
        [name for _, name in images],
        [label for label, _ in images],
        validation_fraction=0.2,
        test_fraction=0.2,
        seed=seed,
    )

    splits = defaultdict(set)
    for (_, name), split_name in zip(images, chosen, strict=True):
        splits[name].add(split_name)
    assert {len(found) for found in splits.values()} == {1}
    shared = {name: splits[name] for name in names[:2]}
    assert shared == {name: {home(name, seed, 0.2, 0.2)} for name in shared}


def test_the_shares_are_near_the_fractions():
    images = [(n % 7, f"{n}") for n in range(7000)]

    chosen = list(split(images, 3, 0.2, 0.1).values())

    # Six standard deviations of a binomial distribution.
    assert chosen.count("test") == pytest.approx(700, abs=150)
    assert chosen.count("validation") == pytest.approx(1400, abs=200)
