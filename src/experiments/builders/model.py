"""The compiled model of a config: the one way to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.builders.cost import micro_batch
from experiments.builders.devices import uses_onednn
from experiments.builders.loss import build_judgement
from experiments.builders.optimizer import build_optimizer
from experiments.config.code.targets import instantiate
from experiments.config.kinds.phases import list_phases
from experiments.config.schema.run import RunConfig
from experiments.data.dataset import Dataset
from experiments.errors import ConfigError, Problem
from experiments.runtime.devices import Devices

# The name of a model of which each output is the logit of a question of its own.
SEVERAL_LABELS = "classifier_of_several_labels"


@dataclass(frozen=True, kw_only=True)
class Images:
    """What a model has to know of its images; a `Dataset` knows it too.

    Attributes:
        class_names: One name a class.
        image_shape: `(H, W, C)`.
        mean: Of each channel, in units of 0..1.
        std: Likewise.
        train_counts: Training images of each class; `None` for who trains nothing.
    """

    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    train_counts: tuple[int, ...] | None = None

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @classmethod
    def of(
        cls, dataset: "Dataset | Images", mean: Sequence[float], std: Sequence[float]
    ) -> "Images":
        """Returns the images of a data set, prepared in another way than its own."""
        return cls(
            class_names=tuple(dataset.class_names),
            image_shape=dataset.image_shape,
            mean=tuple(mean),
            std=tuple(std),
            train_counts=dataset.train_counts,
        )


def build_model(
    run: RunConfig,
    dataset: Dataset | Images,
    *,
    steps_per_epoch: int,
    devices: Devices,
    lr_factor: float = 1.0,
    begin: Callable[[Any], object] | None = None,
    phase: int = 0,
) -> Any:
    """Builds and compiles the model: the one way to it, for every task and trial.

    Args:
        run: The checked config.
        dataset: Says the image shape, the classes and the normalisation.
        steps_per_epoch: Training steps of one epoch, which schedules are written in.
        devices: The claimed devices; several get a copy of the model each.
        lr_factor: What the configured learning rate is multiplied by.
        begin: Gives the network, a `keras.Model` of float images, other weights than
            those of its seed.
        phase: Number of the phase that it is compiled for, see `compile_phase`.

    Returns:
        A compiled `keras.Model` of uint8 images (B, H, W, C) -> (B, classes).

    Raises:
        ConfigError: The network's output has another shape, or training it on these
            devices would go wrong.
    """
    from experiments.models.freezing import freeze_layers
    from experiments.speedups.batch_norm import fuse_batch_norms
    from experiments.speedups.convolution import lower_convolutions
    from experiments.speedups.grouped import divide_groups
    from experiments.speedups.scope import variable_scope

    trainer, classes = run.trainer, dataset.num_classes
    jit = _choose_jit(run, devices)
    with variable_scope(devices, run.backend):
        network = instantiate(
            run.model,
            key="model",
            allowed=run.allowed_targets,
            input_shape=dataset.image_shape,
            num_classes=classes,
        )
        several = run.dataset.has_several_labels
        model = normalise_inside(network, dataset, has_several=several)
        _check_head(model, classes)
        if begin is not None:
            begin(network)
        if trainer.fused_batch_norm:
            fuse_batch_norms(model, jit=jit)
        on_cpu = devices.kind == "cpu" and run.backend == "tensorflow"
        if trainer.lowered_convolutions and on_cpu and not jit:
            lower_convolutions(model)
            divide_groups(model)
        for each in list_phases(run):  # before any is trained
            freeze_layers(model, each.freeze, key=each.key)
            _check_gradients(run, model, devices)
    compile_phase(
        run,
        model,
        phase,
        dataset=dataset,
        steps_per_epoch=steps_per_epoch,
        devices=devices,
        lr_factor=lr_factor,
    )
    return model


def compile_phase(
    run: RunConfig,
    model: Any,
    number: int,
    *,
    dataset: "Dataset | Images",
    steps_per_epoch: int,
    devices: Devices,
    lr_factor: float = 1.0,
) -> None:
    """Freezes what a phase leaves alone, and compiles with a fresh optimizer.

    The weights stay. Of a training without phases the only one is number 0.

    Args:
        run: The checked config.
        model: What `build_model` builds.
        number: Of the phase, from 0 on.
        dataset: Says the classes, and how many training images each has.
        steps_per_epoch: Training steps of one epoch.
        devices: The claimed devices.
        lr_factor: What the configured learning rate is multiplied by.

    Raises:
        ConfigError: What it freezes is not there, or is everything.
    """
    from experiments.models.freezing import freeze_layers
    from experiments.speedups.scope import variable_scope
    from experiments.training.loop.fit import compile_model

    trainer, phase = run.trainer, list_phases(run)[number]
    with variable_scope(devices, run.backend):
        freeze_layers(model, phase.freeze, key=phase.key)
        compile_model(
            model,
            optimizer=build_optimizer(
                run,
                model,
                steps_per_epoch=steps_per_epoch,
                lr_factor=lr_factor,
                phase=phase,
            ),
            **build_judgement(run, model, dataset),
            jit=_choose_jit(run, devices),
            steps_per_execution=trainer.steps_per_execution,
            micro_batch=None if trainer.accumulate_steps == 1 else micro_batch(run),
        )


def _choose_jit(run: RunConfig, devices: Devices) -> bool:
    from experiments.training.loop.fit import choose_jit

    return choose_jit(
        run.trainer.jit,
        on_gpu=devices.kind == "gpu",
        deterministic=run.trainer.deterministic,
    )


def normalise_inside(
    network: Any, dataset: Dataset | Images, *, has_several: bool = False
) -> Any:
    """Puts the data set's normalisation in front of a network.

    The result takes the images as they are stored, so that a saved model needs no
    preprocessing that somebody could forget; the network stays what its paper says.

    Args:
        network: A `keras.Model` of float images (B, H, W, C).
        dataset: Says shape, mean and standard deviation, the latter in 0..1 units.
        has_several: Whether each class is a question of its own, which the name of the
            model keeps wherever it goes.

    Returns:
        A `keras.Model` of uint8 images (B, H, W, C).
    """
    import keras

    images = keras.Input(dataset.image_shape, dtype="uint8", name="image")
    scale = [1 / (255 * std) for std in dataset.std]
    pairs = zip(dataset.mean, dataset.std, strict=True)
    offset = [-mean / std for mean, std in pairs]
    normalised = keras.layers.Rescaling(scale, offset, name="normalise")(images)
    name = SEVERAL_LABELS if has_several else "classifier"
    return keras.Model(images, network(normalised), name=name)


def answers_each_class(model: Any) -> bool:
    """Tells whether a model's outputs are logits of a question for each class."""
    return bool(model.name == SEVERAL_LABELS)


def _check_head(model: Any, classes: int) -> None:
    if tuple(model.output_shape) != (None, classes):
        reason = (
            f"must give one number a class, shape (batch, {classes}). "
            f"Received: {model.output_shape}."
        )
        raise ConfigError([Problem("model", reason)])


def _check_gradients(run: RunConfig, model: Any, devices: Devices) -> None:
    from experiments.models.onednn import NARROW, find_wrong_gradients

    if not uses_onednn(run, devices):
        return
    if names := find_wrong_gradients(model):
        reason = (
            f"has strided 1x1 convolutions of fewer than {NARROW} input channels, "
            f"whose gradients oneDNN computes wrong: {', '.join(names)}."
        )
        hint = (
            "Put AveragePooling2D(1, strides=...) before each in place of its stride, "
            "or use trainer.onednn=false."
        )
        raise ConfigError([Problem("model", reason, hint)])
