"""`task=serve` by its real command, asked by a real client."""

import base64
import csv
import http.client
import json
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from experiments.tasks.serve import _tell_who_may_ask
from tests.conftest import ROOT
from tests.tasks.photographs import cut_photographs
from tests.warm import run_to_the_end, start_command

PATIENCE = 200  # seconds
RUN = [sys.executable, str(ROOT / "run.py")]
MODEL = ["run_id=apples.keras", "gpu=cpu", "tracking=off"]


@dataclass(frozen=True)
class Served:
    """A running command.

    Attributes:
        process: Of it.
        screen: What it prints is there.
        port: That it listens on.
    """

    process: subprocess.Popen[str]
    screen: Path
    port: int


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of random weights and photographs of all kinds."""
    import keras

    folder = tmp_path_factory.mktemp("serve")
    keras.utils.set_random_seed(0)
    images = keras.Input((16, 16, 3), dtype="uint8")
    outputs = keras.layers.Rescaling(1 / 50)(images)
    outputs = keras.layers.Conv2D(4, 3)(outputs)
    outputs = keras.layers.GlobalAveragePooling2D()(outputs)
    keras.Model(images, keras.layers.Dense(3)(outputs)).save(folder / "apples.keras")
    cut_photographs(folder / "photos", {"a": 4}, seed=0)
    return folder


@pytest.fixture(scope="module")
def served(place: Path) -> Iterator[Served]:
    screen = place / "screen.txt"
    with screen.open("w") as file:
        words = ["task=serve", "port=0", "page=true", *MODEL]
        process = start_command(
            [*RUN, *words], cwd=place, stdout=file, stderr=subprocess.STDOUT
        )
        try:
            told = _await(process, screen)
            found = re.search(r"http://127\.0\.0\.1:(\d+)/invocations", told)
            assert found, told
            yield Served(process=process, screen=screen, port=int(found[1]))
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def _await(process: "subprocess.Popen[str]", screen: Path) -> str:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        if "Ctrl-C ends it" in (told := screen.read_text()):
            return told
        time.sleep(0.2)
    pytest.fail(screen.read_text())


@pytest.mark.timeout(400)
def test_the_served_answer_is_that_of_predict(place: Path, served: Served) -> None:
    done = run_to_the_end([*RUN, "task=predict", "input=photos", *MODEL], cwd=place)
    assert done.returncode == 0, done.stderr
    (table,) = (place / "outputs").rglob("predictions.csv")
    with table.open(newline="") as file:
        expected = {row["file"]: row for row in csv.DictReader(file)}
    files = sorted(path for path in (place / "photos").rglob("*") if path.is_file())
    assert {path.suffix for path in files} == {".jpg", ".png"}
    rows = [{"image": base64.b64encode(path.read_bytes()).decode()} for path in files]
    with closing(http.client.HTTPConnection("127.0.0.1", served.port)) as client:
        headers = {"Content-Type": "application/json"}
        client.request("POST", "/invocations", json.dumps({"instances": rows}), headers)
        answers = json.loads(client.getresponse().read())["predictions"]
    shares = [one["probability"] for one in answers]
    assert np.ptp(shares) > 0.001
    for path, answer in zip(files, answers, strict=True):
        row = expected[str(path.relative_to(place))]
        assert answer["label"] == row["label"]
        assert answer["probability"] == pytest.approx(
            float(row["probability"]), abs=1e-5
        )


def test_the_printed_command_gets_an_answer(place: Path, served: Served) -> None:
    found = re.search(r"^to try it +(curl .+)$", served.screen.read_text(), re.M)
    assert found
    words = shlex.split(found[1])
    done = subprocess.run(
        [*words, "-s"], cwd=place, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["predictions"][0]["label"] in {"0", "1", "2"}


def test_the_shell_of_the_page_asks_about_a_photograph(
    place: Path, served: Served
) -> None:
    page = (ROOT / "docs" / "serve.md").read_text("utf-8")
    found = re.search(r"^\(printf .+?invocations$", page, re.M | re.S)
    assert found
    shutil.copy(place / "photos" / "a" / "00.jpg", place / "photo.jpg")
    script = found[0].replace(":8000/", f":{served.port}/")
    done = subprocess.run(
        ["bash", "-c", script], cwd=place, capture_output=True, text=True, check=True
    )
    (answer,) = json.loads(done.stdout)["predictions"]
    assert set(answer) == {"label", "probability", "probabilities"}


def test_it_listens_on_this_machine_alone(served: Served) -> None:
    # Another address of this machine: a server that is open to all has it too.
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", served.port), timeout=5)


def test_a_taken_port_is_told_before_a_model_is_loaded(
    place: Path, served: Served
) -> None:
    done = run_to_the_end(
        [*RUN, "task=serve", f"task.port={served.port}", *MODEL], cwd=place
    )
    assert done.returncode == 2, done.stderr
    assert f"task.port cannot be {served.port}" in done.stderr
    assert "task.port=0" in done.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7"])
def test_an_address_that_is_open_to_others_is_told(
    host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _tell_who_may_ask(host)
    told = capsys.readouterr().out
    assert f"{host} opens the model to the network" in told
    assert "without a password and unencrypted" in told


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_nothing_is_told_of_this_machine_s_own_address(
    host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _tell_who_may_ask(host)
    assert capsys.readouterr().out == ""


def test_ctrl_c_ends_it_as_a_success(served: Served) -> None:
    served.process.send_signal(signal.SIGINT)
    assert served.process.wait(60) == 0
    assert "The server has ended." in served.screen.read_text()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", served.port), timeout=5)
