import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from experiments.config.kinds.destination import Destination
from experiments.errors import TrackingError
from experiments.tracking.store.client import connect
from experiments.tracking.store.outage import SERVER, describe_outage
from tests.tracking.server import free_port

PAGE = b"<html>Welcome</html>"


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Starts a server that gives one answer to everything; returns its address."""
    servers: list[ThreadingHTTPServer] = []
    released = threading.Event()

    def start(status: int, body: bytes = PAGE, *, silent: bool = False) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if silent and not self.path.startswith("/health"):
                    released.wait(30)
                    return
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    released.set()
    for server in servers:
        server.shutdown()
        server.server_close()


def reach(uri: str, folder: Path) -> TrackingError:
    """Returns what is said where the first request fails."""
    place = Destination(output_dir=folder, uri=uri, experiment="x", server_timeout=1)
    with pytest.raises(TrackingError) as caught:
        assert connect(place).experiment_id
    return caught.value


ANSWERS = {
    401: "asks who you are (401): set MLFLOW_TRACKING_USERNAME and "
    "MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN",
    403: "does not let you do this (403): ask for the right to write there",
    500: "has a fault of its own (500), of which its log tells",
    503: "cannot answer at present (503), as without its database",
}


@pytest.mark.parametrize("status", ANSWERS)
def test_answer_that_refuses_is_a_sentence(
    serve: Callable[..., str], tmp_path: Path, status: int
) -> None:
    uri = serve(status)
    error = reach(uri, tmp_path)
    assert describe_outage(error, uri) == f"{uri} {ANSWERS[status]}"
    assert str(error).endswith(ANSWERS[status])


@pytest.mark.parametrize(
    ("status", "body", "end"),
    [(404, PAGE, " (404)"), (200, PAGE, ""), (200, b"{}", ""), (200, b"", "")],
)
def test_server_of_another_kind_is_told(
    serve: Callable[..., str], tmp_path: Path, status: int, body: bytes, end: str
) -> None:
    uri = serve(status, body)
    error = reach(uri, tmp_path)
    told = describe_outage(error, uri) or str(error)  # what we say ourselves
    assert told.endswith(f"what answers at {uri} is no MLflow server{end}")


def test_server_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    uri = f"http://127.0.0.1:{free_port()}"
    told = f"no server answers at {uri} (the connection is refused)"
    assert str(reach(uri, tmp_path)) == f"tracking.uri: {told}"


def test_silent_server_is_a_sentence(serve: Callable[..., str], tmp_path: Path) -> None:
    uri = serve(200, silent=True)
    error = reach(uri, tmp_path)
    assert str(error).endswith(f": no server answers at {uri} in time")


def test_name_that_nobody_knows_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def find_nothing(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", find_nothing)
    uri = "http://no-such-host.invalid:5000"
    told = f"no server answers at {uri} (no machine of that name is known)"
    assert str(reach(uri, tmp_path)) == f"tracking.uri: {told}"


def test_server_without_tls_is_a_sentence(
    serve: Callable[..., str], tmp_path: Path
) -> None:
    uri = serve(200).replace("http:", "https:")
    told = f"{uri} does not speak TLS as it should; http:// may be meant"
    assert str(reach(uri, tmp_path)) == f"tracking.uri: {told}"


def test_certificate_that_is_not_trusted_is_a_sentence() -> None:
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED]")
    error.verify_message = "self-signed certificate"
    outer = ValueError("HTTPSConnectionPool(host='h', port=1): Max retries exceeded")
    outer.__cause__ = error
    told = "the certificate of https://h:1 is not trusted (self-signed certificate)"
    assert describe_outage(outer, "https://h:1") == told
    assert describe_outage(outer) == told.replace("https://h:1", SERVER)


def test_file_that_went_elsewhere_names_where() -> None:
    error = ConnectionResetError(104, "Connection reset by peer")
    error.request = type("Request", (), {"url": "https://files:9000/a/b?sig=c"})  # type: ignore[attr-defined]
    told = "no server answers at https://files:9000 (connection reset by peer)"
    assert describe_outage(error, "http://h:5000") == told


@pytest.mark.parametrize(
    "error", [ValueError("no such run"), OSError(28, "No space left on device")]
)
def test_what_is_no_outage_is_left_to_others(error: Exception) -> None:
    assert describe_outage(error, "http://h") is None
