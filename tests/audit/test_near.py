import numpy as np
import pytest

from experiments.audit.near import count_different_bits, find_near


def find_pairs(hashes: "np.ndarray[tuple[int], np.dtype[np.uint64]]", most: int):
    return {
        pair
        for one, other in find_near(hashes, most)
        for pair in zip(one.tolist(), other.tolist(), strict=True)
    }


def compare_all(hashes, most: int):
    """Compares all with all, by counting ones in the text of each difference."""
    values = hashes.tolist()
    return {
        (i, j)
        for i in range(len(values))
        for j in range(i + 1, len(values))
        if bin(values[i] ^ values[j]).count("1") <= most
    }


def draw_hashes(count: int, seed: int):
    """Returns hashes of which many differ in a few bits, and some in none."""
    random = np.random.RandomState(seed)
    bits = random.randint(0, 2, (count // 4, 64))
    near = bits[random.randint(0, len(bits), count)]
    flips = random.rand(count, 64) < random.choice([0, 0.02, 0.1, 0.3], (count, 1))
    packed = np.packbits(near ^ flips, axis=1)
    return packed.view(">u8").reshape(-1).astype(np.uint64)


@pytest.mark.parametrize("most", [0, 1, 5, 10, 16])
@pytest.mark.parametrize("seed", [0, 1])
def test_what_is_near_is_what_comparing_all_with_all_finds(
    most: int, seed: int
) -> None:
    hashes = draw_hashes(240, seed)
    expected = compare_all(hashes, most)
    assert len(expected) > 10
    assert find_pairs(hashes, most) == expected


def test_every_place_of_the_different_bits_is_found() -> None:
    for start in range(0, 64, 3):
        flipped = [(start + 5 * number) % 64 for number in range(10)]
        other = sum(1 << bit for bit in flipped)
        assert find_pairs(np.array([0, other], np.uint64), 10) == {(0, 1)}
        assert find_pairs(np.array([0, other], np.uint64), 9) == set()


def test_many_equal_hashes_are_compared_in_parts() -> None:
    hashes = np.full(300, 7, np.uint64)
    assert len(find_pairs(hashes, 0)) == 300 * 299 // 2


def test_nothing_and_one_hash_have_no_pair() -> None:
    for count in (0, 1):
        assert find_pairs(np.zeros(count, np.uint64), 3) == set()


def test_different_bits_are_counted() -> None:
    one, other = np.array([0b1011, 2**63], np.uint64), np.array([0b0001, 0], np.uint64)
    assert count_different_bits(one, other).tolist() == [2, 1]
