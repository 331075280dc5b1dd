"""A trained model, ready to be asked, and what it needs to be used rightly."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.builders.data import build_dataset
from experiments.builders.devices import prepared_framework
from experiments.builders.model import answers_each_class
from experiments.config.checks.unused import name_task
from experiments.config.schema.run import RunConfig
from experiments.config.schema.shipping import PromoteTaskConfig
from experiments.counts import count_of
from experiments.data.images.background import WHITE, Colour, choose_colour
from experiments.errors import ConfigError, ExperimentError
from experiments.evaluation.predictions import Output
from experiments.runtime.devices import Devices
from experiments.tracking.logged_model import RegisteredModel, fetch_registered
from experiments.trained.finding import Found
from experiments.trained.network import load_saved
from experiments.trained.settled import for_inference, settle_config, settle_export
from experiments.weights.keras_file import read_keras_file

if TYPE_CHECKING:
    from experiments.weights.source import Weights


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A model and how its images and its answers are meant.

    Attributes:
        name: Of its run or its file.
        run_id: MLflow's id of its run, if there is one.
        folder: Of its run, if that is here.
        config: The recorded config as it is used here; `None` without a run.
        model: A Keras model of uint8 images `(B, H, W, C)` -> `(B, classes)`.
        class_names: One a class; numbers where nothing tells the names.
        image_shape: `(H, W, C)`.
        kind: What it gives.
        state_sha256: Hash of its weights; that of the run's record for its best epoch.
        crop_ratio: Share of a file's shorter side that the central window has.
        background: Behind what is transparent in a file.
    """

    name: str
    run_id: str | None
    folder: Path | None
    config: RunConfig | None
    model: Any
    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    kind: Output
    state_sha256: str
    crop_ratio: float = 1.0
    background: Colour = WHITE

    @property
    def has_several_labels(self) -> bool:
        """Whether it answers for each class by itself."""
        return self.kind == "several_labels"


@contextmanager
def open_trained(
    found: Found, run: RunConfig, *, for_export: bool = False
) -> Iterator[Trained]:
    """Loads a model, with the framework set up for it inside of the block.

    Args:
        found: What `find_trained` returned.
        run: Of the command: says the device, what a record may name, and the store.
        for_export: Load it in TensorFlow and in float32, whatever it was trained in.

    Yields:
        The model.

    Raises:
        ExperimentError: It is kept nowhere, damaged, or no classifier of images.
    """
    config = _settle(found, run)
    if config is not None and config.dataset.has_several_labels:
        _refuse_several(found, run)
    if for_export:
        run, config = settle_export(run), config and settle_export(config)
    with prepared_framework(for_inference(config or run)) as devices:
        trained = _load(found, run, config, devices)
        if trained.has_several_labels:
            _refuse_several(found, run)
        yield trained


def _refuse_several(found: Found, run: RunConfig) -> None:
    """Raises for a task that does not know what several labels of an image mean."""
    if not isinstance(run.task, PromoteTaskConfig):
        return
    task = name_task(run.task._target_)
    raise ExperimentError(
        f"{found.name} answers for each class whether an image shows it, and "
        f"task={task} is for models of one label an image. Its scores are those of its "
        "training, and what it said of each image stands in predictions/ there."
    )


def open_beside(found: Found, run: RunConfig, folder: Path) -> Trained:
    """Loads a registered model in a block of `open_trained` that another one is in.

    What its run's config would set up is that of the block; crop and background are
    those of its own training, where they are known.

    Args:
        found: A registered version.
        run: Of the command, see `open_trained`.
        folder: Where its files are copied to, and stay.

    Raises:
        ExperimentError: Its files are gone or damaged, or of no classifier of images.
    """
    if found.registered is None:
        raise ExperimentError(f"{found.typed} is no registered version.")
    try:
        config = _settle(found, run)
    except ConfigError:  # of a record that this machine cannot use: the model can be
        config = None
    model, class_names = _read_registered(found, found.registered, folder, run)
    return _describe(found, config, model, class_names)


def read_trained_weights(found: Found, run: RunConfig, devices: Devices) -> "Weights":
    """Reads the weights of a model for another one, in a framework that is set up.

    Args:
        found: What `find_trained` returned.
        run: Of the command, see `open_trained`.
        devices: Those that compute.

    Raises:
        ExperimentError: It is kept nowhere, or damaged.
    """
    from experiments.weights.keras_file import read_layers
    from experiments.weights.preprocessing import read_preprocessing
    from experiments.weights.source import Weights

    model, names = _load_model(found, run, _settle(found, run), devices)
    return Weights(
        name=found.name,
        sha256=_digest(found, model),
        layers=read_layers(model),
        preprocessing=read_preprocessing(model),
        class_names=names,
    )


