"""MLflow's server behind our guard, over a real socket."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from experiments.serving.app import build_app
from experiments.serving.package import encode_png
from experiments.serving.server import holding_port, serve_until

MOST = 100_000
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


@pytest.fixture(scope="module")
def port(package: Path) -> Iterator[int]:
    """Of a server with a page, on a free port."""
    app = build_app(
        package,
        title="What a-run sees",
        page=True,
        max_pixels=1000,
        max_request_bytes=MOST,
        only_here=True,
    )
    ended, ready = threading.Event(), threading.Event()
    with holding_port("127.0.0.1", 0) as place:
        thread = threading.Thread(
            target=serve_until, args=(app, place, lambda: not ended.is_set(), ready.set)
        )
        thread.start()
        assert ready.wait(60)
        yield place.getsockname()[1]
        ended.set()
        thread.join(30)
        assert not thread.is_alive()


def ask(
    port: int, path: str, body: Any = None, **headers: str
) -> tuple[int, bytes, http.client.HTTPMessage]:
    content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **headers}
    with connect(port) as client:
        client.request("GET" if body is None else "POST", path, content, headers)
        answer = client.getresponse()
        return answer.status, answer.read(), answer.headers


def connect(port: int) -> Any:
    return closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60))


def test_it_answers_as_the_model(
    port: int, trained: Any, example: npt.NDArray[np.uint8]
) -> None:
    status, body, _ = ask(port, "/invocations", {"instances": example.tolist()})
    assert status == 200
    answers = json.loads(body)["predictions"]
    best = trained.model.predict_on_batch(example).argmax(axis=1)
    assert [one["label"] for one in answers] == [trained.class_names[n] for n in best]


@pytest.mark.parametrize(
    "body",
    [
        b"SECRET{",
        b"\xff\xfeSECRET",
        {"instances": [{"image": "SECRET"}]},
        {"instances": [{"image": "SECRET", "y": [1, 2]}, {"image": "SECRET"}]},
        {"dataframe_split": {"columns": ["SECRET"], "data": [["SECRET", 1]]}},
        {"SECRET": 1},
        ["SECRET"],
    ],
)
def test_an_error_is_short_and_repeats_nothing(port: int, body: Any) -> None:
    status, told, _ = ask(port, "/invocations", body)
    assert status == 400
    assert 0 < len(json.loads(told)["message"]) < 250
    assert b"SECRET" not in told
    assert b"Traceback" not in told


def test_a_long_request_is_refused_declared_or_not(port: int) -> None:
    status, told, _ = ask(port, "/invocations", b" " * (MOST + 1))
    assert (status, json.loads(told)["error_code"]) == (413, "REQUEST_TOO_LARGE")
    parts = (b" " * 10_000 for _ in range(11))
    with connect(port) as client:
        client.request("POST", "/invocations", parts, encode_chunked=True)
        assert client.getresponse().status == 413
    assert ask(port, "/ping")[0] == 200


def test_an_image_beyond_the_limit_of_the_command_is_refused(port: int) -> None:
    large = encode_png(np.zeros((40, 40, 3), np.uint8))
    status, told, _ = ask(port, "/invocations", {"instances": [{"image": large}]})
    assert status == 400
    assert "1,600 pixels, more than 1,000" in json.loads(told)["message"]


def test_another_name_than_this_machines_is_refused(port: int) -> None:
    for host in ("127.0.0.1", "localhost", f"localhost:{port}"):
        assert ask(port, "/ping", Host=host)[0] == 200
    for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example"):
        assert ask(port, "/invocations", {"instances": []}, Host=host)[0] == 400
        assert ask(port, "/", Host=host)[0] == 400


def test_the_page_fetches_nothing_from_elsewhere(port: int) -> None:
    status, body, headers = ask(port, "/")
    assert status == 200
    assert b"What a-run sees" in body
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert b"http://" not in body
    assert b"https://" not in body


def test_a_heat_map_is_of_the_class_that_is_asked_for(
    port: int, trained: Any, example: npt.NDArray[np.uint8]
) -> None:
    image = encode_png(example[0])
    for name in trained.class_names:
        status, body, _ = ask(port, "/explain", {"image": image, "class_name": name})
        assert status == 200
        found = json.loads(body)
        assert f"for {name} (" in found["heading"]
        assert found["map"].startswith("data:image/")
    for wrong in ({"image": image, "class_name": "SECRET"}, {"image": "SECRET"}, []):
        status, body, _ = ask(port, "/explain", wrong)
        assert status == 400
        assert b"SECRET" not in body
