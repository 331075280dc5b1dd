"""How much an audit finds of faults that were planted, and what it takes for one.

Labels: scikit-learn's digits as image files, of which 50 lie in the folder of another
digit; `task=audit` trains five models and judges the labels. Copies: squares of
scikit-learn's two photographs, saved again or resized, each compared with all others.
Time: 100,000 random hashes, of which none is near another but by chance.
"""

import argparse
import csv
import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import sklearn.datasets
from PIL import Image

from experiments.audit.copies import CORRELATION
from experiments.audit.measurement import Measurement, measure_image
from experiments.audit.near import find_near
from experiments.audit.oddities import LEAST_CONTRAST
from results import describe_machine, store_plain

ROOT = Path(__file__).resolve().parents[1]
WRONG, BITS = 50, 10
MODEL = ("model=resnet20_cifar", "trainer.epochs=15", "trainer.batch_size=32")


def write_digits(root: Path) -> dict[str, str]:
    """Writes the digits; returns name of each wrongly labelled file -> its digit."""
    digits, random = sklearn.datasets.load_digits(), np.random.RandomState(0)
    given = digits.target.copy()
    wrong = np.sort(random.choice(len(given), WRONG, replace=False))
    given[wrong] = (given[wrong] + random.randint(1, 10, WRONG)) % 10
    for number, pixels in enumerate(digits.images):
        path = root / str(given[number]) / f"{number:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.round(pixels * 255 / 16).astype(np.uint8)).save(path)
    return {f"{given[n]}/{n:04}.png": str(digits.target[n]) for n in wrong}


def judge_labels(folder: Path, run_id: str | None) -> dict[str, Any]:
    """Runs the audit of digits; returns what it found of the planted errors."""
    planted = write_digits(folder / "digits")
    words = ["task=audit", "dataset=folder", f"dataset.path={folder}/digits"]
    words += ["dataset.channels=1", "dataset.mean=null", "dataset.std=null"]
    words += ["dataset.image_size=10", *MODEL]
    words += [] if run_id is None else [f"run_id={run_id}"]
    script = [sys.executable, str(ROOT / "run.py")]
    subprocess.run([*script, *words], cwd=folder, check=True)
    (table,) = folder.glob("outputs/runs/audit-*/corrections.csv")
    with table.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["proposed"]]
    relabelled = [row for row in rows if row["action"] == "relabel"]
    return {
        "planted": WRONG,
        "shown": count_hits(rows, planted),
        "relabel": count_hits(relabelled, planted),
    }


def count_hits(rows: list[dict[str, str]], planted: dict[str, str]) -> dict[str, Any]:
    hits = [row for row in rows if row["sample"] in planted]
    right = sum(row["proposed"] == planted[row["sample"]] for row in hits)
    return {
        "labels": len(rows),
        "wrong": len(hits),
        "precision": len(hits) / len(rows),
        "recall": len(hits) / len(planted),
        "right_class": right,
    }


def cut_squares(side: int) -> list[Image.Image]:
    """Returns squares of two photographs that do not overlap, blank ones left out."""
    squares = []
    for name in ("china.jpg", "flower.jpg"):
        pixels = sklearn.datasets.load_sample_image(name)
        for top in range(0, pixels.shape[0] - side + 1, side):
            for left in range(0, pixels.shape[1] - side + 1, side):
                square = Image.fromarray(pixels[top : top + side, left : left + side])
                if np.asarray(square.convert("L")).std() >= LEAST_CONTRAST:
                    squares.append(square)
    return squares


def is_near(one: Measurement, other: Measurement) -> bool:
    differ = (one.phash ^ other.phash).bit_count()
    return differ <= BITS and float(one.preview @ other.preview) >= CORRELATION


def measure(image: Image.Image) -> Measurement:
    return measure_image(np.asarray(image.convert("RGB")))


def find_copies(side: int) -> dict[str, Any]:
    """Returns the share of the copies of each kind that is found."""
    squares = cut_squares(side)
    measured = [measure(square) for square in squares]
    found: dict[str, Any] = {"squares": len(squares)}
    for quality in (30, 50, 70, 90):
        copies = [measure(save(square, quality)) for square in squares]
        found[f"jpeg {quality}"] = share_found(measured, copies)
    for scale in (0.5, 0.75, 1.5, 2.0):
        size = (round(side * scale),) * 2
        copies = [measure(square.resize(size)) for square in squares]
        found[f"resized x {scale:g}"] = share_found(measured, copies)
    pairs = [
        is_near(one, other) for n, one in enumerate(measured) for other in measured[:n]
    ]
    return {**found, "different pairs": len(pairs), "taken for copies": sum(pairs)}


def save(square: Image.Image, quality: int) -> Image.Image:
    content = io.BytesIO()
    square.save(content, "JPEG", quality=quality)
    return Image.open(io.BytesIO(content.getvalue()))


def share_found(originals: list[Measurement], copies: list[Measurement]) -> float:
    pairs = zip(originals, copies, strict=True)
    return sum(is_near(one, copy) for one, copy in pairs) / len(originals)


def time_search(count: int) -> dict[str, Any]:
    random = np.random.RandomState(0)
    halves = random.randint(0, 2**32, (2, count), np.int64).astype(np.uint64)
    hashes = halves[0] << np.uint64(32) | halves[1]
    started = time.process_time()
    pairs = sum(len(rows) for rows, _ in find_near(hashes, BITS))
    seconds = time.process_time() - started
    return {"hashes": count, "pairs": pairs, "cpu_seconds": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run-id", help="a sweep over folds of these digits")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        labels = judge_labels(Path(folder), options.run_id)
    copies = {f"{side} pixels": find_copies(side) for side in (64, 128)}
    result = {**describe_machine(), "labels": labels, "copies": copies}
    result["search"] = time_search(100_000)
    store_plain("audit", result)


if __name__ == "__main__":
    main()
