"""Which failures pass, and which say that MLflow will never accept one record."""

import re
from typing import Any

from experiments.errors import TrackingError
from experiments.tracking.store.outage import describe_outage

_CODE = "INVALID_PARAMETER_VALUE"
# Of a server or the proxy before it: malformed, too large, of a refused type.
_STATUSES = (400, 411, 413, 415, 422)
_LIBRARIES = (
    "mlflow",
    "sqlalchemy",
    "sqlite3",
    "psycopg",
    "alembic",
    "requests",
    "urllib3",
)
# What a database can't hold and MLflow has let pass: it says so in the database's own
# words, under the code of whatever else went wrong there.
_UNFIT = re.compile(
    r"\((?:\w+\.)+(?:DataError|StringDataRightTruncation|NumericValueOutOfRange"
    r"|UntranslatableCharacter|CharacterNotInRepertoire)\)"
    r"|cannot contain NUL|surrogates not allowed"
)


class RefusedError(Exception):
    """MLflow does not accept a record and never will."""


def is_refusal(error: Exception) -> bool:
    """Tells whether sending the same record again is in vain.

    A server that is down or overloaded, a locked, full or damaged database, missing
    rights and a deleted run or experiment are what somebody may mend.
    """
    if isinstance(error, RefusedError):
        return True
    code = getattr(error, "error_code", None)
    if code is not None:
        # That code also stands for a run or an experiment that was deleted.
        text = str(error)
        if code == _CODE:
            return "'active' state" not in text
        return _UNFIT.search(text) is not None
    response: Any = getattr(error, "response", None)
    if response is not None:
        return getattr(response, "status_code", None) in _STATUSES
    return not comes_from_store(error)


def comes_from_store(error: Exception) -> bool:
    """Tells whether an error is one of a store or the way to it, not of our code."""
    return isinstance(error, OSError) or type(error).__module__.startswith(_LIBRARIES)


def summarise(error: BaseException) -> str:
    """Returns an error of MLflow, or of the way to it, in one line, which may be cut.

    One of ours has its words already, with the address of the server that was asked.
    """
    ours = isinstance(error, TrackingError)
    if not ours and (outage := describe_outage(error)) is not None:
        return outage
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0].rstrip(".") if lines else type(error).__name__
    return text if len(text) <= 300 else f"{text[:300]}..."
