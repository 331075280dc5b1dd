"""Keras Tuner's own tuners run the project's builder unchanged."""

from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np
import pytest
from omegaconf import OmegaConf
from PIL import Image

from experiments.errors import ConfigError, DataError
from experiments.search.hypermodel import ExperimentHyperModel
from tests.conftest import CONF
from tests.tiny import TINY

SPACE = {"optimizer.lr": "1e-4,1e-2", "model.dropout": "0.0,0.5"}
SMALL = (*TINY, "trainer.epochs=2", "trainer.max_steps_per_epoch=2")


@pytest.fixture
def config() -> Any:
    from hydra import compose, initialize_config_dir

    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", list(SMALL))


@pytest.mark.filterwarnings("ignore:.*does not apply to tf.data functions")
@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    ("tuner", "options"),
    [
        (keras_tuner.RandomSearch, {"max_trials": 2}),
        (keras_tuner.BayesianOptimization, {"max_trials": 2, "num_initial_points": 1}),
        (keras_tuner.Hyperband, {"max_epochs": 2, "factor": 2}),
        (keras_tuner.GridSearch, {"max_trials": 2}),
    ],
)
def test_tuners_of_keras_tuner_search_with_it(
    tuner: Any, options: dict[str, Any], config: Any, tmp_path: Path
) -> None:
    hypermodel = ExperimentHyperModel(config, SPACE)
    search = tuner(
        hypermodel,
        objective=hypermodel.objective,
        directory=tmp_path,
        seed=1,
        **options,
    )
    search.search(verbose=0)
    trials = search.oracle.trials.values()
    assert {trial.status for trial in trials} == {"COMPLETED"}
    for trial in trials:
        values = trial.hyperparameters.values
        assert values["optimizer.lr"] in (1e-4, 1e-2)
        assert values["model.dropout"] in (0.0, 0.5)
    (best,) = search.get_best_models(1)
    assert best.output_shape == (None, 10)


def test_the_model_is_that_of_the_trials_config(config: Any) -> None:
    hypermodel = ExperimentHyperModel(config, {"optimizer.lr": "1e-4,1e-2"})
    values = keras_tuner.HyperParameters()
    values.values = {"optimizer.lr": 1e-2}
    model = hypermodel.build(values)
    peak = model.optimizer._learning_rate.get_config()["peak_lr"]
    assert peak == pytest.approx(1e-2)


def test_groups_are_composed_from_their_files(config: Any) -> None:
    hypermodel = ExperimentHyperModel(
        config,
        {"optimizer": "adam,sgd", "optimizer.momentum": "interval(0.5,0.9)"},
        when={"optimizer.momentum": "optimizer=sgd"},
        config_dir=CONF,
        overrides=SMALL,
    )
    values = keras_tuner.HyperParameters()
    assert "adam" in type(hypermodel.build(values).optimizer).__name__.lower()
    values.values = {"optimizer": "sgd", "optimizer.momentum": 0.7}
    optimizer = hypermodel.build(values).optimizer
    assert (type(optimizer).__name__, optimizer.momentum) == ("SGD", 0.7)


def test_data_given_to_the_tuner_are_refused(config: Any) -> None:
    hypermodel = ExperimentHyperModel(config, SPACE)
    with pytest.raises(TypeError, match="Call it without them"):
        hypermodel.fit(keras_tuner.HyperParameters(), None, [1], [2])


def test_a_wrong_config_is_told_before_the_first_trial(config: Any) -> None:
    wrong = OmegaConf.merge(config, {"trainer": {"epochs": 0}})
    with pytest.raises(ConfigError, match=r"trainer\.epochs"):
        ExperimentHyperModel(wrong, SPACE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("monitor", "direction"), [("val_accuracy", "max"), ("val_loss", "min")]
)
def test_the_objective_is_what_the_config_monitors(
    monitor: str, direction: str, config: Any
) -> None:
    config.trainer.monitor = monitor
    objective = ExperimentHyperModel(config, SPACE).objective
    assert (objective.name, objective.direction) == (monitor, direction)


@pytest.mark.filterwarnings("ignore:.*does not apply to tf.data functions")
@pytest.mark.usefixtures("eager")
def test_file_that_does_not_decode_is_named(tmp_path: Path) -> None:
    from hydra import compose, initialize_config_dir

    noise = np.random.RandomState(0).randint(0, 256, (40, 80, 80, 3)).astype("uint8")
    for number, image in enumerate(noise):
        folder = tmp_path / "photos" / f"class{number % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{number}.png")
        content = (folder / f"{number}.png").read_bytes()
        broken = content[:9000] + bytes(100) + content[9100:]
        (folder / f"{number}.png").write_bytes(broken)  # all but the ends
    data = ["dataset=folder", f"dataset.path={tmp_path / 'photos'}"]
    more = ["dataset.verify=header", "dataset.scan_cache=null", "dataset.cache=none"]
    small = [word for word in SMALL if not word.startswith("dataset")]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("config", [*small, "dataset.image_size=16", *data, *more])
    hypermodel = ExperimentHyperModel(config, {"optimizer.lr": "1e-4,1e-2"})
    values = keras_tuner.HyperParameters()
    values.values = {"optimizer.lr": 1e-2}
    with pytest.raises(DataError, match=r"40 image files cannot be used: .*\.png is"):
        hypermodel.fit(values, hypermodel.build(values))
