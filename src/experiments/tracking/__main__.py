"""MLflow's pages on a database: `python -m experiments.tracking FILE --port 5000`.

Without a port the database is prepared for them, and that is all.
"""

import argparse
import logging
import sys
from pathlib import Path

from experiments.errors import TrackingError
from experiments.screen import guard_screen
from experiments.tracking.store.databases.database import prepare_database


def main() -> int:
    """Upgrades the database, puts it right after a move and shows the pages.

    Returns:
        The exit code.
    """
    guard_screen()
    logging.basicConfig(format="%(levelname)s: %(message)s")
    parser = argparse.ArgumentParser(prog="python -m experiments.tracking")
    parser.add_argument("database", type=Path, metavar="FILE")
    parser.add_argument("--port", type=int)
    asked = parser.parse_args()
    database = asked.database.absolute()
    try:
        prepare_database(database)
        if asked.port is None:
            return 0
        from experiments.tracking.store.pages import show_pages

        return show_pages(database, asked.port)
    except TrackingError as error:
        print(error, file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
