"""A Keras script as one writes it without this project, up to its first step."""

import argparse

import keras
import numpy as np
import sklearn.datasets
import tensorflow as tf

from bare_network import build_resnet
from stopwatch import ExitAfterFirstStep


def main() -> None:
    """Loads the digits, builds the network and fits it with Keras' defaults."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--depth", type=int, required=True)
    parser.add_argument("--image-size", type=int, required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--mlflow", action="store_true")
    options = parser.parse_args()

    callbacks = [ExitAfterFirstStep()]
    if options.mlflow:
        import mlflow

        mlflow.set_tracking_uri("sqlite:///mlflow.db")
        mlflow.set_experiment("digits")
        mlflow.start_run()
        mlflow.log_params(vars(options))
        callbacks.insert(0, mlflow.keras.MlflowCallback())

    digits = sklearn.datasets.load_digits()
    size = (options.image_size, options.image_size)
    images = tf.image.resize(digits.images[..., None] * (255 / 16), size)
    images = np.round(images).astype("uint8")
    model = build_resnet(options.depth, images.shape[1:])
    model.compile(
        optimizer=keras.optimizers.Adam(1e-4),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(
        images[:1258],
        digits.target[:1258],
        batch_size=options.batch_size,
        validation_data=(images[1258:1527], digits.target[1258:1527]),
        callbacks=callbacks,
        verbose=0,
    )


if __name__ == "__main__":
    main()
