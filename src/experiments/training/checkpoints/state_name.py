"""How the file of a state is called; needs no framework."""

import re

from experiments import job_files

DIGITS = 16  # of the file's SHA-256, with which its name ends
_NAME = re.compile(
    rf"(unfinished-)?epoch-\d{{4,}}-step-\d{{6,}}(-[0-9a-f]{{{DIGITS}}})?"
    + re.escape(job_files.STATE_SUFFIX)
)


def is_state_name(name: str) -> bool:
    """Tells whether a file is called as `write_state` calls them."""
    return _NAME.fullmatch(name) is not None
