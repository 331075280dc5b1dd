"""Models and images of strangers, by whole commands under the eyes of the guard."""

import struct
import zlib
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from tests.hostile.folders import make_folder, read_canaries
from tests.hostile.whole import check_end, run_guarded
from tests.tiny import TINY

JOB = [*TINY, "debug=one_step", "gpu=cpu", "tracking=off"]
PHOTOS = ["dataset=folder", "dataset.path=../given/photos"]
CODE = ["run_id=../given/code.keras", "tracking=off"]
PLAIN = ["run_id=../given/plain.keras", "gpu=cpu", "tracking=off"]


def build(*layers: keras.layers.Layer) -> keras.Model:
    flat = [keras.layers.Flatten(), keras.layers.Dense(3)]
    return keras.Sequential([keras.Input((16, 16, 3)), *layers, *flat])


def png_header(width: int, height: int) -> bytes:
    """Returns a PNG whose header tells its size, with the pixels of a few rows."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(3 * width + 1))
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model that holds code, a plain one, and a huge image."""
    folder = tmp_path_factory.mktemp("strange")
    make_folder(folder)
    given = folder / "given"
    touch = keras.layers.Lambda(lambda x: (__import__("os").mkdir("touched"), x)[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder / "shared")
        build(touch).save(given / "code.keras")
    build().save(given / "plain.keras")
    for split, count in (("train", 8), ("validation", 4)):
        for number, name in enumerate("abc"):
            place = given / "photos" / split / name
            place.mkdir(parents=True)
            for index in range(count):
                pixels = np.full((16, 16, 3), 40 * number + index, np.uint8)
                Image.fromarray(pixels).save(place / f"{index}.png")
    huge = given / "photos" / "train" / "a" / "huge.png"
    huge.write_bytes(png_header(50_000, 50_000))
    return folder


@pytest.mark.parametrize(
    "words",
    [
        ["task=evaluate", *CODE, *PHOTOS],
        ["task=predict", *CODE, "input=../given/photos/train/b"],
        ["task=export", *CODE, *PHOTOS, "task.formats=[saved_model]"],
        [*JOB, "model.weights=../given/code.keras"],
    ],
    ids=["evaluate", "predict", "export", "train"],
)
def test_model_with_code_is_refused_by_every_command_that_loads_one(
    strange: Path, words: list[str]
) -> None:
    before = read_canaries(strange)
    done = run_guarded(strange, words)
    check_end(done, strange)
    assert done.returncode != 0
    said = " ".join((done.stdout + done.stderr).split())
    assert "code.keras holds code, such as a Lambda layer" in said, said
    assert not list((strange / "work").rglob("touched"))
    assert read_canaries(strange) == before


@pytest.mark.parametrize(
    ("words", "ends_well"),
    [
        (["task=predict", *PLAIN, "input=../given/photos/train/a"], True),
        ([*JOB, *PHOTOS], False),
    ],
    ids=["predict", "train"],
)
def test_image_that_would_fill_the_memory_is_named_and_not_decoded(
    strange: Path, words: list[str], ends_well: bool
) -> None:
    """It would take 7.5 GB."""
    before = read_canaries(strange)
    done = run_guarded(strange, words)
    check_end(done, strange)
    said = " ".join((done.stdout + done.stderr).split())
    assert "huge.png" in said, said
    assert "2,500,000,000 pixels" in said, said
    assert (done.returncode == 0) is ends_well, said
    assert read_canaries(strange) == before
