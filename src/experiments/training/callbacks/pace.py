"""How fast training runs, and how long it still will."""

import time


class Pace:
    """Follows the steps of a fit; the first one, which compiles, counts for neither.

    Args:
        epochs: Number of the last epoch, counted from 1.
        steps_per_epoch: Steps in an epoch.
        batch_size: Images a step.
    """

    def __init__(self, *, epochs: int, steps_per_epoch: int, batch_size: int) -> None:
        self.epochs = epochs
        self.steps_per_epoch = steps_per_epoch
        self.epoch = 0
        self.step = 0
        self._batch_size = batch_size
        self._latest = 0.0
        self._warm: tuple[int, float] | None = None  # steps of the run, and when
        self._epoch_begin = (0, 0.0)  # steps of this epoch, and when

    def begin_epoch(self, epoch: int) -> None:
        """Notes that epoch number `epoch`, counted from 1, starts."""
        self.epoch = epoch
        self.step = 0
        self._epoch_begin = (0, time.perf_counter())

    def end_step(self, step: int) -> None:
        """Notes that `step` steps of this epoch are done; order does not matter."""
        self._latest = time.perf_counter()
        self.step = max(self.step, step)
        if self._warm is None:
            self._epoch_begin = (step, self._latest)
            self._warm = (self._done(), self._latest)

    def images_per_second(self) -> float | None:
        """Returns this epoch's throughput, or `None` before its second step."""
        begin_step, begin = self._epoch_begin
        if self.step <= begin_step or self._latest <= begin:
            return None
        return (self.step - begin_step) * self._batch_size / (self._latest - begin)

    def seconds_left(self) -> float | None:
        """Returns the time to the end of the last epoch, past validations included."""
        if self._warm is None or self._done() <= self._warm[0]:
            return None
        elapsed = time.perf_counter() - self._warm[1]
        left = self.epochs * self.steps_per_epoch - self._done()
        return left * elapsed / (self._done() - self._warm[0])

    def _done(self) -> int:
        return (self.epoch - 1) * self.steps_per_epoch + self.step
