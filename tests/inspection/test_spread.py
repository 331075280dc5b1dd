import itertools

import pytest

from experiments.inspection.spread import spread


def test_few_are_all_taken() -> None:
    assert spread(3, 5) == [0, 1, 2]


@pytest.mark.parametrize(("count", "most"), [(1000, 7), (8, 7), (10**6, 2)])
def test_many_are_evenly_apart_with_both_ends(count: int, most: int) -> None:
    taken = spread(count, most)
    assert len(taken) == len(set(taken)) == most
    assert (taken[0], taken[-1]) == (0, count - 1)
    gaps = {later - one for one, later in itertools.pairwise(taken)}
    assert max(gaps) - min(gaps) <= 1
