"""Trains every point of a small space once; the table that searches are compared on.

Comparing search methods takes hundreds of searches. Here each point is trained for
real, to its last epoch, and a trial of `search_quality.py` reads its learning curve.
The stored table is older than a `val_loss` that is plain whatever the training loss
is: its losses are those of labels smoothed by 0.1, to be compared with each other only.

Reference:
    Tabular benchmarks: Ying et al., NAS-Bench-101, 2019, arXiv:1902.09635, section 2.3;
    Klein and Hutter, Tabular benchmarks for joint architecture and hyperparameter
    optimization, 2019, arXiv:1905.04970.
"""

import argparse
import itertools
import json
import math
import sys
from pathlib import Path
from typing import Any

from results import describe_machine

TABLE = Path(__file__).resolve().parent / "results" / "learning_curves.json"
CONF = Path(__file__).resolve().parents[1] / "conf"
EPOCHS = 27
SPACE: dict[str, list[Any]] = {
    "optimizer.lr": [round(10 ** (-3.5 + i * 0.375), 6) for i in range(12)],
    "optimizer.momentum": [0.0, 0.5, 0.9],
    "trainer.batch_size": [32, 128],
    "model.width": [4, 8],
}
FIXED = (
    "model=resnet",
    "model.depth=null",
    "model.blocks=[1,1]",
    "model.block=basic",
    "dataset=digits",
    "dataset.image_size=8",
    "optimizer=sgd",
    "schedule.warmup_epochs=1",
    "callbacks.early_stopping=null",
    f"trainer.epochs={EPOCHS}",
    "gpu=cpu",
    "tracking=off",
)


def main() -> int:
    """Trains what the table lacks, so that it can be interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, help="points to train; default: all")
    most = parser.parse_args().most
    table = json.loads(TABLE.read_text()) if TABLE.exists() else {"curves": {}}
    points = list(itertools.product(*SPACE.values()))
    missing = [point for point in points if json.dumps(point) not in table["curves"]]
    for count, point in enumerate(missing[:most], start=1):
        table["curves"][json.dumps(point)] = train(dict(zip(SPACE, point, strict=True)))
        table |= {**describe_machine(), "space": SPACE, "epochs": EPOCHS}
        if count % 10 == 0 or count == len(missing):
            TABLE.write_text(json.dumps(table, indent=1) + "\n")
            print(f"{count} of {len(missing)}", flush=True)
    return 0


def train(values: dict[str, Any]) -> list[float]:
    """Returns the validation loss of each epoch; one million where it is not finite."""
    from hydra import compose, initialize_config_dir

    from experiments.builders.data import build_dataset, build_pipelines
    from experiments.builders.devices import claim_devices, configure_framework
    from experiments.builders.model import build_model
    from experiments.config.validation import validate

    overrides = [*FIXED, *(f"{key}={value}" for key, value in values.items())]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        run = validate(compose("config", overrides))
    devices = configure_framework(run, claim_devices(run))
    import keras

    dataset = build_dataset(run)
    pipelines = build_pipelines(run, dataset)
    steps = pipelines.steps_per_epoch
    model = build_model(run, dataset, steps_per_epoch=steps, devices=devices)
    history = model.fit(
        pipelines.train_from(0),
        validation_data=pipelines.validation,
        epochs=EPOCHS,
        steps_per_epoch=steps,
        shuffle=False,
        verbose=0,
    ).history["val_loss"]
    keras.utils.clear_session(free_memory=True)
    return [round(v, 6) if math.isfinite(v) else 1e6 for v in history]


if __name__ == "__main__":
    sys.exit(main())
