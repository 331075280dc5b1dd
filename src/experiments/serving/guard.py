"""What stands between a network and MLflow's server of a model."""

import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from experiments.serving.names import REFUSED, WANTED

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

_INVOCATIONS = "/invocations"
_TOO_LARGE, _INTERNAL, _LATE = 413, 500, 504
# A client that is still sending reads no answer: so many times the limit is discarded.
_DISCARDED = 10
_LOGGER = logging.getLogger(__name__)


class Guard:
    """Refuses what is too long, and shortens what MLflow says of a request.

    Args:
        app: MLflow's.
        most: Bytes of a request.
    """

    def __init__(self, app: Application, most: int) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Is called by the server for each request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await self._read(scope, receive)
        if body is None:
            reason = f"A request has at most {self._most:,} bytes."
            await _respond(send, _TOO_LARGE, "REQUEST_TOO_LARGE", reason)
            return
        given = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive_whole() -> Message:
            return next(given, None) or await receive()

        asks_model = scope["path"] == _INVOCATIONS
        await self._app(scope, receive_whole, _Shortening(send) if asks_model else send)

    async def _read(self, scope: Message, receive: Receive) -> bytes | None:
        """Returns the body of a request; `None` for one that is too long."""
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        fits = declared.isdigit() and int(declared) <= self._most
        parts, size = [], 0
        while True:
            message = await receive()
            part = message.get("body", b"")
            size += len(part)
            fits = fits and size <= self._most
            if fits:
                parts.append(part)
            else:
                parts.clear()
            if not message.get("more_body"):
                return b"".join(parts) if fits else None
            if size > _DISCARDED * self._most:
                return None


class _Shortening:
    """Passes answers on; of errors a reason that repeats nothing of the request."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._status = 200
        self._parts: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
        if self._status < 400:
            await self._send(message)
        elif message["type"] == "http.response.body":
            self._parts.append(message.get("body", b""))
            if not message.get("more_body"):
                await _respond(self._send, *_shorten(self._status, self._parts))


def _shorten(status: int, parts: list[bytes]) -> tuple[int, str, str]:
    """Returns status, code and reason of an error."""
    try:
        told = json.loads(b"".join(parts))
    except ValueError:
        told = None
    if status == _LATE:
        return status, "TOO_SLOW", "The model has not answered in time. Ask again."
    if not isinstance(told, dict):
        return status, "BAD_REQUEST", f"The request is not understood. {WANTED}"
    if told.get("error_class") == REFUSED:
        return status, REFUSED, str(told["message"])
    if "stack_trace" in told:
        _LOGGER.error("A request could not be answered:\n%s", told["stack_trace"])
        return _INTERNAL, "INTERNAL_ERROR", "The model could not answer."
    reason = f"The request is of no form of JSON that is known. {WANTED}"
    return status, "BAD_REQUEST", reason


async def _respond(send: Send, status: int, code: str, reason: str) -> None:
    body = json.dumps({"error_code": code, "message": reason}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    start = {"type": "http.response.start", "status": status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body})
