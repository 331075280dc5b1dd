"""What saving the whole state each epoch adds to an epoch of the default job."""

import argparse
import functools
import sys
from typing import Any

from measure import RUN, Contender, compare, run_in_turn
from overhead import STOPWATCH, WITHOUT_ENDS, Losses, read_epochs
from results import describe_machine, store

GOAL = 1.02
UNSAVED = "callbacks.checkpoint=null"
KERAS = (
    "+callbacks.backup._target_=keras.callbacks.BackupAndRestore",
    "+callbacks.backup.backup_dir=backup",
    "+callbacks.backup.delete_checkpoint=false",
)


def main() -> int:
    """Measures, checks that saving changes no loss, and stores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--depth", type=int, default=50, choices=(18, 34, 50, 101))
    parser.add_argument("--epochs", type=int, default=4, help="the first is left out")
    parser.add_argument("--steps", type=int, help="an epoch; default: all images")
    options = parser.parse_args()
    result = {**describe_machine(), "settings": vars(options), "comparisons": {}}
    losses: Losses = {}
    contenders = list_contenders(options)
    read = functools.partial(read_epochs, losses=losses)
    samples = run_in_turn(contenders, rounds=options.rounds, warm_up=False, read=read)
    comparison = compare(contenders, samples)
    comparison["valid"] &= are_equal(losses)
    result["comparisons"]["an epoch after the first, saved at its end"] = comparison
    return store("checkpoint", result)


def list_contenders(options: argparse.Namespace) -> list[Contender]:
    """Returns the job with and without saving, in turn."""
    job = [
        str(RUN),
        *STOPWATCH,
        *WITHOUT_ENDS,
        "gpu=cpu",
        "tracking=off",
        f"model=resnet{options.depth}",
        f"trainer.epochs={options.epochs}",
        f"trainer.max_steps_per_epoch={options.steps or 'null'}",
    ]
    return [
        Contender(name="saved by the checkpoint", command=job, goal=GOAL),
        Contender(name="not saved", command=[*job, UNSAVED], control=True),
        Contender(name="saved by Keras' callback", command=[*job, UNSAVED, *KERAS]),
        Contender(name="not saved, again", command=[*job, UNSAVED], control=True),
    ]


def are_equal(losses: Losses) -> bool:
    """Tells whether every contender had the very same losses, and says so if not."""
    rounds: list[Any] = [one for several in losses.values() for one in several]
    equal = all(one == rounds[0] for one in rounds)
    if not equal:
        print("Saving changed the losses.")
    return equal


if __name__ == "__main__":
    sys.exit(main())
