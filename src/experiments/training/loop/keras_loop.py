"""From a saved state to the end of a training, through Keras' own loop."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras

from experiments.counts import count_of
from experiments.errors import ExperimentError
from experiments.training.checkpoints.state import (
    Position,
    TrainingState,
    average_weights,
    restore_metrics,
    restore_variables,
)
from experiments.training.loop.chain import (
    CallbackChain,
    name_forgetful,
    restore_memory,
)
from experiments.training.loop.phases import Phases
from experiments.training.loop.spending import Spending


@dataclass(frozen=True, kw_only=True)
class TrainingLoop:
    """The calls of Keras' `fit` that one training takes.

    Attributes:
        model: A compiled `keras.Model`.
        chain: All callbacks.
        train_from: Returns the batches from a step on, counted over all epochs.
        steps_per_epoch: Batches an epoch.
        epochs: Number of the last epoch of this call, counted from 1.
        validation: Arguments of `fit` for the validation.
        spending: Measures where the time goes.
        phases: Of the training. Each ends as a training does, with its averages in the
            place of the weights, from which the next one begins.
    """

    model: Any
    chain: CallbackChain
    train_from: Callable[[int], Any]
    steps_per_epoch: int
    epochs: int
    validation: Mapping[str, Any]
    spending: Spending
    phases: Phases

    @property
    def _end(self) -> int:
        """Number of the last epoch before the next phase, or of this call."""
        return min(self.phases.end, self.epochs)

    def run(self, callbacks: Mapping[str, Any], state: TrainingState | None) -> None:
        """Trains to the end.

        Raises:
            ExperimentError: The state is not one of this training.
        """
        if state is not None:
            self._check(state)
            self.phases.enter(state.phase)
            restore_variables(self.model, state.arrays)
        self.model.stop_training = False
        self.chain.begin()
        self.spending.begin()
        self.phases.tell(callbacks)
        position = Position()
        if state is not None:
            name_forgetful(callbacks)
            restore_memory(callbacks, state.memory)
            position = self._finish_epoch(callbacks, state)
        while position.epoch < self.epochs and not self.model.stop_training:
            self._enter_phase(callbacks, position)
            self._fit(position, epochs=self._end)
            position = Position(self._end)
        self.chain.end()

    def _enter_phase(self, callbacks: Mapping[str, Any], position: Position) -> None:
        """Begins the phase of an epoch, unless it is this one."""
        number = self.phases.number_at(position.epoch)
        if number != self.phases.number:
            self.phases.enter(number)
            self.phases.tell(callbacks)

    def _check(self, state: TrainingState) -> None:
        position, known = state.position, len(state.history)
        is_known = state.phase < len(self.phases.ends)
        if (
            is_known
            and position.step <= self.steps_per_epoch
            and position.epoch == known
        ):
            return
        raise ExperimentError(
            f"The checkpoint is not one of this training: it is after epoch "
            f"{position.epoch}, step {position.step}, with the metrics of "
            f"{count_of(known, 'epoch')}, of {count_of(self.steps_per_epoch, 'step')} "
            "each. Start anew: fresh=true"
        )

    def _finish_epoch(
        self, callbacks: Mapping[str, Any], state: TrainingState
    ) -> Position:
        """Does what is left of the epoch in which `state` was saved."""
        position = state.position
        if state.finished or position.epoch >= self._end:
            average_weights(self.model)
            self.model.stop_training = state.finished
            return position
        if not position.step:
            return position
        self.chain.before_steps = lambda: self._take_up_epoch(callbacks, state)
        if position.step == self.steps_per_epoch:
            self._validate(position.epoch)
        else:
            self._finish_steps(position)
        self.chain.before_steps = None
        return Position(position.epoch + 1)

    def _take_up_epoch(
        self, callbacks: Mapping[str, Any], state: TrainingState
    ) -> None:
        """Gives back what was gathered in the epoch: its begin has just reset it."""
        restore_memory(callbacks, state.memory)
        restore_metrics(self.model, state.arrays)

    def _finish_steps(self, position: Position) -> None:
        """Does the rest of an epoch in a call of `fit` of its own.

        Each such call ends with the averages in the place of the weights, which must
        not happen before training is over.
        """
        weights: list[Any] = []
        variables = self.model.trainable_variables
        self.chain.after_epoch = lambda: weights.extend(
            keras.ops.convert_to_numpy(variable) for variable in variables
        )
        self.chain.offset = position.step
        self._fit(position, epochs=position.epoch + 1)
        self.chain.offset, self.chain.after_epoch = 0, None
        if position.epoch + 1 < self._end and not self.model.stop_training:
            for variable, weight in zip(variables, weights, strict=True):
                variable.assign(weight)

    def _validate(self, epoch: int) -> None:
        """Ends an epoch of which only the validation is left, as `fit` would."""
        self.model.reset_metrics()
        self.chain.on_epoch_begin(epoch)
        logs = dict(self.model.get_metrics_result())
        data = self.validation["validation_data"]
        if data is not None:
            scores = self.model.evaluate(
                data,
                steps=self.validation["validation_steps"],
                callbacks=self.chain,
                verbose=0,
                return_dict=True,
            )
            logs |= {f"val_{name}": value for name, value in scores.items()}
        self.chain.on_epoch_end(epoch, logs)
        if self.model.stop_training or epoch + 1 == self._end:
            average_weights(self.model)

    def _fit(self, position: Position, *, epochs: int) -> None:
        done = position.epoch * self.steps_per_epoch + position.step
        self.model.fit(
            self.spending.clock.watch(self.train_from(done), self.model),
            epochs=epochs,
            initial_epoch=position.epoch,
            steps_per_epoch=self.steps_per_epoch - position.step,
            callbacks=self.chain,
            shuffle=False,  # the pipeline has shuffled already
            verbose=0,
            **self.validation,
        )
