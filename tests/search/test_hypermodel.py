"""Keras Tuner's own tuners run the project's builder unchanged."""

from pathlib import Path
from typing import Any

import keras
import keras_tuner
import numpy as np
import pytest
from omegaconf import OmegaConf
from PIL import Image

from experiments.command.composing.composed import Config, compose
from experiments.config.kinds.metric_names import name_best
from experiments.errors import ConfigError, DataError
from experiments.search.hypermodel import ExperimentHyperModel
from tests.tiny import TINY

SPACE = {"optimizer.lr": "1e-4,1e-2", "model.dropout": "0.0,0.5"}
SMALL = (*TINY, "gpu=cpu", "trainer.epochs=2", "trainer.max_steps_per_epoch=2")


@pytest.fixture
def config() -> Config:
    return compose(SMALL)


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


def test_what_was_not_checked_is_refused(config: Any) -> None:
    with pytest.raises(TypeError, match=r"compose\(\) returned. Received: DictConfig"):
        ExperimentHyperModel(
            OmegaConf.create(config.data),  # type: ignore[arg-type]
            SPACE,
        )


def test_trial_that_makes_no_config_is_told(config: Any) -> None:
    hypermodel = ExperimentHyperModel(config, {"trainer.epochs": "0,1"})
    with pytest.raises(ConfigError, match=r"trainer\.epochs"):
        hypermodel.build(keras_tuner.HyperParameters())


def test_trial_trains_as_a_job_of_its_config_does(config: Any, run_job: Any) -> None:
    """To the same metrics, with the callbacks that need no folder."""
    hypermodel = ExperimentHyperModel(config, {"optimizer.lr": "1e-3,1e-2"})
    values = keras_tuner.HyperParameters()
    values.values = {"optimizer.lr": 1e-2}
    history = hypermodel.fit(values, hypermodel.build(values), verbose=0)
    result = run_job(*SMALL, "optimizer.lr=1e-2")
    best = int(result.metrics["best_epoch"]) - 1
    for name in ("loss", "val_loss", "val_accuracy"):
        assert history.history[name][best] == result.metrics[name_best(name)]
    # The second of two steps of warm-up, which begins with a tenth of the rate.
    assert history.history["lr"][0] == pytest.approx((1e-3 + 1e-2) / 2)
    # Only an epoch with a first step has it, as with Keras' own `fit`.
    assert len(history.history["first_step_seconds"]) == 1
    assert history.epoch == [0, 1]


@pytest.mark.filterwarnings("ignore:.*does not apply to tf.data functions")
@pytest.mark.usefixtures("eager")
def test_trial_that_has_had_an_epoch_goes_on_after_it(
    config: Any, caplog: pytest.LogCaptureFixture
) -> None:
    hypermodel = ExperimentHyperModel(config, {"optimizer.lr": "1e-3,1e-2"})
    values = keras_tuner.HyperParameters()
    callback = keras.callbacks.LambdaCallback()
    options = {"callbacks": [callback], "verbose": 0}
    model = hypermodel.build(values)
    whole = hypermodel.fit(values, model, **options)
    model = hypermodel.build(values)
    hypermodel.fit(values, model, epochs=1, **options)
    rest = hypermodel.fit(values, model, epochs=2, initial_epoch=1, **options)
    assert rest.epoch == [1]
    assert rest.history["loss"] == whole.history["loss"][1:]
    assert not caplog.text


def test_what_the_config_decides_on_is_refused(config: Any) -> None:
    hypermodel = ExperimentHyperModel(config, SPACE)
    with pytest.raises(TypeError, match="Received: batch_size"):
        hypermodel.fit(keras_tuner.HyperParameters(), None, batch_size=3)


def test_process_keeps_its_precision(config: Any) -> None:
    keras.config.set_dtype_policy("float64")
    try:
        ExperimentHyperModel(config, SPACE).build(keras_tuner.HyperParameters())
        assert keras.config.dtype_policy().name == "float64"
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize(
    ("monitor", "direction"), [("val_accuracy", "max"), ("val_loss", "min")]
)
def test_the_objective_is_what_the_config_monitors(
    monitor: str, direction: str, config: Any
) -> None:
    changed = config.with_overrides([f"trainer.monitor={monitor}"])
    objective = ExperimentHyperModel(changed, SPACE).objective
    assert (objective.name, objective.direction) == (monitor, direction)


@pytest.mark.filterwarnings("ignore:.*does not apply to tf.data functions")
@pytest.mark.usefixtures("eager")
def test_file_that_does_not_decode_is_named(tmp_path: Path) -> None:
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
    config = compose([*small, "dataset.image_size=16", *data, *more])
    hypermodel = ExperimentHyperModel(config, {"optimizer.lr": "1e-4,1e-2"})
    values = keras_tuner.HyperParameters()
    values.values = {"optimizer.lr": 1e-2}
    with pytest.raises(DataError, match=r"40 image files cannot be used: .*\.png is"):
        hypermodel.fit(values, hypermodel.build(values))
