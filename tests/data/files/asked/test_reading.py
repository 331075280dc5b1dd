import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from experiments.data.files.asked.reading import _FILES_AT_ONCE, read_images
from experiments.data.files.scanning.scan import scan_files
from experiments.data.pipeline.pipeline import build_pipeline
from experiments.data.split import FileSplit

SHAPE = (24, 24, 3)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of every kind that people have."""
    folder = tmp_path_factory.mktemp("photos")
    draw = np.random.default_rng(0)
    smooth = np.kron(draw.integers(0, 255, (6, 9, 4), np.uint8), np.ones((9, 9, 1)))
    image = Image.fromarray(smooth.astype("uint8"))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.convert("RGB").save(folder / "a_turned.jpg", exif=exif, quality=95)
    image.save(folder / "b_transparent.png")
    image.convert("L").save(folder / "c_grey.jpg")
    image.convert("P").save(folder / "d_palette.gif")
    image.convert("CMYK").save(folder / "e_cmyk.jpg")
    image.save(folder / "f.webp", lossless=True)
    (folder / "g_text.jpg").write_text("no image")
    (folder / "h_cut.jpg").write_bytes((folder / "a_turned.jpg").read_bytes()[:900])
    return folder


def test_file_has_the_pixels_that_a_training_has_of_it(photos: Path) -> None:
    paths = [str(path) for path in sorted(photos.iterdir())][:6]
    found = list(read_images(paths, image_shape=SHAPE, crop_ratio=0.8))
    split = FileSplit(
        paths=tuple(paths),
        labels=np.zeros(6, np.int32),
        digests=("",) * 6,
        crop_ratio=0.8,
    )
    (batch,) = build_pipeline(
        split,
        image_shape=SHAPE,
        batch_size=6,
        seed=0,
        shuffle=False,
        epochs=1,
        drop_remainder=False,
        cache="none",
    ).as_numpy_iterator()
    assert [image.path for image in found] == paths
    assert (
        np.stack([image.pixels for image in found if image.pixels is not None])
        == batch[0]
    ).all()
    digests = [file.digest for file in scan_files(Path(), paths, verify="full")]
    assert [image.digest for image in found] == digests


def test_files_that_are_no_images_are_told_and_the_rest_is_read(photos: Path) -> None:
    paths = [*map(str, sorted(photos.iterdir())), str(photos / "gone.png"), str(photos)]
    found = list(read_images(paths, image_shape=SHAPE, crop_ratio=1.0))
    assert [image.path for image in found] == paths
    faults = {Path(i.path).name: i.fault for i in found if i.pixels is None}
    assert list(faults) == ["g_text.jpg", "h_cut.jpg", "gone.png", photos.name]
    assert "cut off" in str(faults["h_cut.jpg"])


def test_files_are_asked_for_as_they_are_needed(photos: Path) -> None:
    asked = 0

    def names() -> object:
        nonlocal asked
        while True:
            asked += 1
            yield str(photos / "c_grey.jpg")

    images = read_images(names(), image_shape=SHAPE, crop_ratio=1.0)  # type: ignore[arg-type]
    for _ in range(3):
        assert next(images).pixels is not None
    assert asked == _FILES_AT_ONCE
    images.close()  # type: ignore[attr-defined]


def test_what_is_no_file_or_too_large_is_told_and_nothing_waits_for_it(
    tmp_path: Path, photos: Path
) -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + checksum

    header = struct.pack(">2I5B", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(10**6))), (b"IEND", b"")]
    bomb = b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in chunks)
    (tmp_path / "bomb.png").write_bytes(bomb)
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "endless.jpg").symlink_to("/dev/zero")
    (tmp_path / "broken.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "empty.jpg").touch()
    whole = photos / "c_grey.jpg"
    (tmp_path / "link.jpg").symlink_to(whole)
    os.link(whole, os.fsencode(tmp_path) + b"/\xff.jpg")
    paths = sorted(str(path) for path in tmp_path.iterdir())

    found = read_images(paths, image_shape=SHAPE, crop_ratio=1.0)

    faults = {Path(image.path).name: image.fault for image in found}
    assert faults.pop("link.jpg") is None
    assert "3,600,000,000 pixels" in str(faults.pop("bomb.png"))
    assert faults == {
        "pipe.jpg": "is a pipe, a socket or a device",
        "endless.jpg": "is a pipe, a socket or a device",
        "broken.jpg": "is a link that leads nowhere",
        "loop.jpg": "cannot be read (Too many levels of symbolic links)",
        "folder.jpg": "is a folder",
        "empty.jpg": "is empty",
        "\udcff.jpg": "has a name that is not UTF-8",
    }
