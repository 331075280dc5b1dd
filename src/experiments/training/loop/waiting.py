"""How long steps wait for their batches.

On TensorFlow a step takes its batch inside a compiled function, where Python sees
nothing. So the pipeline itself adds up when it handed its batches over; without when
the steps began, that is what they waited.

Where a device computes while the host goes on, a host that waits costs nothing as long
as the device is busy. There some steps are measured only, after the device was waited
for: what they wait then is lost. The others are taken to be like them.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import keras

# A prime number: the workers of a pipeline bring batches in rounds of two or four.
_STRIDE = 7


class DataClock:
    """Adds up what the steps of a training wait for their batches.

    Attributes:
        synchronise: Waits until the device has nothing to do.
    """

    def __init__(self) -> None:
        self.synchronise: Callable[[], None] = lambda: None
        # Seconds are counted from here on: sums of them stay exact to a microsecond.
        self._base = time.time()
        self._ends: Any = None  # a variable of TensorFlow: when batches came, added up
        self._begins = 0.0  # when steps began, added up
        self._read_before = 0.0
        self._alone: tuple[float, float] | None = None  # of a step that is told apart
        self._model: Any = None
        self._compiled: Any = None  # what ran the last step
        self._is_exact = True
        self._compilation = 0.0
        self._steps = self._samples = 0
        self._sampled = 0.0

    def watch(self, batches: Any, model: Any) -> Any:
        """Returns the same batches, each of them timed.

        Args:
            batches: A `tf.data.Dataset`; anything else is returned as it is, and so
                are batches of which several are taken at a time, and all where
                TensorFlow's operations are deterministic: it then has no clock.
            model: Is trained on them.
        """
        tf = sys.modules.get("tensorflow")  # whoever made such batches has imported it
        if tf is None or not isinstance(batches, tf.data.Dataset):
            return batches
        if _takes_several(model) or tf.config.functions_run_eagerly():
            return batches  # `tf.data` runs no function eagerly, and warns of this one
        if not _has_clock():
            return batches
        self._model, self._is_exact = model, _computes_at_once()
        with tf.device("/CPU:0"):
            if self._ends is None:
                self._ends = tf.Variable(0.0, dtype=tf.float64, trainable=False)
            return _time(batches, self._ends, self._base)

    def begin_step(self) -> None:
        """Notes that the next thing that training does is to take a batch.

        But for a step that has to be compiled first: it is left out.
        """
        if self._ends is None:
            return
        self._end_alone()
        compiles = self._model.train_function is not self._compiled
        self._compiled = self._model.train_function
        self._steps += 1
        samples = not self._is_exact and not compiles and self._steps % _STRIDE == 0
        if samples:
            self.synchronise()
        if samples or (compiles and self._is_exact):
            self._alone = self._read(), self._now()
        self._begins += self._now()

    def take_seconds(self) -> float | None:
        """Returns what was waited since the last call; `None` where nobody knows."""
        if self._ends is None:
            return None
        self._end_alone()
        read = self._read()
        waited = read - self._read_before - self._begins - self._compilation
        if not self._is_exact:
            if not self._samples:
                return None
            waited = self._sampled * self._steps / self._samples
        self._read_before, self._begins, self._compilation = read, 0.0, 0.0
        self._sampled, self._steps, self._samples = 0.0, 0, 0
        return max(waited, 0.0)

    def _end_alone(self) -> None:
        """Takes up what a step took that is told apart from the others."""
        if self._alone is None:
            return
        before, begin = self._alone
        self._alone = None
        seconds = max(self._read() - before - begin, 0.0)
        if self._is_exact:
            self._compilation += seconds
        else:
            self._sampled += seconds
            self._samples += 1

    def _now(self) -> float:
        return time.time() - self._base

    def _read(self) -> float:
        return float(self._ends.numpy())


def _time(batches: Any, ends: Any, base: float) -> Any:
    """Returns batches that add to `ends` the seconds from `base` to their coming."""
    import tensorflow as tf

    @tf.autograph.experimental.do_not_convert
    def note(*batch: Any) -> Any:
        with tf.control_dependencies([ends.assign_add(tf.timestamp() - base)]):
            same = tf.nest.map_structure(tf.identity, batch)
        return same if len(same) > 1 else same[0]

    options = tf.data.Options()
    # What is fetched ahead would be timed while nobody waits for it.
    options.experimental_optimization.inject_prefetch = False
    return batches.map(note).with_options(options)


def _has_clock() -> bool:
    import tensorflow as tf

    try:
        tf.timestamp()
    except tf.errors.FailedPreconditionError:
        return False
    return True


def _takes_several(model: Any) -> bool:
    """Tells whether steps are not known to take one batch each, when they begin.

    Some run several steps between two returns to Python, and for several devices
    TensorFlow fetches batches ahead.
    """
    if model.steps_per_execution > 1:
        return True
    if keras.backend.backend() != "tensorflow":
        return False
    return bool(model.distribute_strategy.num_replicas_in_sync > 1)


def _computes_at_once() -> bool:
    """Tells whether a step has been computed when the call of it returns."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return not tf.config.list_logical_devices("GPU")
