"""The project's builder as a hypermodel for those who work with Keras Tuner itself."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import keras_tuner
from omegaconf import DictConfig, OmegaConf, open_dict

from experiments.builders.data import (
    Pipelines,
    build_dataset,
    build_pipelines,
    naming_damaged_files,
)
from experiments.builders.model import build_model
from experiments.config.schema.run import RunConfig
from experiments.config.search.space import Space, parse_space
from experiments.config.validation import validate
from experiments.data.dataset import Dataset
from experiments.runtime.devices import choose_gpus, confirm_devices, list_gpus
from experiments.search.oracle.hyperparameters import read_values


class ExperimentHyperModel(keras_tuner.HyperModel):
    """A `keras_tuner.HyperModel` that any tuner of Keras Tuner runs unchanged.

    It loads the config's data and trains by the config's schedule, so that a tuner's
    `search()` needs no data:

        hypermodel = ExperimentHyperModel(
            cfg, {"optimizer.lr": "tag(log,interval(1e-5,1e-2))"}
        )
        tuner = keras_tuner.RandomSearch(hypermodel, objective=hypermodel.objective)
        tuner.search()

    Args:
        cfg: A composed config, without Hydra's own node.
        space: What `parse_space` returned, or key -> values in the grammar of Hydra's
            overrides.
        when: Key -> condition such as `optimizer=sgd`, for a `space` of texts.
        config_dir: The folder `conf/`; needed when a whole group is searched.
        overrides: What was changed in `cfg`, for composing it again with a group.
    """

    def __init__(
        self,
        cfg: DictConfig | Mapping[str, Any],
        space: Space | Mapping[str, str],
        *,
        when: Mapping[str, str] | None = None,
        config_dir: Path | None = None,
        overrides: Sequence[str] = (),
    ) -> None:
        super().__init__(name="experiment")
        self._config = OmegaConf.create(cfg)  # type: ignore[arg-type]
        self._space = (
            space
            if isinstance(space, Space)
            else parse_space(space, when or {}, (), _parse)
        )
        self._config_dir = config_dir
        self._overrides = list(overrides)
        self._dataset: tuple[object, Dataset] | None = None
        run = validate(self._config)  # what is wrong is told now, not in a trial
        self._objective = run.trainer.objective

    @property
    def objective(self) -> Any:
        """The config's `trainer.monitor` as a `keras_tuner.Objective`.

        By a name alone Keras Tuner takes what it does not know for a loss.
        """
        return keras_tuner.Objective(self._objective.name, self._objective.direction)

    def build(self, hp: Any) -> Any:
        """Returns the compiled model of a trial.

        Args:
            hp: `keras_tuner.HyperParameters`; declares the space in it.

        Raises:
            ConfigError: The values do not make a config.
        """
        run = self._configure(hp)
        keras.utils.set_random_seed(run.seed)
        keras.config.set_dtype_policy(run.trainer.precision)
        dataset, pipelines = self._load(run)
        return build_model(
            run,
            dataset,
            steps_per_epoch=pipelines.steps_per_epoch,
            devices=confirm_devices(
                choose_gpus(run.gpu, list_gpus()), gpu=run.gpu, backend=run.backend
            ),
        )

    def fit(self, hp: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        """Trains the model of a trial on the config's data.

        Args:
            hp: As above.
            model: What `build` returned.
            *args: Refused: the data are the config's.
            **kwargs: As for `keras.Model.fit`; `epochs` are the config's by default.

        Raises:
            TypeError: Data were given to the tuner's `search()`.
        """
        if args or kwargs.keys() & {"x", "y", "validation_data", "validation_split"}:
            raise TypeError(
                "search() takes no data here: they are those of the config's "
                "`dataset`. Received data. Call it without them."
            )
        run = self._configure(hp)
        dataset, pipelines = self._load(run)
        begin = int(kwargs.get("initial_epoch", 0)) * pipelines.steps_per_epoch
        kwargs.setdefault("epochs", run.trainer.epochs)
        with naming_damaged_files(dataset):
            return model.fit(
                pipelines.train_from(begin),
                validation_data=pipelines.validation,
                steps_per_epoch=pipelines.steps_per_epoch,
                shuffle=False,  # the pipeline has shuffled already
                **kwargs,
            )

    def _configure(self, hp: Any) -> RunConfig:
        values = read_values(hp, self._space)
        overrides = self._space.as_overrides(values)
        if self._config_dir is not None:
            return validate(self._compose(overrides))
        config = self._config.copy()
        with open_dict(config):
            for override in _parse(overrides):
                OmegaConf.update(config, override.key_or_group, override.value())
        return validate(config)

    def _compose(self, overrides: Sequence[str]) -> DictConfig:
        from hydra import compose, initialize_config_dir

        folder = str(Path(self._config_dir or "").absolute())
        with initialize_config_dir(folder, version_base="1.3"):
            return compose("config", [*self._overrides, *overrides])

    def _load(self, run: RunConfig) -> tuple[Dataset, Pipelines]:
        """Returns the data; the same data set is read once."""
        if self._dataset is None or self._dataset[0] != run.dataset:
            self._dataset = (run.dataset, build_dataset(run))
        dataset = self._dataset[1]
        return dataset, build_pipelines(run, dataset)


def _parse(overrides: Sequence[str]) -> list[Any]:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    return list(OverridesParser.create().parse_overrides(list(overrides)))
