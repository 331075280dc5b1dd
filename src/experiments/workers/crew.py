"""Keeps so many pieces of work in flight until there are no more."""

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

from experiments.errors import Preempted

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


@dataclass(frozen=True, kw_only=True)
class Crew(Generic[Item, Outcome]):
    """Starts what is next whenever something ends.

    All but `work` is called in the caller's thread.

    Attributes:
        choose: Returns what is next; `None` while or since there is nothing.
        begin: Is told what is about to be started.
        work: Does it, in a thread of its own.
        end: Is told what came of it.
        n_jobs: At a time.
        stop: Asks what runs to end, saving its state; gets what ends it all.
        find_obstacle: Returns why what is next must not be started; then nothing more
            is, and what runs goes on to its end. `None` where it may.
        end_late: Is told what came of what ended by itself after all was stopped.
    """

    choose: Callable[[], Item | None]
    begin: Callable[[Item], None]
    work: Callable[[Item], Outcome]
    end: Callable[[Item, Outcome], None]
    n_jobs: int
    stop: Callable[[BaseException], None]
    find_obstacle: Callable[[Item], Preempted | None] = lambda item: None
    end_late: Callable[[Item, Outcome], object] = lambda item, outcome: None

    def run(self) -> None:
        """Works until there is nothing left to start and nothing runs.

        Raises:
            Preempted: `find_obstacle` returned it.
            BaseException: Whatever one of the calls raised; what ran was stopped.
        """
        running: dict[Future[Outcome], Item] = {}
        obstacle: Preempted | None = None
        pool = ThreadPoolExecutor(self.n_jobs, "job")
        try:
            while True:
                while obstacle is None and len(running) < self.n_jobs:
                    item = self.choose()
                    if item is None:
                        break
                    obstacle = self.find_obstacle(item)
                    if obstacle is None:
                        self.begin(item)
                        running[pool.submit(self.work, item)] = item
                if not running:
                    break
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    self.end(running.pop(future), future.result())
        except BaseException as cause:
            self.stop(cause)
            pool.shutdown(cancel_futures=True)
            for future, item in running.items():
                if not future.cancelled() and future.exception() is None:
                    self.end_late(item, future.result())
            raise
        finally:
            pool.shutdown(cancel_futures=True)
        if obstacle is not None:
            raise obstacle
