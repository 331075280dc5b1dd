from experiments.tracking.spool.journal import PARAMS, PLANNED, SESSION, Entry
from experiments.tracking.spool.seen import Seen, changed_keys, name_changes


def log(seen: Seen, **params: str) -> dict[str, str]:
    """Records parameters as a tracker does; returns the tags that are new."""
    tags = name_changes(seen.changed_params(params))
    seen.add_tags(tags)
    seen.add_params(params)
    return tags


def test_each_value_of_a_parameter_is_told_once_and_in_order() -> None:
    seen = Seen([])
    assert log(seen, steps="1", seed="3") == {}
    assert log(seen, steps="1") == {}
    assert log(seen, steps="2") == {"changed.steps": "1 -> 2"}
    assert log(seen, steps="2") == {}
    assert log(seen, steps="4") == {"changed.steps": "1 -> 2 -> 4"}
    assert log(seen, steps="1", seed="3") == {"changed.steps": "1 -> 2 -> 4 -> 1"}


def test_history_goes_on_in_the_next_process() -> None:
    entries = [
        Entry(0, "params", 0, {"values": {"steps": "1"}}),
        Entry(1, "tags", 0, {"values": {"changed.steps": "1 -> 2"}}),
    ]
    assert log(Seen(entries), steps="2") == {}
    assert log(Seen(entries), steps="4") == {"changed.steps": "1 -> 2 -> 4"}


def test_long_history_keeps_its_end() -> None:
    seen = Seen([])
    for number in range(2000):
        tags = log(seen, steps=str(number))
    (text,) = tags.values()
    assert len(text) < 5000
    assert text.startswith("...")
    assert text.endswith("1998 -> 1999")
    assert log(seen, steps="1999") == {}
    assert log(seen, steps="x" * 6000)
    assert log(seen, steps="x" * 6000) == {}


def plan(seen: Seen, **params: str) -> dict[str, str]:
    """Plans settings as a tracker does; returns the tags that are new."""
    tags = name_changes(seen.changed_params(params))
    seen.add_tags(tags)
    seen.plan_params(params)
    return tags


def test_planned_settings_count_with_their_last_value_once_they_are_settled() -> None:
    seen = Seen([])
    assert plan(seen, steps="1", seed="3") == {}
    assert plan(seen, steps="2") == {"changed.steps": "1 -> 2"}
    assert not seen.has_param("steps")
    assert seen.settle_params() == {"steps": "2", "seed": "3"}
    assert seen.has_param("steps")
    assert seen.settle_params() == {}
    assert plan(seen, steps="4") == {"changed.steps": "1 -> 2 -> 4"}
    assert seen.settle_params() == {}


def session(number: int) -> Entry:
    return Entry(number, SESSION, 0, {"tags": {}})


def test_plan_of_another_process_ends_with_that_of_the_next() -> None:
    entries = [
        session(0),
        Entry(1, PLANNED, 0, {"values": {"steps": "1", "momentum": "0.9"}}),
        session(2),
    ]
    assert Seen(entries).settle_params() == {"steps": "1", "momentum": "0.9"}
    seen = Seen(entries)
    assert plan(seen, steps="2") == {"changed.steps": "1 -> 2"}
    assert seen.settle_params() == {"steps": "2"}


def test_what_was_settled_is_planned_no_more() -> None:
    entries = [
        session(0),
        Entry(1, PLANNED, 0, {"values": {"steps": "1", "seed": "3"}}),
        Entry(2, PARAMS, 0, {"values": {"steps": "1", "seed": "3"}}),
        session(3),
    ]
    assert Seen(entries).settle_params() == {}
    assert Seen(entries).has_param("seed")


def test_changes_are_read_from_the_tags_of_a_run() -> None:
    tags = {"changed.trainer.epochs": "1 -> 2", "seed": "0"}
    assert changed_keys(tags) == {"trainer.epochs": "1 -> 2"}
