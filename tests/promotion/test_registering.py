"""Aliases are moved last: a killed command is brought to its end by the same one."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from experiments.errors import TrackingError
from experiments.promotion.decision import Decision
from experiments.promotion.registering import (
    TEST_CONTENT,
    VERDICT,
    WEIGHTS,
    Account,
    Outcome,
    count_tested,
    promoting,
    settle,
)
from experiments.tracking.registry import Registered, Version


class Killed(BaseException):
    """Stands for the end of a process."""


class Store:
    """A registry whose process may be killed before or after any of its writes."""

    name = "digits"

    def __init__(self) -> None:
        self.versions: list[Version] = []
        self.aliases: dict[str, str] = {}
        self.notes: dict[str, str] = {}
        self.writes = 0
        self.kill_at: int | None = None
        self.meanwhile: Callable[[], None] = lambda: None
        self.lost: set[str] = set()

    def read(self) -> Registered:
        return Registered(versions=tuple(self.versions), aliases=dict(self.aliases))

    def describe(self, number: str, tags: Mapping[str, str], description: str) -> None:
        place = int(number) - 1
        told = replace(self.versions[place], tags={**self.versions[place].tags, **tags})

        def write() -> None:
            self.notes[number] = description
            self.versions[place] = told

        self._write(write)
        self.meanwhile()

    def point(self, alias: str, number: str) -> None:
        self._write(lambda: self.aliases.update({alias: number}))

    def has_files(self, number: str) -> bool:
        return number not in self.lost

    def add(self, weights: str) -> Version:
        version = Version(
            number=str(len(self.versions) + 1),
            run_id=None,
            tags={WEIGHTS: weights, TEST_CONTENT: "images"},
        )
        self._write(lambda: self.versions.append(version))
        return version

    def _write(self, change: Callable[[], None]) -> None:
        self.writes += 1
        if self.kill_at == 2 * self.writes - 1:
            raise Killed
        change()
        if self.kill_at == 2 * self.writes:
            raise Killed


def promote(
    store: Store, weights: str, *, better: bool = True, seen: list[str] | None = None
) -> Outcome:
    """Promotes a model that is better than any champion, or than none."""

    def compare(now: Registered) -> Decision:
        champion = now.find("champion")
        if seen is not None and champion is not None:
            seen.append(champion.number)
        if champion is None:
            return Decision(verdict="first", reason="first")
        if champion.tags[WEIGHTS] == weights:
            return Decision(verdict="same", reason="same")
        told = "better" if better else "refused"
        return Decision(verdict=told, reason=told, against=champion.number)

    return settle(
        store,
        weights=weights,
        compare=compare,
        add=lambda _, decision: store.add(weights),
        account=lambda _, decision: Account(
            tags={VERDICT: decision.verdict}, description=decision.reason
        ),
    )


def test_old_champion_becomes_the_previous_one() -> None:
    store = Store()
    first, second = promote(store, "a"), promote(store, "b")
    assert (first.number, second.number) == ("1", "2")
    assert store.aliases == {"champion": "2", "previous": "1"}
    assert store.notes == {"1": "first", "2": "better"}


def test_refused_one_is_registered_and_moves_nothing() -> None:
    store = Store()
    promote(store, "a")
    found = promote(store, "b", better=False)
    assert (found.number, found.is_new) == ("2", True)
    assert store.aliases == {"champion": "1"}
    assert store.notes["2"] == "refused"


def test_same_weights_are_one_version() -> None:
    store = Store()
    promote(store, "a")
    promote(store, "b", better=False)
    again = promote(store, "b", better=False)
    assert (again.number, again.is_new, len(store.versions)) == ("2", False, 2)
    champion = promote(store, "a")
    assert (champion.decision.verdict, champion.number) == ("same", "1")
    assert store.notes["1"] == "first"  # what it became champion by


def test_version_whose_files_are_gone_is_registered_anew() -> None:
    store = Store()
    promote(store, "a")
    promote(store, "b", better=False)
    store.lost = {"2"}
    again = promote(store, "b")
    assert (again.number, again.is_new) == ("3", True)
    assert store.aliases == {"champion": "3", "previous": "1"}
    assert promote(store, "c", better=False).number == "4"
    assert promote(store, "b").number == "3"  # not the first one that has the weights


def test_previous_one_can_come_back() -> None:
    store = Store()
    promote(store, "a")
    promote(store, "b")
    promote(store, "a")
    assert store.aliases == {"champion": "1", "previous": "2"}
    assert len(store.versions) == 2


@pytest.mark.parametrize("moment", range(1, 9))
def test_killed_command_leaves_a_champion_and_is_repeated(moment: int) -> None:
    store = Store()
    promote(store, "a")
    store.writes, store.kill_at = 0, moment
    with pytest.raises(Killed):
        promote(store, "b")
    # Before its last write is done, the champion is the old one, and it is always one.
    assert store.aliases["champion"] == ("2" if moment == 8 else "1")
    store.kill_at = None

    promote(store, "b")

    assert store.aliases == {"champion": "2", "previous": "1"}
    assert [version.tags[WEIGHTS] for version in store.versions] == ["a", "b"]
    assert store.notes == {"1": "first", "2": "better"}


def test_champion_that_changes_meanwhile_is_compared_with() -> None:
    store = Store()
    promote(store, "a")

    def other() -> None:
        store.meanwhile = lambda: None
        promote(store, "c")

    store.meanwhile = other
    seen: list[str] = []
    found = promote(store, "b", seen=seen)

    assert (seen, found.again) == (["1", "3"], 1)
    assert store.aliases == {"champion": "2", "previous": "3"}


def test_alias_that_never_rests_ends_in_words() -> None:
    store = Store()
    promote(store, "a")
    store.meanwhile = lambda: store.aliases.update(champion=str(store.writes))
    with pytest.raises(TrackingError, match="moved the alias champion 5 times"):
        promote(store, "b")


def test_alias_that_another_one_moved_at_the_same_moment_is_told() -> None:
    store = Store()
    plain = store.point

    def point(alias: str, number: str) -> None:
        plain(alias, number)
        plain("champion", "7")

    store.point = point  # type: ignore[method-assign]
    with pytest.raises(TrackingError, match="version 7 the champion at the same"):
        promote(store, "a")


def test_one_that_another_command_made_champion_a_moment_before_is_told() -> None:
    """Between the last look and the move there is nothing that could stop it."""
    store = Store()
    promote(store, "a")
    plain, moves = store.point, []

    def point(alias: str, number: str) -> None:
        if not moves:
            moves.append(number)
            promote(store, "c")  # on another machine, from its beginning to its end
        plain(alias, number)

    store.point = point  # type: ignore[method-assign]
    with pytest.raises(
        TrackingError, match="Version 2 is the champion, in place of"
    ) as e:
        promote(store, "b")

    told = "task=promote run_id=models:/digits/3 registered_name=digits"
    assert told in str(e.value)
    assert store.aliases == {"champion": "2", "previous": "1"}
    assert promote(store, "c").number == "3"  # as it says
    assert store.aliases == {"champion": "3", "previous": "2"}


def test_tested_models_are_counted_by_their_weights() -> None:
    store = Store()
    for weights in ("a", "b", "b"):
        store.add(weights)
    now = store.read()
    assert count_tested(now, "images", "c") == 3
    assert count_tested(now, "images", "b") == 2
    assert count_tested(now, "others", "b") == 1


def test_second_command_of_a_folder_waits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    order = []

    def second() -> None:
        with promoting(tmp_path):
            order.append("second")

    with promoting(tmp_path):
        thread = Thread(target=second)
        thread.start()
        thread.join(0.3)
        order.append("first")
    thread.join(20)
    assert order == ["first", "second"]
    assert "waiting for it" in capsys.readouterr().out
