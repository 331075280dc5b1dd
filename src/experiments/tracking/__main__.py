"""Prepares a database for MLflow's own pages: `python -m experiments.tracking FILE`."""

import logging
import sys
from pathlib import Path

from experiments.errors import TrackingError
from experiments.screen import guard_screen
from experiments.tracking.store.database import prepare_database


def main() -> int:
    """Upgrades the database and puts it right after a move; returns the exit code."""
    guard_screen()
    logging.basicConfig(format="%(levelname)s: %(message)s")
    try:
        prepare_database(Path(sys.argv[1]).absolute())
    except TrackingError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
