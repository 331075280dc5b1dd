from experiments.heartbeat import beat, count_beats
from experiments.progress import show_progress


def test_what_goes_on_is_counted() -> None:
    before = count_beats()
    beat()
    assert count_beats() == before + 1


def test_what_says_how_far_it_is_goes_on() -> None:
    before = count_beats()
    with show_progress() as show:
        show("1 of 2")  # not on the screen, so soon
        show("2 of 2")
    assert count_beats() == before + 2
