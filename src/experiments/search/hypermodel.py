"""The project's builder as a hypermodel for those who work with Keras Tuner itself."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import keras_tuner

from experiments.builders.callbacks import build_callbacks
from experiments.builders.data import (
    Pipelines,
    build_dataset,
    build_pipelines,
    naming_damaged_files,
)
from experiments.builders.devices import prepared_framework
from experiments.builders.model import build_model
from experiments.command.composing.composed import Config
from experiments.config.schema.run import RunConfig
from experiments.config.search.space import Space, parse_space
from experiments.data.dataset import Dataset
from experiments.errors import ConfigError, Problem
from experiments.search.oracle.hyperparameters import read_values
from experiments.trained.start import find_start
from experiments.training.callbacks.progress import ProgressDisplay
from experiments.training.checkpoints.state import (
    Position,
    TrainingState,
    copy_variables,
)
from experiments.training.loop.fit import fit

_DATA = frozenset({"x", "y", "validation_data", "validation_split"})


class ExperimentHyperModel(keras_tuner.HyperModel):
    """A `keras_tuner.HyperModel` that any tuner of Keras Tuner runs unchanged.

    A trial's config is composed, its data are loaded, and its model is built and
    trained as in a job of that config; a tuner's `search()` needs no data. Callbacks of
    the config that write into a job's folder, such as `checkpoint`, are left out: a
    tuner keeps its trials' files itself.

    Args:
        config: What `compose` returned.
        space: Key or group -> values in the grammar of Hydra's overrides, or what
            `parse_space` returned.
        when: Key -> condition such as `optimizer=sgd`, for a `space` of texts.

    Example:
        >>> import experiments, keras_tuner
        >>> config = experiments.compose(["model=resnet20_cifar", "debug=one_step"])
        >>> hypermodel = experiments.ExperimentHyperModel(
        ...     config, {"optimizer.lr": "tag(log,interval(1e-5,1e-2))"}
        ... )
        >>> hypermodel.objective.name, hypermodel.objective.direction
        ('val_accuracy', 'max')
        >>> tuner = keras_tuner.RandomSearch(
        ...     hypermodel, objective=hypermodel.objective, max_trials=1
        ... )
        >>> tuner.search(verbose=0)
        >>> 1e-5 <= tuner.get_best_hyperparameters()[0]["optimizer.lr"] <= 1e-2
        True
    """

    def __init__(
        self,
        config: Config,
        space: Space | Mapping[str, str],
        *,
        when: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(name="experiment")
        if not isinstance(config, Config):
            raise TypeError(
                "config must be what experiments.compose() returned. Received: "
                f"{type(config).__name__}."
            )
        self._config = config
        self._space = (
            space
            if isinstance(space, Space)
            else parse_space(space, when or {}, (), _parse)
        )
        self._configured: tuple[tuple[str, ...], RunConfig] | None = None
        self._dataset: tuple[object, Dataset] | None = None

    @property
    def objective(self) -> Any:
        """The config's `trainer.monitor` as a `keras_tuner.Objective`.

        By a name alone Keras Tuner takes what it does not know for a loss.
        """
        objective = self._config.run.trainer.objective
        return keras_tuner.Objective(objective.name, objective.direction)

    def build(self, hp: Any) -> Any:
        """Returns the compiled model of a trial.

        Args:
            hp: `keras_tuner.HyperParameters`; declares the space in it.

        Raises:
            ConfigError: The values do not make a config.
        """
        run = self._configure(hp)
        if run.trainer.phases is not None:
            reason = "must be null here: a tuner of Keras Tuner knows one training."
            hint = "The command searches with them: -m hydra/sweeper=keras_tuner."
            raise ConfigError([Problem("trainer.phases", reason, hint)])
        with prepared_framework(run) as devices:
            dataset, pipelines = self._load(run)
            start = find_start(run, dataset, devices)
            return build_model(
                run,
                start.images or dataset,
                steps_per_epoch=pipelines.steps_per_epoch,
                devices=devices,
                begin=start.begin,
            )

    def fit(
        self,
        hp: Any,
        model: Any,
        *args: Any,
        callbacks: Sequence[Any] = (),
        epochs: int | None = None,
        initial_epoch: int = 0,
        verbose: Any = "auto",
        **kwargs: Any,
    ) -> Any:
        """Trains the model of a trial on the config's data, as a job does.

        Args:
            hp: As above.
            model: What `build` returned.
            *args: Refused: the data are the config's.
            callbacks: The tuner's; they come after those of the config.
            epochs: Number of the last epoch; `None` for the config's.
            initial_epoch: Epochs that the model has had.
            verbose: 0 shows no epochs.
            **kwargs: Refused likewise.

        Returns:
            A `keras.callbacks.History`.

        Raises:
            TypeError: Data were given to the tuner's `search()`, or something else that
                the config decides on.
        """
        if args or kwargs:
            _refuse(args, kwargs)
        run = self._configure(hp)
        dataset, pipelines = self._load(run)
        # In brackets, as what no config has asked for.
        tuners = {f"(tuner {number})": c for number, c in enumerate(callbacks)}
        shown = {} if verbose in (0, "0") else {"(display)": _display(run, pipelines)}
        own = build_callbacks(run, {}, with_files=False)
        with naming_damaged_files(dataset):
            history = fit(
                model,
                train_from=pipelines.train_from,
                validation=pipelines.validation,
                epochs=epochs or run.trainer.epochs,
                steps_per_epoch=pipelines.steps_per_epoch,
                validation_steps=run.trainer.max_validation_steps,
                callbacks={**own, **tuners, **shown},
                state=_after(model, initial_epoch) if initial_epoch else None,
            )
        return _as_keras(history.epochs[initial_epoch:], initial_epoch)

    def _configure(self, hp: Any) -> RunConfig:
        """Returns the config of a trial, which is composed once."""
        words = tuple(self._space.as_overrides(read_values(hp, self._space)))
        if self._configured is None or self._configured[0] != words:
            self._configured = (words, self._config.with_overrides(words).run)
        return self._configured[1]

    def _load(self, run: RunConfig) -> tuple[Dataset, Pipelines]:
        """Returns the data; the same data set is read once."""
        if self._dataset is None or self._dataset[0] != run.dataset:
            self._dataset = (run.dataset, build_dataset(run))
        dataset = self._dataset[1]
        return dataset, build_pipelines(run, dataset)


def _refuse(args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    if args or kwargs.keys() & _DATA:
        raise TypeError(
            "search() takes no data here: they are those of the config's `dataset`. "
            "Received data. Call it without them."
        )
    raise TypeError(
        "search() takes callbacks, epochs, initial_epoch and verbose here; the config "
        f"decides on the rest. Received: {', '.join(sorted(kwargs))}."
    )


def _display(run: RunConfig, pipelines: Pipelines) -> ProgressDisplay:
    return ProgressDisplay(
        mode=run.trainer.progress,
        epochs=run.trainer.epochs,
        steps_per_epoch=pipelines.steps_per_epoch,
        batch_size=run.trainer.batch_size,
    )


def _after(model: Any, epochs: int) -> TrainingState:
    """Returns the state of a model as it is, after some epochs."""
    return TrainingState(
        arrays=copy_variables(model),
        position=Position(epochs, 0),
        history=[{}] * epochs,
    )


def _as_keras(epochs: Sequence[Mapping[str, float]], first: int) -> Any:
    """Returns the metrics of epochs as Keras' own `fit` does."""
    history = keras.callbacks.History()
    history.epoch = list(range(first, first + len(epochs)))
    for epoch in epochs:
        for name, value in epoch.items():  # some are of the first epoch only
            history.history.setdefault(name, []).append(value)
    return history


def _parse(overrides: Sequence[str]) -> list[Any]:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    return list(OverridesParser.create().parse_overrides(list(overrides)))
