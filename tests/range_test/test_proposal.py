import pytest

from experiments.range_test.proposal import propose, write_rate
from tests.range_test.made import make_curve

RANGE = {"lowest": 1e-6, "highest": 10.0}


def test_what_is_proposed_lies_between_the_two_rules() -> None:
    curves = [make_curve(seed=n, centre=1e-3, diverges=0.1) for n in range(3)]

    found = propose(curves, **RANGE)

    steep, below = found.steepest[0], found.below_lowest[0]
    assert found.rate == pytest.approx((steep * below) ** 0.5, rel=0.06)
    assert found.override == f"optimizer.lr={write_rate(found.rate)}"
    assert found.reason is None
    assert found.as_dict()["proposal"] == found.override


@pytest.mark.parametrize(
    ("curves", "reason"),
    [
        (
            [make_curve(fall=0.01, diverges=0.1)],
            "the loss of the only seed fell by 0.5 % at most, which is no more than",
        ),
        (
            [make_curve(diverges=100)],
            "the loss of the only seed still falls at the highest rate. Raise "
            "task.highest=10.",
        ),
        (
            [make_curve(diverges=3e-6), make_curve(diverges=0.1)],
            "1 of 2 seeds diverged among the first rates. Lower task.lowest=1e-6.",
        ),
        (
            [make_curve(centre=1e-5, diverges=0.1), make_curve(diverges=0.1)],
            "the curves disagree: by the steepest fall the seeds say 9.5e-6, 0.001.",
        ),
        (
            [make_curve(diverges=0.01), make_curve(diverges=0.5)],
            "the curves disagree: by the least loss the seeds say",
        ),
    ],
)
def test_nothing_is_proposed_where_the_curves_do_not_tell(
    curves: list, reason: str
) -> None:
    found = propose(curves, **RANGE)

    assert found.rate is None
    assert found.override is None
    assert found.reason is not None
    assert found.reason.startswith(reason)


@pytest.mark.parametrize(
    ("rate", "written"),
    [
        (3.1e-4, "3.1e-4"),
        (1e-5, "1e-5"),
        (0.02, "0.02"),
        (1.0, "1"),
        (0.0012, "0.0012"),
    ],
)
def test_a_rate_is_written_as_it_is_typed(rate: float, written: str) -> None:
    assert write_rate(rate) == written
    assert float(written) == rate
