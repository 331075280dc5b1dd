"""What stands between a network and MLflow's server, over a real socket."""

import asyncio
import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from experiments.serving.guard import Guard
from experiments.serving.server import holding_port, serve_until

MOST = 100_000


async def answer(scope: Any, receive: Any, send: Any) -> None:
    """Says how long a request is; of an empty one that it took too long."""
    if scope["type"] != "http":
        return
    size = len((await receive())["body"])
    late = scope["path"] == "/invocations" and size == 0
    status, told = (504, b"SECRET") if late else (200, str(size).encode())
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": told})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    ended, ready = threading.Event(), threading.Event()
    guard = Guard(answer, MOST)
    with holding_port("127.0.0.1", 0) as place:
        thread = threading.Thread(
            target=serve_until,
            args=(guard, place, lambda: not ended.is_set(), ready.set),
        )
        thread.start()
        assert ready.wait(60)
        yield place.getsockname()[1]
        ended.set()
        thread.join(30)


def ask(port: int, size: int) -> tuple[int, bytes]:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with closing(client):
        client.request("POST", "/invocations", b" " * size)
        answer = client.getresponse()
        return answer.status, answer.read()


@pytest.mark.parametrize("size", [1, MOST])
def test_a_request_within_the_limit_arrives_whole(port: int, size: int) -> None:
    assert ask(port, size) == (200, str(size).encode())


def test_a_client_that_is_still_sending_reads_why_it_is_refused(port: int) -> None:
    """One that was answered before is cut off after uvicorn's five seconds."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with closing(client):
        client.putrequest("POST", "/invocations")
        client.putheader("Content-Length", str(4 * MOST))
        client.endheaders()
        client.send(b" " * MOST)
        time.sleep(7)
        for _ in range(3):
            client.send(b" " * MOST)
            time.sleep(0.1)
        told = client.getresponse()
        assert told.status == 413
        assert f"{MOST:,} bytes" in json.loads(told.read())["message"]


def test_what_never_ends_is_not_read_for_ever() -> None:
    part = {"type": "http.request", "body": b" " * MOST, "more_body": True}
    read, sent = [], []

    async def receive() -> Any:
        read.append(1)
        assert len(read) < 100
        return part

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": "/invocations", "headers": []}
    asyncio.run(Guard(answer, MOST)(scope, receive, send))
    assert sent[0]["status"] == 413
    assert len(read) == 11  # ten times the limit, and what goes beyond it


def test_an_answer_that_takes_too_long_is_told_as_that(port: int) -> None:
    status, told = ask(port, 0)
    assert status == 504
    assert "not answered in time" in json.loads(told)["message"]
    assert b"SECRET" not in told
