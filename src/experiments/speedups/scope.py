"""The scope in which a model is built, for one device or for several."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from experiments.runtime.devices import Devices


def variable_scope(
    devices: Devices, backend: str
) -> contextlib.AbstractContextManager[Any]:
    """Returns the scope in which a model is built so that all claimed GPUs train it.

    Several share each batch: TensorFlow mirrors the variables, JAX shards the batch
    over a data-parallel mesh. On a single one TensorFlow's variables have one name,
    beside the path by which Keras knows them: for each new name TensorFlow prepares the
    operation that makes it, which is half of making a small variable.
    """
    several = len(devices.gpus) > 1
    if backend == "jax":
        if several:
            _share_batches()
        return contextlib.nullcontext()
    import tensorflow as tf

    scope: contextlib.AbstractContextManager[Any] = (
        tf.distribute.MirroredStrategy().scope()
        if several
        else tf.variable_creator_scope(_create_by_one_name)
    )
    return scope


def _share_batches() -> None:
    """Lets all devices of JAX share each batch.

    One that they can't share evenly, such as the last one of a validation, each of
    them computes as a whole: Keras takes the layout of the first one for all, and JAX
    refuses to cut it so.
    """
    from keras import distribution
    from keras.src.backend.jax import trainer  # not public

    class DataParallel(distribution.DataParallel):
        def get_data_layout(self, data_shape: Sequence[int]) -> Any:
            if data_shape[0] % self.device_mesh.devices.size == 0:
                return super().get_data_layout(data_shape)
            whole = [None] * len(data_shape)
            return distribution.TensorLayout(whole, self.device_mesh)

    def iterate(iterator: Any, _: Any) -> Iterator[Any]:
        return map(trainer._distribute_data, iterator.data_adapter.get_jax_iterator())

    trainer.JAXEpochIterator._get_distributed_iterator = iterate
    distribution.set_distribution(DataParallel())


def _create_by_one_name(create: Callable[..., Any], **options: Any) -> Any:
    # The slash keeps the layer's name, which is unique, from being put before it.
    return create(**{**options, "name": "variable/"})
