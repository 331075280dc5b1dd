#!/usr/bin/env bash
# Makes a folder of results of every kind, small enough to keep, and packs it.
#
#   bash tests/records/make.sh ARCHIVE.tar.xz     (some five minutes on two cores)
#
# Run it at the root of a fresh clone of the commit whose records are to be kept, in a
# neutral folder: paths, the host's and the user's name become part of the records.
# Everything is left in outputs/ and pictures/, where nothing may be before.
set -euo pipefail
archive=$1
python=${PYTHON:-.venv/bin/python}
if [ -e outputs ] || [ -e pictures ]; then
  echo "outputs/ or pictures/ is there already: use a fresh clone." >&2
  exit 1
fi

small=(model=resnet20_cifar model.depth=null model.block=basic 'model.blocks=[1,1,1]' model.width=4 gpu=cpu
  trainer.max_steps_per_epoch=2 trainer.max_validation_steps=2)
train() { "$python" run.py "${small[@]}" "$@"; }
search=(-m hydra/sweeper=keras_tuner hydra.sweeper.oracle=random
  hydra.sweeper.max_trials=3 optimizer=adam,sgd
  'model.dropout=interval(0,0.5)'
  'optimizer.momentum=interval(0.8,0.98)'
  "hydra.sweeper.when={optimizer.momentum: 'optimizer=sgd'}")
run_id() { "$python" -c "import json, sys; print(json.load(open(sys.argv[1]))['run_id'])" "$1"; }

# A finished run, and one that was reproduced from its record.
train name=finished trainer.epochs=2
"$python" run.py task=reproduce "run_id=$(run_id outputs/runs/finished-*/result.json)" \
  name=reproduced gpu=cpu

# One that stopped in the middle of its second epoch, and was not continued.
train name=stopped trainer.epochs=3 trainer.max_steps=3 seed=1 tracking.log_model=none || [ $? = 75 ]

# One that was killed after its first checkpoint: its records are not all sent.
"$python" run.py "${small[@]}" name=killed trainer.epochs=100 seed=2 schedule=step \
  augment=flip_crop augment.flip_crop.flip=false augment.flip_crop.pad=1 tracking.log_model=none &
job=$!
until compgen -G 'outputs/runs/killed-*/checkpoints/manifest.json'; do sleep 0.1; done
kill -9 "$job"
wait "$job" || true

# One with a result after the first of its epochs.
train name=paused trainer.epochs=3 trainer.until_epoch=1 seed=3 schedule=polynomial \
  optimizer=adamw optimizer.ema_momentum=0.9 'callbacks=[default,plateau]' \
  tracking.log_model=none

# One that failed: its loss was no number, also after three rollbacks.
train name=failed trainer.epochs=9 optimizer=sgd optimizer.lr=1e6 optimizer.weight_decay=1 \
  schedule=constant trainer.on_nan=rollback trainer.max_rollbacks=1 tracking.log_model=none \
  || [ $? = 1 ]

# Images of one's own.
"$python" - <<'PYTHON'
from pathlib import Path

import numpy
from PIL import Image

draw = numpy.random.default_rng(0)
for name, shade in (("dark", 40), ("light", 160)):
    folder = Path("pictures") / name
    folder.mkdir(parents=True)
    for number in range(40):
        pixels = (shade + draw.integers(0, 60, (10, 10, 3))).astype("uint8")
        Image.fromarray(pixels).save(folder / f"{number:02}.png")
PYTHON
train name=pictures dataset=folder dataset.path=pictures dataset.image_size=8 \
  dataset.validation_fraction=0.3 dataset.test_fraction=0.3 trainer.batch_size=8 \
  trainer.epochs=2 tracking.log_model=none

# A sweep of two jobs, a search of three trials, and its best trial trained by itself.
train -m name=sweep optimizer=adam,sgd trainer.epochs=2 'callbacks=[default,median_pruner]' \
  tracking.log_model=none
train "${search[@]}" name=search trainer.epochs=2
parent=$("$python" - <<'PYTHON'
import sqlite3

rows = sqlite3.connect("outputs/mlflow.db").execute(
    "SELECT r.run_uuid FROM runs r WHERE NOT EXISTS (SELECT 1 FROM tags t WHERE"
    " t.run_uuid = r.run_uuid AND t.key = 'mlflow.parentRunId') AND r.name LIKE 'search%'"
)
print(rows.fetchone()[0])
PYTHON
)
"$python" run.py name=best task=train "from_search=$parent" trainer.epochs=2 gpu=cpu

# One file of the database, nothing that is made anew, no picture twice.
"$python" - <<'PYTHON'
import sqlite3

database = sqlite3.connect("outputs/mlflow.db")
database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
database.execute("VACUUM")
database.close()
PYTHON
find outputs -name '*.lock' -size 0 -path '*mlflow*' -delete
find outputs \( -name 'training_images.png' -o -name 'learning_curves.png' -o -name '*.html' \) \
  -exec sh -c ': > "$1"' _ {} \;
tar --sort=name --owner=0 --group=0 --numeric-owner -cf - outputs pictures | xz -9e > "$archive"
ls -l "$archive"
