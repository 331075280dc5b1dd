"""How fast training runs, and how long it still will."""

import time


class Pace:
    """Follows the steps of a fit and what comes between two epochs.

    The first step and the first batch of a validation, which compile, count for
    neither, also of a phase that is compiled anew.

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
        self._is_warm = False
        self._epoch_begin = (0, 0.0)  # steps of this epoch, and when
        self._earlier = (0, 0.0)  # steps of epochs before, and their seconds
        self._between = (0, 0.0)  # ends of epochs, and their seconds
        self._ended: float | None = None  # when the last epoch ended
        self._validates_anew = True
        self._validation_begin: float | None = None  # of one that compiles
        self._compiling = 0.0  # seconds of the running epoch's end

    def compile_anew(self) -> None:
        """Notes that the next step and the next validation compile."""
        self._is_warm = False
        self._validates_anew = True
        self._ended = None  # what is built for them belongs to no end of an epoch

    def begin_epoch(self, epoch: int) -> None:
        """Notes that epoch number `epoch`, counted from 1, starts."""
        now = time.perf_counter()
        if self._ended is not None:  # what was saved since belongs to that end
            count, seconds = self._between
            self._between = count, seconds + now - self._ended
        self._earlier = self._trained()
        self.epoch = epoch
        self.step = 0
        self._ended = None
        self._latest = now
        self._epoch_begin = (0, now)

    def end_step(self, step: int) -> None:
        """Notes that `step` steps of this epoch are done; order does not matter."""
        self._latest = time.perf_counter()
        self.step = max(self.step, step)
        if not self._is_warm:
            self._is_warm = True
            self._epoch_begin = (step, self._latest)

    def begin_validation_batch(self, batch: int) -> None:
        """Notes that a validation starts its batch number `batch`, from 0 on."""
        if not self._validates_anew:
            return
        now = time.perf_counter()
        if batch == 0:
            self._validation_begin = now
        elif self._validation_begin is not None:
            self._compiling = now - self._validation_begin
            self._validation_begin = None

    def end_epoch(self) -> None:
        """Notes that the epoch has its metrics."""
        self._ended = time.perf_counter()
        if self._validation_begin is not None:  # it had one batch
            self._compiling = self._ended - self._validation_begin
        count, seconds = self._between
        spent = self._ended - self._latest - self._compiling
        self._between = count + 1, seconds + spent
        self._validation_begin, self._compiling = None, 0.0
        self._validates_anew = False

    def images_per_second(self) -> float | None:
        """Returns this epoch's throughput, or `None` before its second step."""
        begin_step, begin = self._epoch_begin
        if self.step <= begin_step or self._latest <= begin:
            return None
        return (self.step - begin_step) * self._batch_size / (self._latest - begin)

    def seconds_left(self) -> float | None:
        """Returns the time to the end of the last epoch; `None` while it is unknown.

        That is the steps that are left, each as long as those so far, and the ends of
        epochs that are left with their validations, likewise.
        """
        steps, seconds = self._trained()
        if not steps:
            return None
        done = (self.epoch - 1) * self.steps_per_epoch + self.step
        left = (self.epochs * self.steps_per_epoch - done) * seconds / steps
        ends, spent = self._between
        ends_left = self.epochs - self.epoch + (self._ended is None)
        return left + (ends_left * spent / ends if ends else 0.0)

    def _trained(self) -> tuple[int, float]:
        """Returns the steps of this process but those that compiled; their seconds."""
        steps, seconds = self._earlier
        begin_step, begin = self._epoch_begin
        if self.step <= begin_step:
            return steps, seconds
        return steps + self.step - begin_step, seconds + self._latest - begin
