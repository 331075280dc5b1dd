import io
from collections.abc import Callable
from typing import Any

import keras
import pytest
from rich.console import Console

from experiments.training.callbacks.progress import ProgressDisplay
from experiments.training.loop.fit import fit


def console(*, terminal: bool) -> Console:
    return Console(
        file=io.StringIO(), force_terminal=terminal, width=80, highlight=False
    )


def display(target: Console, mode: Any) -> ProgressDisplay:
    return ProgressDisplay(
        mode=mode, epochs=10, steps_per_epoch=4, batch_size=8, console=target
    )


def written(target: Console) -> str:
    file = target.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


METRICS = {
    "loss": 0.12345,
    "accuracy": 0.95,
    "val_loss": 0.3,
    "val_accuracy": 0.9,
    "images_per_second": 812.4,
}


def play_epoch(callback: ProgressDisplay, epoch: int) -> None:
    callback.on_epoch_begin(epoch)
    for step in range(4):
        callback.on_train_batch_end(step, {"loss": 1.0, "accuracy": 0.5})
    callback.on_test_begin()
    callback.on_epoch_end(epoch, dict(METRICS))


def test_plain_display_writes_a_line_an_epoch() -> None:
    target = console(terminal=False)
    callback = display(target, "plain")

    callback.on_train_begin()
    play_epoch(callback, 0)
    play_epoch(callback, 1)
    callback.on_train_end()

    first, second = written(target).splitlines()
    assert first.startswith(
        "epoch  1/10  loss 0.1235  accuracy 0.9500  val_accuracy 0.9000  812 images/s"
    )
    assert first.endswith(" left")
    assert second.startswith("epoch  2/10")


@pytest.mark.parametrize("mode", ["plain", "rich", "off"])
def test_log_has_each_epoch_whatever_is_shown(
    mode: Any, caplog: pytest.LogCaptureFixture
) -> None:
    callback = display(console(terminal=mode == "rich"), mode)
    with caplog.at_level("INFO"):
        callback.on_train_begin()
        play_epoch(callback, 0)
        play_epoch(callback, 1)
        callback.on_train_end()

    first, second = caplog.messages
    assert first.startswith("epoch  1/10  loss 0.1235  accuracy 0.9500")
    assert second.startswith("epoch  2/10")


def test_time_left_of_a_sweep_stands_beside_that_of_the_job() -> None:
    target = console(terminal=False)
    asked: list[float] = []

    def sweep_left(seconds: float) -> float:
        asked.append(seconds)
        return seconds + 3600

    callback = ProgressDisplay(
        mode="plain",
        epochs=10,
        steps_per_epoch=4,
        batch_size=8,
        sweep_left=sweep_left,
        console=target,
    )
    play_epoch(callback, 0)

    assert len(asked) == 1
    assert written(target).rstrip().endswith("0:00 left, 1:00:00 for the sweep")


def test_off_writes_nothing() -> None:
    target = console(terminal=True)
    callback = display(target, "off")

    callback.on_train_begin()
    play_epoch(callback, 0)
    callback.on_train_end()

    assert written(target) == ""


@pytest.mark.parametrize(("terminal", "has_bar"), [(True, True), (False, False)])
def test_auto_draws_a_bar_on_a_terminal_only(terminal: bool, has_bar: bool) -> None:
    target = console(terminal=terminal)
    callback = display(target, "auto")

    callback.on_train_begin()
    play_epoch(callback, 0)
    callback.on_train_end()

    assert ("━" in written(target)) is has_bar
    assert "val_accuracy 0.9000" in written(target)


def test_live_bar_shows_the_running_epoch() -> None:
    target = console(terminal=False)
    callback = display(target, "rich")
    callback.on_epoch_begin(2)
    callback.on_train_batch_end(0, {"loss": 1.25})
    callback.on_train_batch_end(1, {"loss": 1.0, "accuracy": 0.5})

    target.print(callback._render())

    first, second = written(target).splitlines()
    assert first.startswith("epoch  3/10  loss 1.0000  accuracy 0.5000")
    assert "2/4" in second
    assert second.rstrip().endswith("left")


@pytest.mark.parametrize(
    ("begin", "words"),
    [
        (ProgressDisplay.on_train_begin, "compiling"),
        (lambda callback: callback.begin_phase(is_last=True), "compiling"),
        (ProgressDisplay.on_test_begin, "validating"),
    ],
)
def test_a_standing_bar_says_why(
    begin: Callable[[ProgressDisplay], None], words: str
) -> None:
    target = console(terminal=False)
    callback = display(target, "plain")
    begin(callback)

    target.print(callback._render())

    assert words in written(target)


def test_failed_training_gives_the_terminal_back(
    dense_model: Any, batches: Any
) -> None:
    class Failing(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            raise KeyboardInterrupt

    target = console(terminal=True)
    callback = display(target, "rich")

    with pytest.raises(KeyboardInterrupt):
        fit(
            dense_model(keras.optimizers.SGD(0.1)),
            train_from=batches(1).skip,
            validation=None,
            epochs=1,
            steps_per_epoch=1,
            callbacks={"display": callback, "failing": Failing()},
        )

    show_cursor = "\x1b[?25h"
    assert show_cursor in written(target)


def test_batch_hooks_do_not_make_the_host_wait() -> None:
    assert ProgressDisplay.async_safe
