"""What a block changes of somebody's process is given back behind it."""

import logging

from experiments.guest import as_guest


def test_levels_of_logs_are_given_back() -> None:
    known, root = logging.getLogger("somebody.elses"), logging.getLogger()
    known.setLevel(logging.INFO)
    before = root.level
    with as_guest():
        known.setLevel(logging.CRITICAL)
        root.setLevel(logging.CRITICAL)
        logging.getLogger("somebody.new").setLevel(logging.ERROR)
    assert (known.level, root.level) == (logging.INFO, before)
    assert logging.getLogger("somebody.new").level == logging.ERROR
    assert not known.isEnabledFor(logging.DEBUG)
    assert known.isEnabledFor(logging.INFO)
