"""Composition root: turns a checked config into data, a compiled model and callbacks.

Nobody below this module sees a config; everybody above gets built things from here.
"""

import functools
import inspect
import logging
import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from experiments import runtime
from experiments.config.schema.run import RunConfig
from experiments.config.targets import instantiate, resolve
from experiments.data.dataset import Dataset, Split
from experiments.errors import ConfigError, Problem
from experiments.runtime import Devices

if TYPE_CHECKING:
    from experiments.models.cost import Cost

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pipelines:
    """The `tf.data` datasets of a run, each of (uint8 (B, H, W, C), int32 (B,)).

    Attributes:
        train_from: Returns the training batches from a step on, over all epochs.
        validation: One pass over the validation images.
        test: One pass over the test images; `None` without any.
        steps_per_epoch: Training steps of one epoch.
    """

    train_from: Callable[[int], Any]
    validation: Any
    test: Any | None
    steps_per_epoch: int


def claim_devices(run: RunConfig) -> Devices:
    """Decides on devices and sets the environment, before any framework is imported."""
    return runtime.prepare_environment(
        gpu=run.gpu,
        backend=run.backend,
        onednn=run.trainer.onednn,
        deterministic=run.trainer.deterministic,
    )


def configure_framework(run: RunConfig, devices: Devices) -> Devices:
    """Imports Keras and sets precision, threads, determinism and seeds.

    Args:
        run: The checked config.
        devices: What `claim_devices` returned.

    Returns:
        The devices that the framework computes on; everything else goes by these.
    """
    return runtime.configure_framework(
        devices,
        gpu=run.gpu,
        backend=run.backend,
        seed=run.seed,
        precision=run.trainer.precision,
        deterministic=run.trainer.deterministic,
        threads=run.trainer.threads,
        compilation_cache=run.trainer.compilation_cache,
    )


def build_dataset(run: RunConfig) -> Dataset:
    """Loads and checks the data set.

    Raises:
        DataError: It is absent, damaged or smaller than one batch.
    """
    dataset: Dataset = instantiate(
        run.dataset, key="dataset", allowed=run.allowed_targets
    )
    return dataset


def build_pipelines(run: RunConfig, dataset: Dataset) -> Pipelines:
    """Builds the datasets that feed training, validation and the test."""
    from experiments.data.pipeline.pipeline import build_pipeline, steps_per_epoch

    trainer = run.trainer
    common: dict[str, Any] = {
        "image_shape": dataset.image_shape,
        "batch_size": trainer.batch_size,
        "seed": run.seed,
        "cache": dataset.cache,
        "parallelism": dataset.decode_threads,
    }

    def evaluate(split: Split) -> Any:
        return build_pipeline(
            split, shuffle=False, epochs=1, drop_remainder=False, **common
        )

    steps = steps_per_epoch(dataset.train, trainer.batch_size, trainer.drop_remainder)
    limits = [trainer.max_steps_per_epoch, trainer.overfit_batches]

    # The first batch is drawn for the record before training begins with it.
    @functools.lru_cache(maxsize=1)
    def train_from(step: int) -> Any:
        repeated = trainer.overfit_batches
        batches = build_pipeline(
            dataset.train,
            shuffle=True,
            epochs=None,
            start_step=step if repeated is None else 0,
            drop_remainder=trainer.drop_remainder,
            augment=instantiate(
                run.augment, key="augment", allowed=run.allowed_targets
            ),
            **common,
        )
        if repeated is None:
            return batches
        return batches.take(repeated).cache().repeat().skip(step % repeated)

    return Pipelines(
        train_from=train_from,
        validation=evaluate(dataset.validation),
        test=None if dataset.test is None else evaluate(dataset.test),
        steps_per_epoch=min([steps, *(limit for limit in limits if limit is not None)]),
    )


def build_model(
    run: RunConfig,
    dataset: Dataset,
    *,
    steps_per_epoch: int,
    devices: Devices,
    lr_factor: float = 1.0,
) -> Any:
    """Builds and compiles the model: the one way to it, for every task and trial.

    Args:
        run: The checked config.
        dataset: Says the image shape, the classes and the normalisation.
        steps_per_epoch: Training steps of one epoch, which schedules are written in.
        devices: The claimed devices; several get a copy of the model each.
        lr_factor: What the configured learning rate is multiplied by.

    Returns:
        A compiled `keras.Model` of uint8 images (B, H, W, C) -> (B, classes).

    Raises:
        ConfigError: The network's output has another shape, or training it on these
            devices would go wrong.
    """
    from experiments.speedups.batch_norm import fuse_batch_norms
    from experiments.speedups.convolution import lower_convolutions
    from experiments.training.loop.fit import choose_jit, compile_model
    from experiments.training.losses import build_loss, outputs_probabilities
    from experiments.training.metrics import build_metrics

    trainer, classes = run.trainer, dataset.num_classes
    jit = choose_jit(
        trainer.jit,
        on_gpu=devices.kind == "gpu",
        deterministic=trainer.deterministic,
    )
    with runtime.variable_scope(devices, run.backend):
        network = instantiate(
            run.model,
            key="model",
            allowed=run.allowed_targets,
            input_shape=dataset.image_shape,
            num_classes=classes,
        )
        model = normalise_inside(network, dataset)
        _check_head(model, classes)
        _check_gradients(run, model, devices)
        if trainer.fused_batch_norm:
            fuse_batch_norms(model, jit=jit)
        on_cpu = devices.kind == "cpu" and run.backend == "tensorflow"
        if trainer.lowered_convolutions and on_cpu and not jit:
            lower_convolutions(model)
        head: dict[str, Any] = {
            "from_logits": not outputs_probabilities(model),
            "num_classes": classes,
        }
        compile_model(
            model,
            optimizer=build_optimizer(
                run, model, steps_per_epoch=steps_per_epoch, lr_factor=lr_factor
            ),
            loss=build_loss(**head, label_smoothing=0.0),
            training_loss=build_loss(**head, label_smoothing=trainer.label_smoothing),
            metrics=build_metrics(classes),
            jit=jit,
            steps_per_execution=trainer.steps_per_execution,
            micro_batch=None if trainer.accumulate_steps == 1 else _micro_batch(run),
        )
    return model


