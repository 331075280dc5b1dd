"""A server behind TLS is asked by the certificates that MLflow itself goes by."""

import ssl
import subprocess
import threading
import warnings
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from experiments.errors import TrackingError
from experiments.tracking.store.client import _probe

OWN_AUTHORITY = "MLFLOW_TRACKING_SERVER_CERT_PATH"


class Proxy(BaseHTTPRequestHandler):
    """Asks everybody who they are."""

    def do_GET(self) -> None:
        self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that it has signed itself, with its key."""
    folder = tmp_path_factory.mktemp("trust")
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"]
    words += ["-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", "/CN=127.0.0.1"]
    words += ["-addext", "subjectAltName=IP:127.0.0.1"]
    words += ["-keyout", "key.pem", "-out", "own.pem"]
    subprocess.run(words, cwd=folder, check=True, capture_output=True)
    return folder / "own.pem"


@pytest.fixture
def uri(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server that has that certificate."""
    for name in (OWN_AUTHORITY, "REQUESTS_CA_BUNDLE", "MLFLOW_TRACKING_INSECURE_TLS"):
        monkeypatch.delenv(name, raising=False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_certificate_that_nobody_vouches_for_is_a_sentence(uri: str) -> None:
    with pytest.raises(TrackingError) as error:
        _probe(uri)
    told = f"the certificate of {uri} is not trusted (self-signed certificate)"
    assert str(error.value) == f"tracking.uri: {told}"


@pytest.mark.parametrize("name", [OWN_AUTHORITY, "REQUESTS_CA_BUNDLE"])
def test_own_authority_is_taken_where_mlflow_takes_it(
    uri: str, certificate: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, str(certificate))
    _probe(uri)  # whoever asks who one is has answered


def test_unchecked_certificate_is_taken_in_silence_where_it_is_wished(
    uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", "true")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _probe(uri)


def test_address_without_tls_of_a_server_that_speaks_it_is_a_sentence(uri: str) -> None:
    with pytest.raises(TrackingError, match=r"^tracking\.uri: "):
        _probe(uri.replace("https:", "http:"))
