"""What keeps a server from taking records, in words and with its address.

The libraries between it and us tell of the same in a paragraph each.
"""

import re
import socket
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

SERVER = "the address in tracking.uri"
_STATUS = re.compile(r"(?:error code|too many) (\d{3})\b")
_NO_JSON = "not in a valid JSON format"
_CODES = {"UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403, "ENDPOINT_NOT_FOUND": 404}
_NO_MLFLOW = "what answers at {at} is no MLflow server"
_WORDS = {
    401: "{at} asks who you are (401): set MLFLOW_TRACKING_USERNAME and "
    "MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN",
    403: "{at} does not let you do this (403): ask for the right to write there",
    404: f"{_NO_MLFLOW} (404)",
    429: "{at} is asked too often (429)",
    503: "{at} cannot answer at present (503), as without its database",
}
# What PostgreSQL and its library say, and what it means here.
_DATABASE = tuple(
    (re.compile(sign), told)
    for sign, told in (
        (
            "Connection refused",
            "no database answers at {at} (the connection is refused)",
        ),
        ("timeout expired|timed out", "no database answers at {at} in time"),
        (
            "Name or service not known|failed to resolve|not translate host name",
            "no database answers at {at} (no machine of that name is known)",
        ),
        (
            "authentication failed|no password supplied|no pg_hba.conf entry",
            "{at} does not let you in: set PGUSER and PGPASSWORD, or keep the password "
            "in ~/.pgpass",
        ),
        ("(?s)database .* does not exist", "there is no such database as {at}"),
        (
            "shutting down|starting up|recovery mode|terminating connection"
            "|closed the connection|connection is (?:lost|closed|bad)|not yet accept",
            "the database {at} is stopping or starting",
        ),
        (
            "too many clients|remaining connection slots",
            "the database {at} has no connection left, see its max_connections",
        ),
    )
)
_OWN_FAULT = "{at} has a fault of its own ({status}), of which its log tells"
_DEEPEST = 12


def describe_outage(error: BaseException, uri: str | None = None) -> str | None:
    """Returns why a server takes nothing at present, without a period at the end.

    Args:
        error: What was raised on the way to it, by whichever library.
        uri: The server; `None` where the error alone may tell.

    Returns:
        `None` for an error of another kind, such as an answer of MLflow's.
    """
    chain = list(_follow(error))
    at = _find_address(chain, uri)
    for cause in chain[::-1]:  # the system's own words are the deepest
        if (words := _describe_connection(cause)) is not None:
            return words.format(at=at)
    for cause in chain:
        if (words := _describe_answer(cause)) is not None:
            return words.format(at=at)
    return None


def _follow(error: BaseException) -> Iterator[BaseException]:
    """Yields an error and what caused it."""
    found: BaseException | None = error
    for _ in range(_DEEPEST):
        if found is None:
            return
        yield found
        reason = getattr(found, "reason", None)  # of `urllib`
        inner = reason if isinstance(reason, BaseException) else None
        found = found.__cause__ or inner or found.__context__


def _find_address(chain: list[BaseException], uri: str | None) -> str:
    """Returns who was asked: a file may go to another server than the records."""
    for cause in chain:
        url = getattr(getattr(cause, "request", None), "url", None)
        if isinstance(url, str) and not (uri and url.startswith(uri)):
            parts = urlsplit(url)
            return f"{parts.scheme}://{parts.netloc}"
    return uri or SERVER


def _describe_connection(cause: BaseException) -> str | None:
    if type(cause).__module__.startswith("psycopg"):
        text = str(cause)
        return next((told for sign, told in _DATABASE if sign.search(text)), None)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate of {{at}} is not trusted ({cause.verify_message})"
    if isinstance(cause, ssl.SSLError):
        return "{at} does not speak TLS as it should; http:// may be meant"
    if isinstance(cause, socket.gaierror):
        return "no server answers at {at} (no machine of that name is known)"
    if isinstance(cause, ConnectionRefusedError):
        return "no server answers at {at} (the connection is refused)"
    if isinstance(cause, TimeoutError):
        return "no server answers at {at} in time"
    if isinstance(cause, ConnectionError):
        # `requests` has one of its own, whose words are a paragraph.
        reason = (cause.strerror or "the connection was broken").lower()
        return f"no server answers at {{at}} ({reason})"
    return None


def _describe_answer(cause: BaseException) -> str | None:
    text = str(cause)
    if _NO_JSON in text:
        return _NO_MLFLOW
    status = _find_status(cause, text)
    if status is not None and status >= 500 and status not in _WORDS:
        return _OWN_FAULT.replace("{status}", str(status))
    return None if status is None else _WORDS.get(status)


def _find_status(cause: BaseException, text: str) -> int | None:
    """Returns the status of an answer that is none of MLflow's own."""
    code = _CODES.get(str(getattr(cause, "error_code", "")))
    if code is not None:
        return code
    response: Any = getattr(cause, "response", None)
    status = getattr(response, "status_code", None)
    if isinstance(status, int):
        return None if status == 404 else status  # of a file, not of the server
    found = _STATUS.search(text)
    return int(found[1]) if found and "API request" in text else None
