import threading
from collections.abc import Callable
from typing import Any

import pytest

from experiments.errors import Preempted
from experiments.workers.crew import Crew


def crew_of(items: list[int], **changes: Any) -> Crew[int, int]:
    """Doubles numbers, two at a time."""
    left = list(items)
    defaults: dict[str, Any] = {
        "choose": lambda: left.pop(0) if left else None,
        "begin": lambda item: None,
        "work": lambda item: 2 * item,
        "end": lambda item, outcome: None,
        "n_jobs": 2,
        "stop": lambda cause: None,
    }
    return Crew(**{**defaults, **changes})


def test_each_item_begins_is_worked_on_and_ends_once() -> None:
    begun: list[int] = []
    ended: dict[int, int] = {}
    crew_of([1, 2, 3, 4, 5], begin=begun.append, end=ended.__setitem__).run()
    assert begun == [1, 2, 3, 4, 5]
    assert ended == {1: 2, 2: 4, 3: 6, 4: 8, 5: 10}


def test_behind_an_obstacle_nothing_starts_and_what_runs_ends() -> None:
    obstacles = iter([None, None, Preempted("no room")])
    ended: dict[int, int] = {}
    stopped = threading.Event()
    crew = crew_of(
        [1, 2, 3, 4],
        end=ended.__setitem__,
        find_obstacle=lambda item: next(obstacles),
        stop=lambda cause: stopped.set(),
    )
    with pytest.raises(Preempted, match="no room"):
        crew.run()
    assert ended == {1: 2, 2: 4}
    assert not stopped.is_set()


def test_no_obstacle_matters_when_nothing_is_left() -> None:
    asked: list[int] = []

    def find(item: int) -> Preempted | None:
        asked.append(1)
        return None if len(asked) < 3 else Preempted("no room")

    crew_of([1, 2], find_obstacle=find).run()


@pytest.mark.parametrize("where", ["choose", "begin", "work", "end"])
def test_what_is_raised_stops_the_rest_and_is_waited_for(where: str) -> None:
    stopped, waited = threading.Event(), threading.Event()
    causes: list[BaseException] = []

    def stop(cause: BaseException) -> None:
        causes.append(cause)
        stopped.set()

    def fail(*_: Any) -> Any:
        raise ValueError(where)

    def work(item: int) -> int:
        if item == 1:
            assert stopped.wait(60)
            waited.set()
            return 0
        return fail() if where == "work" else 0

    changes: dict[str, Callable[..., Any]] = {"work": work, "stop": stop}
    left = [1, 2]
    if where == "choose":
        changes["choose"] = lambda: left.pop(0) if len(left) > 1 else fail()
    elif where == "begin":
        changes["begin"] = lambda item: None if item == 1 else fail()
    elif where == "end":
        changes["end"] = fail
    with pytest.raises(ValueError, match=where):
        crew_of([1, 2], **changes).run()
    assert waited.is_set()
    assert [str(cause) for cause in causes] == [where]


def test_what_ends_by_itself_after_the_stop_is_told_too() -> None:
    stopped = threading.Event()
    late: dict[int, int] = {}

    def work(item: int) -> int:
        if item == 3:
            raise ValueError("the cause")
        assert stopped.wait(60)
        if item == 2:
            raise Preempted("stopped in the middle")
        return 2 * item

    crew = crew_of(
        [1, 2, 3, 4],
        work=work,
        stop=lambda _: stopped.set(),
        end_late=late.__setitem__,
        n_jobs=3,
    )
    with pytest.raises(ValueError, match="the cause"):
        crew.run()
    assert late == {1: 2}