def normalise_inside(network: Any, dataset: Dataset) -> Any:
    """Puts the data set's normalisation in front of a network.

    The result takes the images as they are stored, so that a saved model needs no
    preprocessing that somebody could forget; the network stays what its paper says.

    Args:
        network: A `keras.Model` of float images (B, H, W, C).
        dataset: Says shape, mean and standard deviation, the latter in 0..1 units.

    Returns:
        A `keras.Model` of uint8 images (B, H, W, C).
    """
    import keras

    images = keras.Input(dataset.image_shape, dtype="uint8", name="image")
    scale = [1 / (255 * std) for std in dataset.std]
    pairs = zip(dataset.mean, dataset.std, strict=True)
    offset = [-mean / std for mean, std in pairs]
    normalised = keras.layers.Rescaling(scale, offset, name="normalise")(images)
    return keras.Model(images, network(normalised), name="classifier")


def measure_cost(run: RunConfig, model: Any, devices: Devices) -> "Cost":
    """Estimates parameters, FLOPs and memory, and warns when a batch can't fit.

    Args:
        run: The checked config.
        model: What `build_model` returned.
        devices: The claimed devices, which share a batch.
    """
    from experiments.models.cost import measure_cost

    weights = sum(math.prod(v.shape) for v in model.trainable_variables)
    slots = sum(math.prod(v.shape) for v in model.optimizer.variables)
    sums = run.trainer.accumulate_steps > 1  # of gradients, beside a micro-batch's
    cost = measure_cost(
        model,
        batch_size=math.ceil(_micro_batch(run) / max(len(devices.gpus), 1)),
        precision=run.trainer.precision,
        optimizer_slots=round(slots / max(weights, 1)) + sums,
    )
    memory = runtime.free_memory(devices)
    if memory is not None and cost.training_bytes > memory:
        log.warning(
            "trainer.batch_size=%d needs about %.1f GB on a device, which has %.1f GB. "
            "Lower it, dataset.image_size or the model's depth.",
            run.trainer.batch_size,
            cost.training_bytes / 1e9,
            memory / 1e9,
        )
    return cost


def describe_choices(run: RunConfig, model: Any, devices: Devices) -> dict[str, bool]:
    """Returns what the keys of the trainer that may be `auto` have become.

    Args:
        run: The checked config.
        model: What `build_model` returned.
        devices: Those that compute.
    """
    return {"jit": bool(model.jit_compile), "onednn": _uses_onednn(run, devices)}


def build_optimizer(
    run: RunConfig, model: Any, *, steps_per_epoch: int, lr_factor: float = 1.0
) -> Any:
    """Builds a fresh optimizer with its schedule for a built model."""
    from experiments.training.optimizers.keras_classes import build_optimizer, scale_lr

    arguments = run.optimizer.arguments()
    peak_lr = scale_lr(
        arguments.pop("lr"),
        batch_size=run.trainer.batch_size,
        reference_batch_size=run.trainer.reference_batch_size,
    )
    schedule = instantiate(
        run.schedule,
        key="schedule",
        allowed=run.allowed_targets,
        peak_lr=lr_factor * peak_lr,
        steps_per_epoch=steps_per_epoch,
        epochs=run.trainer.epochs,
    )
    optimizer_class = resolve(
        run.optimizer._target_, key="optimizer", allowed=run.allowed_targets
    )
    return build_optimizer(
        optimizer_class,
        lr=schedule,
        model=model,
        fused=run.trainer.fused_optimizer,
        **arguments,
    )


def naming_damaged_files(dataset: Dataset) -> AbstractContextManager[None]:
    """Names the file where an image of the data set fails to decode, see `damage`."""
    from experiments.data.pipeline import damage

    return damage.naming_damaged_files(*dataset.splits.values())


def build_callbacks(run: RunConfig, run_time: Mapping[str, object]) -> dict[str, Any]:
    """Builds the callbacks by name, in the order of the config.

    Args:
        run: The checked config.
        run_time: Facts that only the running job knows, such as `output_dir`; each
            callback gets those that its constructor names.
    """
    callbacks = {}
    allowed = run.allowed_targets
    for name, config in run.callbacks.items():
        key = f"callbacks.{name}"
        target = resolve(config._target_, key=key, allowed=allowed)
        names = inspect.signature(target).parameters
        facts = {k: v for k, v in run_time.items() if k in names}
        callbacks[name] = instantiate(config, key=key, allowed=allowed, **facts)
    return callbacks


def _micro_batch(run: RunConfig) -> int:
    """Returns how many images go through the network at a time."""
    return run.trainer.batch_size // run.trainer.accumulate_steps


def _uses_onednn(run: RunConfig, devices: Devices) -> bool:
    on_cpu = devices.kind == "cpu" and run.backend == "tensorflow"
    return on_cpu and run.trainer.onednn is not False


def _check_head(model: Any, classes: int) -> None:
    if tuple(model.output_shape) != (None, classes):
        reason = (
            f"must give one number a class, shape (batch, {classes}). "
            f"Received: {model.output_shape}."
        )
        raise ConfigError([Problem("model", reason)])


def _check_gradients(run: RunConfig, model: Any, devices: Devices) -> None:
    from experiments.models.onednn import NARROW, find_wrong_gradients

    if not _uses_onednn(run, devices):
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
