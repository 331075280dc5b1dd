import pytest
from mlflow.exceptions import MlflowException, RestException
from mlflow.protos.databricks_pb2 import (
    BAD_REQUEST,
    INVALID_PARAMETER_VALUE,
    TEMPORARILY_UNAVAILABLE,
)

from experiments.tracking.store.failures import is_refusal

# As MLflow 3.17 says it with PostgreSQL 15 and psycopg 3.3.
_NUL = (
    "(psycopg.DataError) PostgreSQL text fields cannot contain NUL (0x00) bytes\n"
    "[SQL: INSERT INTO tags (key, value, run_uuid) VALUES ...]"
)
_LONG = (
    "(psycopg.errors.StringDataRightTruncation) value too long for type character "
    "varying(256)\n[SQL: INSERT INTO experiments ...]"
)
_GONE = (
    "(psycopg.OperationalError) consuming input failed: server closed the connection "
    "unexpectedly"
)
_STOPPED = (
    "(psycopg.errors.AdminShutdown) terminating connection due to administrator command"
)


@pytest.mark.parametrize("text", [_NUL, _LONG])
def test_what_a_database_cannot_hold_is_refused_for_good(text: str) -> None:
    assert is_refusal(MlflowException(text, BAD_REQUEST))
    answer = {"error_code": "BAD_REQUEST", "message": text}
    assert is_refusal(RestException(answer))


@pytest.mark.parametrize("text", [_GONE, _STOPPED])
@pytest.mark.parametrize("code", [BAD_REQUEST, TEMPORARILY_UNAVAILABLE])
def test_database_that_goes_away_is_awaited(text: str, code: int) -> None:
    assert not is_refusal(MlflowException(text, code))


def test_deleted_run_may_be_restored() -> None:
    said = "The run abc must be in the 'active' state. Current state is deleted."
    assert not is_refusal(MlflowException(said, INVALID_PARAMETER_VALUE))
    assert is_refusal(MlflowException("Invalid value 'x'", INVALID_PARAMETER_VALUE))
