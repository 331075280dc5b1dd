"""What a person sees while a model trains."""

import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import keras
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from experiments.counts import format_duration
from experiments.screen import open_console
from experiments.training.callbacks.pace import Pace

log = logging.getLogger(__name__)

REFRESHES_PER_SECOND = 4
SHOWN_METRICS = ("loss", "accuracy", "val_accuracy", "pr_auc", "val_map")


class ProgressDisplay(keras.callbacks.Callback):
    """Shows each epoch as a line and, on a terminal, the running one as it grows.

    The lines are in the job's log too, whatever is shown.

    Must come after the callbacks that add metrics. A step only stores its numbers; a
    thread of the display's own draws them, so that training does not wait for it.

    Args:
        mode: `rich` draws a live bar, `plain` prints a line an epoch, `off` nothing;
            `auto` is `rich` on a terminal and else `plain`.
        epochs: Number of the last epoch, counted from 1.
        steps_per_epoch: Steps in an epoch.
        batch_size: Images a step.
        sweep_left: Returns the seconds that a sweep still takes, given those that this
            job does; `None` outside of a sweep.
        console: Where to write; standard output by default.
    """

    async_safe = True  # a step stores its numbers, in any order and thread

    def __init__(
        self,
        *,
        mode: Literal["auto", "rich", "plain", "off"],
        epochs: int,
        steps_per_epoch: int,
        batch_size: int,
        sweep_left: Callable[[float], float | None] | None = None,
        console: Console | None = None,
    ) -> None:
        super().__init__()
        self._console = console or open_console(sys.stdout)
        self._mode = mode
        if mode == "auto":
            self._mode = "rich" if self._console.is_terminal else "plain"
        self._pace = Pace(
            epochs=epochs, steps_per_epoch=steps_per_epoch, batch_size=batch_size
        )
        self._sweep_left = sweep_left
        self._others_left: float | None = None  # seconds that other jobs take
        self._logs: Mapping[str, Any] = {}
        self._status = ""
        self._live: Live | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Starts the live display."""
        self._status = "compiling the first step"
        if self._mode == "rich":
            self._live = Live(
                get_renderable=self._render,
                console=self._console,
                refresh_per_second=REFRESHES_PER_SECOND,
                transient=True,
            )
            self._live.start()

    def begin_phase(self, *, is_last: bool) -> None:
        """Says why the bar stands still: each phase compiles a step of its own."""
        self._status = "compiling the first step"
        self._pace.compile_anew()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Empties the bar."""
        self._logs = {}
        self._pace.begin_epoch(epoch + 1)

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Stores the step's numbers."""
        self._status = ""
        self._logs = logs or {}
        self._pace.end_step(batch + 1)

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Says why the bar stands still."""
        self._status = "validating"

    def on_test_batch_begin(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Notes when the validation is past its compilation."""
        self._pace.begin_validation_batch(batch)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Writes the epoch's line."""
        self._status = ""
        self._logs = logs or {}
        self._pace.end_epoch()
        self._look_at_sweep()
        # Not broken at the console's width: a log has lines, not columns.
        line = "  ".join([*self._describe_epoch(), *self._describe_left()])
        log.info("%s", line)
        if self._mode != "off":
            shown = line if self._live is None else "  ".join(self._describe_epoch())
            self._console.print(shown, soft_wrap=True, markup=False)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Removes the live display."""
        self.close()

    def close(self) -> None:
        """Gives the terminal back; `fit` calls it also when training failed."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _describe_epoch(self) -> Iterator[str]:
        width = len(str(self._pace.epochs))
        yield f"epoch {self._pace.epoch:>{width}}/{self._pace.epochs}"
        for name in SHOWN_METRICS:
            if name in self._logs:
                yield f"{name} {self._logs[name]:.4f}"
        speed = self._logs.get("images_per_second") or self._pace.images_per_second()
        if speed:
            yield f"{speed:.0f} images/s" if speed >= 10 else f"{speed:.1f} images/s"

    def _look_at_sweep(self) -> None:
        """Asks once an epoch what the other jobs take, which reads a file."""
        left = self._pace.seconds_left()
        if self._sweep_left is not None and left is not None:
            all_left = self._sweep_left(left)
            self._others_left = None if all_left is None else all_left - left

    def _describe_left(self) -> Iterator[str]:
        left = self._pace.seconds_left()
        if not left and not self._others_left:
            return
        if left is not None:
            words = f"{format_duration(left)} left"
            if self._others_left is not None:
                words += f", {format_duration(left + self._others_left)} for the sweep"
            yield words

    def _render(self) -> Table:
        """Draws the running epoch; called by the display's thread."""
        pace = self._pace
        bar = Table.grid(padding=(0, 2), expand=True)
        bar.add_column(ratio=1)
        bar.add_row(
            ProgressBar(total=pace.steps_per_epoch, completed=pace.step),
            f"{pace.step}/{pace.steps_per_epoch}",
            *(list(self._describe_left()) or [""]),
        )
        lines = Table.grid(expand=True)
        status = [self._status] if self._status else []
        text = "  ".join([*self._describe_epoch(), *status])
        lines.add_row(Text(text, no_wrap=True, overflow="ellipsis"))
        lines.add_row(bar)
        return lines
