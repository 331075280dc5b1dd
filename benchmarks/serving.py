"""Requests a second and their latency at batch 1: `task=serve` and a bare server.

Both serve the same network and get the same photograph in base64, by `wrk` (Debian's
package of that name), in turn. Then `task=serve` answers as many requests as wanted
while its memory is watched; each must be answered by status 200.
"""

import argparse
import base64
import contextlib
import io
import json
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from measure import BENCHMARKS, RUN
from results import describe_machine, store_plain

_LUA = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local file = io.open("request.json", "r")
wrk.body = file:read("*a")
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("FIGURES %d %d %f %f %d\\n", summary.requests,
    summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""
_PATIENCE = 300.0  # seconds until a server answers
_MEGABYTE = 2**20


def main() -> int:
    """Measures, watches the memory, and stores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=20, help="of each round")
    parser.add_argument("--connections", type=int, default=1, help="at a time")
    parser.add_argument(
        "--requests", type=int, default=20_000, help="memory is watched"
    )
    options = parser.parse_args()
    result = {**describe_machine(), "settings": vars(options)}
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        prepare(folder)
        servers = {
            "task=serve": stack.enter_context(serving(folder)),
            "bare": stack.enter_context(serving_bare(folder)),
        }
        rounds: dict[str, list[dict[str, float]]] = {name: [] for name in servers}
        for _ in range(options.rounds):
            for name, (port, _) in servers.items():
                found = load(folder, port, options.seconds, options.connections)
                rounds[name].append(found)
                print(name, found)
        result["rounds"] = rounds
        result["medians"] = {
            name: {key: statistics.median(one[key] for one in each) for key in each[0]}
            for name, each in rounds.items()
        }
        result["memory"] = watch(folder, *servers["task=serve"], options.requests)
    print(
        json.dumps(result["medians"], indent=2), json.dumps(result["memory"], indent=2)
    )
    return store_plain("serving", result)


def prepare(folder: Path) -> None:
    """Leaves a ResNet-20 of random weights and a request with a photograph."""
    from PIL import Image
    from sklearn.datasets import load_sample_image

    words = ["model=resnet20_cifar", "dataset=synthetic_small", "dataset.image_size=32"]
    command = [sys.executable, str(RUN), *words, "debug=one_step", "gpu=cpu"]
    subprocess.run(
        [*command, "tracking=off"], cwd=folder, check=True, capture_output=True
    )
    file = io.BytesIO()
    Image.fromarray(load_sample_image("china.jpg")).save(file, "JPEG", quality=90)
    image = base64.b64encode(file.getvalue()).decode()
    (folder / "request.json").write_text(json.dumps({"instances": [{"image": image}]}))
    (folder / "post.lua").write_text(_LUA)


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[tuple[int, int]]:
    """Runs `task=serve` and yields its port and process."""
    port = find_port()
    words = [
        "task=serve",
        "run_id=last",
        f"task.port={port}",
        "gpu=cpu",
        "tracking=off",
    ]
    with running([sys.executable, str(RUN), *words], folder, port) as process:
        yield port, process


@contextlib.contextmanager
def serving_bare(folder: Path) -> Iterator[tuple[int, int]]:
    """Runs the bare server on the same network."""
    port = find_port()
    (model,) = folder.glob("outputs/runs/serve-*/served_model/data/model.keras")
    command = [
        sys.executable,
        str(BENCHMARKS / "bare_server.py"),
        str(model),
        str(port),
    ]
    with running(command, folder, port) as process:
        yield port, process


@contextlib.contextmanager
def running(command: list[str], folder: Path, port: int) -> Iterator[int]:
    """Runs a server until it has answered, and ends it afterwards."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    try:
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end and process.poll() is None:
            with contextlib.suppress(OSError):
                ask(folder, port)
                break
            time.sleep(0.5)
        else:
            raise SystemExit(f"{command} does not answer.")
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


def ask(folder: Path, port: int) -> Any:
    """Asks once; raises unless the status is 200."""
    body = (folder / "request.json").read_bytes()
    address = f"http://127.0.0.1:{port}/invocations"
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, body, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["predictions"]


def find_port() -> int:
    """Returns a port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as place:
        return int(place.getsockname()[1])


def load(folder: Path, port: int, seconds: int, connections: int) -> dict[str, float]:
    """Asks for some seconds, each connection its next request after an answer."""
    address = f"http://127.0.0.1:{port}/invocations"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    command += ["--timeout", "60s", "-s", "post.lua", address]
    done = subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True
    )
    found = re.search(r"FIGURES (.+)", done.stdout)
    assert found, done.stdout
    requests, micros, median, late, lost = map(float, found[1].split())
    return {
        "requests": requests,
        "requests_per_second": requests / (micros / 1e6),
        "p50_ms": median / 1e3,
        "p99_ms": late / 1e3,
        "lost": lost,
    }


def watch(folder: Path, port: int, pid: int, wanted: int) -> dict[str, Any]:
    """Asks until so many are answered; returns the memory after each part of them."""
    process = psutil.Process(pid)
    answered, lost = 0.0, 0.0
    megabytes: list[list[float]] = []
    while answered < wanted:
        found = load(folder, port, 15, 4)
        answered += found["requests"]
        lost += found["lost"]
        megabytes.append([answered, process.memory_info().rss / _MEGABYTE])
        print(f"{answered:,.0f} answered, {lost:.0f} lost, {megabytes[-1][1]:.1f} MiB")
    return {"answered": answered, "lost": lost, "rss_mib": megabytes}


if __name__ == "__main__":
    sys.exit(main())