def _settle(found: Found, run: RunConfig) -> RunConfig | None:
    """Returns the config of a model's run as it is used here, if it has any."""
    if found.record is None:
        return None
    return settle_config(
        found.record,
        allowed_targets=run.allowed_targets,
        output_dir=run.output_dir,
        gpu=run.gpu,
    )


def _load(
    found: Found, run: RunConfig, config: RunConfig | None, devices: Devices
) -> Trained:
    import keras

    from experiments.speedups.grouped import divide_groups

    model, class_names = _load_model(found, run, config, devices)
    if (keras.backend.backend(), devices.kind) == ("tensorflow", "cpu"):
        divide_groups(model)  # of a file; that of a run was built like that
    return _describe(found, config, model, class_names)


def _describe(
    found: Found,
    config: RunConfig | None,
    model: Any,
    class_names: tuple[str, ...] | None,
) -> Trained:
    shape = _check_shape(found.name, model, class_names)
    dataset = None if config is None else config.dataset
    background = getattr(dataset, "background", None)
    return Trained(
        name=found.name,
        run_id=found.run_id,
        folder=found.folder,
        config=config,
        model=model,
        class_names=class_names or tuple(map(str, range(model.output_shape[-1]))),
        image_shape=shape,
        kind=_tell_kind(model),
        state_sha256=_digest(found, model),
        crop_ratio=getattr(dataset, "crop_ratio", 1.0),
        background=WHITE if background is None else choose_colour(background),
    )


def _tell_kind(model: Any) -> Output:
    from experiments.training.losses import outputs_probabilities

    if answers_each_class(model):
        return "several_labels"
    return "probabilities" if outputs_probabilities(model) else "logits"


def _load_model(
    found: Found, run: RunConfig, config: RunConfig | None, devices: Devices
) -> tuple[Any, tuple[str, ...] | None]:
    """Returns the model and its class names, where something tells them."""
    known = None if found.record is None else found.record.images
    if found.file is not None:
        return read_keras_file(found.file), None
    if found.registered is not None:
        with tempfile.TemporaryDirectory() as folder:
            return _read_registered(found, found.registered, Path(folder), run)
    if found.record is None or config is None:
        raise ExperimentError(f"{found.typed} names no model.")
    images = known or found.record.prepare(build_dataset(config))
    model = load_saved(
        found.record,
        for_inference(config),
        images,
        devices=devices,
        destination=run.destination(),
    )
    return model, tuple(images.class_names)


def _read_registered(
    found: Found, registered: RegisteredModel, folder: Path, run: RunConfig
) -> tuple[Any, tuple[str, ...] | None]:
    path, metadata = fetch_registered(registered, folder, run.destination())
    if told := metadata.get("class_names"):
        return read_keras_file(path), tuple(map(str, told))
    known = None if found.record is None else found.record.images
    return read_keras_file(path), None if known is None else tuple(known.class_names)


def _check_shape(
    name: str, model: Any, class_names: tuple[str, ...] | None
) -> tuple[int, int, int]:
    """Returns the shape of a model's images.

    Raises:
        ExperimentError: It is no classifier of images of one size.
    """
    inputs, outputs = model.input_shape, model.output_shape
    is_plain = isinstance(inputs, tuple) and isinstance(outputs, tuple)
    is_classifier = is_plain and (len(inputs), len(outputs)) == (4, 2)
    if not is_classifier or None in inputs[1:]:
        raise ExperimentError(
            f"{name} is no classifier of images of one size: it takes {inputs} and "
            f"gives {outputs}."
        )
    if class_names is not None and len(class_names) != outputs[-1]:
        raise ExperimentError(
            f"{name} gives {outputs[-1]} numbers an image, but its record names "
            f"{count_of(len(class_names), 'class', 'classes')}."
        )
    height, width, channels = inputs[1:]
    return height, width, channels


def _digest(found: Found, model: Any) -> str:
    """Returns the hash of the weights, as the run's record has it where it counts."""
    from experiments.training.checkpoints.state import digest_weights

    is_best = found.file is None and found.registered is None
    result = None if found.record is None else found.record.result
    recorded = None if result is None else result.state_sha256
    return recorded if is_best and recorded else digest_weights(model)
