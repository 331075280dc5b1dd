"""Runs a server beside the thread that hears Ctrl-C."""

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from experiments.errors import ConfigError, ExperimentError, Problem

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PATIENCE = 60.0  # seconds until it answers
_GRACE = 5  # for requests that are being answered when it ends
_LOOK = 0.2
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked from here


@contextmanager
def holding_port(host: str, port: int) -> Iterator[socket.socket]:
    """Takes an address before anything costly; nobody is let in yet.

    Args:
        host: Of this machine.
        port: 0 for one that is free.

    Raises:
        ConfigError: It is taken, or no address of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # Without it asyncio lets small answers wait for the client's acknowledgement.
        place = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _refuse_host(host, error) from error
    with place:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            place.bind(address)
        except PermissionError as error:
            reason = f"may not be {port}: ports below 1024 belong to the administrator."
            raise ConfigError([Problem("task.port", reason)]) from error
        except OSError as error:
            if error.errno is not None and "in use" in str(error):
                raise _refuse_port(host, port) from error
            raise _refuse_host(host, error) from error
        yield place


def _refuse_port(host: str, port: int) -> ConfigError:
    reason = f"cannot be {port}: another program has it on {host}."
    hint = "task.port=0 takes one that is free."
    return ConfigError([Problem("task.port", reason, hint)])


def _refuse_host(host: str, error: OSError) -> ConfigError:
    reason = f"must be an address of this machine. Received: {host}."
    hint = f"127.0.0.1 is for this machine alone, 0.0.0.0 for all ({error.strerror})."
    return ConfigError([Problem("task.host", reason, hint)])


def serve_until(
    app: Any,
    place: socket.socket,
    wanted: Callable[[], bool],
    ready: Callable[[], None],
) -> None:
    """Serves until somebody has asked to stop.

    Args:
        app: An ASGI application.
        place: What `holding_port` yielded.
        wanted: Whether to go on.
        ready: Is called once it answers.

    Raises:
        ExperimentError: It does not answer.
    """
    import uvicorn

    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_GRACE,
        server_header=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([place],), daemon=True)
    thread.start()
    try:
        _await_answer(place, thread, wanted)
        if wanted():
            ready()
        while wanted() and thread.is_alive():
            time.sleep(_LOOK)
    finally:
        server.should_exit = True
        thread.join(2 * _GRACE)
    if wanted():
        raise ExperimentError("The server has ended by itself; its log says why.")


def _await_answer(
    place: socket.socket, thread: threading.Thread, wanted: Callable[[], bool]
) -> None:
    host, port, *_ = place.getsockname()
    end = time.monotonic() + _PATIENCE
    while wanted() and thread.is_alive() and time.monotonic() < end:
        asked = http.client.HTTPConnection(_EVERYWHERE.get(host, host), port, timeout=5)
        try:
            asked.request("GET", "/ping", headers={"Host": "localhost"})
            if asked.getresponse().status == http.client.OK:
                return
        except (OSError, http.client.HTTPException):
            time.sleep(_LOOK)
        finally:
            asked.close()
    if wanted():
        raise ExperimentError("The server does not answer on the port that it has.")


def name_address(place: socket.socket) -> str:
    """Returns where somebody on this machine finds the server."""
    host, port, *_ = place.getsockname()
    name = _EVERYWHERE.get(host, host)
    return f"http://{f'[{name}]' if ':' in name else name}:{port}"
