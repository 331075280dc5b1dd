"""Pixels are those that a viewer shows.

Definition: a viewer turns an image as EXIF says, lays it on a background, then cuts
out and scales. The oracle is Pillow, step by step: `ImageOps.exif_transpose`,
`alpha_composite`, `crop`, and `resize` with BILINEAR, which is a triangle as wide as
the factor. Below a factor of two an output pixel is the mean over the area that it
covers, in NumPy and double precision; Pillow's better filters judge both. What Pillow
has no say in follows the formats' own definitions: Adam7 and `tRNS` (PNG, third
edition, sections 8 and 11.3.1) and the logical screen (GIF89a, 18).
"""

import functools
import io
import struct
import zlib

import numpy as np
import pytest
import sklearn.datasets
import tensorflow as tf
from PIL import Image, ImageOps

from experiments.data.augment.inception_crop import InceptionCrop
from experiments.data.images.decode import decode_image
from experiments.data.images.orientation import parse_orientation
from experiments.data.images.pixels import read_pixels
from experiments.data.images.resize import resize_images
from experiments.data.pipeline.memory import decode_files
from experiments.data.pipeline.sample_keys import key_from_seed
from experiments.data.split import FileSplit
from tests.data.pictures import encode, flower, photograph

BILINEAR = Image.Resampling.BILINEAR
CROP = InceptionCrop(area=[0.1, 0.6], ratio=[0.75, 1.33], flip=True)
FACTORS = [1.05, 1.2, 1.5, 1.67, 1.8, 1.95, 2.05, 2.6, 3.3, 5, 8.9, 9.1, 13, 17, 20]
SIZES = [
    *((39, 59), (38, 55), (30, 40), (27, 41), (21, 31), (20, 30), (19, 29), (13, 9)),
    *((3, 2), (2, 3), (80, 120), (47, 77), (30, 80), (55, 40), (90, 20), (20, 90)),
    *((1, 1), (1, 60), (40, 1), (1, 200)),
]
BACKGROUNDS = [(255, 255, 255), (0, 0, 0), (10, 200, 90)]


def show(content, background=(255, 255, 255)):
    """Returns the RGB image that a viewer shows on a background."""
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    ground = Image.new("RGBA", picture.size, (*background, 255))
    return Image.alpha_composite(ground, picture.convert("RGBA")).convert("RGB")


@functools.cache
def build_decoder(**arguments):
    """Returns the function in a graph, as the pipeline runs it; tracing is slow."""

    @tf.function
    def in_a_graph(content, draws):
        return decode_image(content, draws=draws, **arguments)

    return in_a_graph


def decode(content, shape, *, draws=None, **changes):
    arguments = {"image_shape": shape, "crop_ratio": 1.0, **changes}
    return build_decoder(**arguments)(tf.constant(content), draws).numpy()


def psnr(left, right):
    """Returns decibels; higher is more alike."""
    difference = np.asarray(left, float) - np.asarray(right, float)
    return 10 * np.log10(255**2 / max(np.mean(np.square(difference)), 1e-9))


def resample(picture, size):
    """Returns the picture in another width and height, by definition."""
    factors = np.divide(picture.size, size)
    if max(factors) >= 2:
        return np.asarray(picture.resize(size, BILINEAR), float)
    columns, rows = (
        weigh(given, wanted) for given, wanted in zip(picture.size, size, strict=True)
    )
    pixels = np.asarray(picture, float)
    return np.einsum("oh,hwc,pw->opc", rows, pixels, columns, optimize=True)


def weigh(given, wanted):
    """Returns the weight of each given pixel (columns) in each wanted one (rows)."""
    factor = given / wanted
    wide, places = max(factor, 1), np.arange(given)
    centres = (np.arange(wanted)[:, None] + 0.5) * factor
    if factor > 1:
        last = np.minimum(centres + factor / 2, places + 1)
        return np.maximum(last - np.maximum(centres - factor / 2, places), 0) / wide
    centres = np.clip(centres - 0.5, 0, given - 1)
    return np.maximum(1 - np.abs(centres - places), 0)


def with_orientation(picture, orientation, **options):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encode(picture, "JPEG", quality=95, subsampling=0, exif=exif, **options)


class TestOrientation:
    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("ratio", [1.0, 0.6])
    def test_the_central_window_is_of_the_image_that_a_viewer_turns(
        self, orientation, ratio
    ):
        content = with_orientation(photograph(96, 60), orientation)
        shown = show(content)
        width, height = shown.size
        scale = ratio * min(height / 30, width / 20)
        tall, wide = round(30 * scale), round(20 * scale)
        left, top = (width - wide) // 2, (height - tall) // 2
        window = shown.crop((left, top, left + wide, top + tall))

        image = decode(content, (30, 20, 3), crop_ratio=ratio)

        assert psnr(image, resample(window, (20, 30))) > 42

    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("seed", range(3))
    def test_a_random_window_is_cut_out_of_the_image_that_a_viewer_turns(
        self, orientation, seed
    ):
        content = with_orientation(photograph(90, 60), orientation)
        shown = show(content)
        draws = CROP.draw(key_from_seed(seed)[None])
        sizes = tf.constant([[shown.height, shown.width]])
        top, left, height, width = CROP.place_windows(sizes, draws)[0].numpy().tolist()
        window = shown.crop((left, top, left + width, top + height))
        expected = resample(window, (24, 24))
        if CROP.choose_mirrored(draws)[0]:
            expected = expected[:, ::-1]

        image = decode(content, (24, 24, 3), crop=CROP, draws=draws[0])

        assert psnr(image, expected) > 42

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_an_image_that_the_decoder_halves_is_turned_as_well(self, orientation):
        content = with_orientation(flower(), orientation)
        width, height = show(content).size
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        window = show(content).crop((left, top, left + side, top + side))

        image = decode(content, (20, 20, 3))

        assert psnr(image, window.resize((20, 20), BILINEAR)) > 42

    @pytest.mark.parametrize("kind", ["PNG", "WEBP"])
    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_other_formats_are_turned_too(self, kind, orientation):
        exif = Image.Exif()
        exif[0x0112] = orientation
        content = encode(photograph(20, 12), kind, exif=exif, lossless=True)

        np.testing.assert_array_equal(read_pixels(content), np.asarray(show(content)))

    @pytest.mark.parametrize("order", ["<", ">"])
    @pytest.mark.parametrize("kind", ["H", "I"])
    def test_both_byte_orders_and_both_integers_are_read(self, order, kind):
        assert parse_orientation(make_exif(order, kind, 6)) == 6

    @pytest.mark.parametrize("value", [0, 9, 65535])
    def test_an_unknown_orientation_is_none(self, value):
        assert parse_orientation(make_exif("<", "H", value)) == 1

    @pytest.mark.parametrize("length", range(30))
    def test_damaged_exif_turns_nothing_and_is_no_error(self, length):
        assert parse_orientation(make_exif("<", "H", 6)[:length]) in (1, 6)

    def test_the_thumbnail_s_orientation_is_not_the_image_s(self):
        alone = struct.pack("<HHHIII", 1, 0x010F, 2, 1, 0, 26)
        of_thumbnail = struct.pack("<HHHIHHI", 1, 0x0112, 3, 1, 6, 0, 0)
        exif = b"II*\x00" + struct.pack("<I", 8) + alone + of_thumbnail

        assert parse_orientation(exif) == 1
        assert parse_orientation(exif[:4] + struct.pack("<I", 26) + exif[8:]) == 6

    def test_exif_behind_other_segments_is_found(self):
        content = with_orientation(photograph(24, 16), 6)
        comment = b"\xff\xfe" + struct.pack(">H", 5002) + b"Exif\x00" * 1000
        content = content[:2] + comment + content[2:]

        image = decode(content, (24, 16, 3))

        np.testing.assert_allclose(image, np.asarray(show(content)), atol=1)


def make_exif(order, kind, value):
    header = {"<": b"II*\x00", ">": b"MM\x00*"}[order]
    number = struct.pack(order + kind, value).ljust(4, b"\x00")
    camera = struct.pack(f"{order}HHII", 0x010F, 2, 1, 0)
    entry = struct.pack(f"{order}HHI", 0x0112, {"H": 3, "I": 4}[kind], 1) + number
    directory = struct.pack(f"{order}H", 2) + camera + entry + bytes(4)
    return b"Exif\x00\x00" + header + struct.pack(f"{order}I", 8) + directory


class TestShrinking:
    # The photograph is 640 x 427; the window a square of 416.
    @pytest.mark.parametrize(
        "size", [320, 256, 224, 208, 128, 104, 80, 52, 46, 45, 40, 32, 26, 23]
    )
    def test_it_is_within_half_a_decibel_of_pillow_s_bilinear(self, size):
        content = encode(flower(), "JPEG", quality=92)
        shown = show(content)
        window = shown.crop((112, 5, 528, 421))
        bilinear = window.resize((size, size), BILINEAR)

        image = decode(content, (size, size, 3), crop_ratio=416 / 427)

        assert psnr(image, bilinear) > 40
        for name in ("BOX", "HAMMING", "LANCZOS"):
            better = window.resize((size, size), Image.Resampling[name])
            assert psnr(image, better) > psnr(bilinear, better) - 0.5

    @pytest.mark.parametrize("ratio", [0.3, 0.5, 0.7])
    @pytest.mark.parametrize("seed", range(3))
    def test_a_window_that_the_decoder_halves_is_placed_to_the_pixel(self, seed, ratio):
        content = encode(flower(), "JPEG", quality=95, subsampling=0)
        size = int(427 * ratio / (9.2 + seed))
        side = round(427 * ratio)
        left, top = (640 - side) // 2, (427 - side) // 2
        window = show(content).crop((left, top, left + side, top + side))

        image = decode(content, (size, size, 3), crop_ratio=ratio)

        assert psnr(image, window.resize((size, size), BILINEAR)) > 40

    @pytest.mark.parametrize("factor", FACTORS)
    @pytest.mark.parametrize("name", ["flower.jpg", "china.jpg"])
    def test_no_better_filter_is_further_away_than_from_pillow_s_bilinear(
        self, name, factor
    ):
        """By more than half a decibel; below two it is nearer to each of them."""
        picture = Image.fromarray(sklearn.datasets.load_sample_image(name))
        content = encode(picture.crop((111, 4, 528, 421)), "JPEG", quality=92)
        window = show(content)
        size = round(417 / factor)
        bilinear = window.resize((size, size), BILINEAR)

        image = decode(content, (size, size, 3))

        for other in ("BOX", "HAMMING", "BICUBIC", "LANCZOS"):
            better = window.resize((size, size), Image.Resampling[other])
            gain = psnr(image, better) - psnr(bilinear, better)
            assert gain > (0 if factor < 2 else -0.5), other

    # Factors of 1 to 20, up and down, in one axis and in both; odd sizes.
    @pytest.mark.parametrize("size", SIZES, ids=str)
    @pytest.mark.parametrize("given", [(60, 40), (61, 37)], ids=str)
    def test_images_in_memory_are_scaled_by_definition(self, given, size):
        picture = photograph(*given)

        scaled = resize_images(np.asarray(picture), size).numpy()

        assert np.abs(scaled - resample(picture, size[::-1])).max() <= 1

    @pytest.mark.parametrize("size", [90, 61, 60, 45, 31, 30, 7, 1])
    def test_files_are_scaled_like_images_in_memory(self, size):
        picture = photograph(61, 61)

        image = decode(encode(picture, "PNG"), (size, size, 3))

        scaled = resize_images(np.asarray(picture), (size, size))
        np.testing.assert_array_equal(image, scaled)

    @pytest.mark.parametrize("size", [(40, 60), (30, 80), (7, 5), (90, 130), (90, 20)])
    def test_images_in_a_batch_are_scaled_like_each_by_itself(self, size):
        images = np.stack([photograph(60, 40), ImageOps.mirror(photograph(60, 40))])

        scaled = resize_images(images, size)

        for image, alone in zip(scaled, images, strict=True):
            np.testing.assert_array_equal(image, resize_images(alone, size))

    @pytest.mark.parametrize("size", [40, 60, 90, 20])
    def test_every_way_through_the_pipeline_gives_the_same_bytes(self, size, tmp_path):
        contents = [encode(photograph(60 + n, 60), "JPEG") for n in range(8)]
        paths = tuple(str(tmp_path / f"{number}.jpg") for number in range(8))
        for path, content in zip(paths, contents, strict=True):
            (tmp_path / path).write_bytes(content)
        split = FileSplit(paths, np.zeros(8, np.int32), ("",) * 8)
        shape = (size, size, 3)

        in_a_graph = [decode(content, shape) for content in contents]
        eagerly = [decode_image(c, image_shape=shape, crop_ratio=1.0) for c in contents]
        in_parallel = decode_files(split, shape, threads=4)

        np.testing.assert_array_equal(in_a_graph, eagerly)
        np.testing.assert_array_equal(in_a_graph, in_parallel)

    def test_every_pixel_counts(self):
        """A chessboard of single pixels is grey from afar, not black or white."""
        board = np.indices((256, 256)).sum(axis=0) % 2 * 255
        content = encode(Image.fromarray(board.astype(np.uint8)), "PNG")

        image = decode(content, (32, 32, 3))

        assert abs(image.astype(int) - 127.5).max() < 2


def half_transparent():
    """Returns RGBA: colours hidden where it is transparent, and all in between."""
    picture = photograph(20, 12).convert("RGBA")
    picture.putalpha(Image.fromarray(np.arange(240, dtype=np.uint8).reshape(12, 20)))
    return picture


def palette_with_transparency():
    picture = photograph(20, 12).quantize(16)
    return encode(picture, "PNG", transparency=bytes(range(0, 256, 17)))


TRANSPARENT = {
    "rgba_png": lambda: encode(half_transparent(), "PNG"),
    "grey_alpha_png": lambda: encode(half_transparent().convert("LA"), "PNG"),
    "palette_with_alpha": palette_with_transparency,
    "palette_with_a_transparent_index": lambda: encode(
        photograph(20, 12).quantize(16), "PNG", transparency=3
    ),
    "grey_with_a_transparent_value": lambda: encode(
        Image.fromarray((np.arange(240) % 16).astype(np.uint8).reshape(12, 20)),
        "PNG",
        transparency=3,
    ),
    "rgb_with_a_transparent_value": lambda: encode(
        photograph(20, 12).quantize(4).convert("RGB"),
        "PNG",
        transparency=photograph(20, 12).quantize(4).convert("RGB").getpixel((0, 0)),
    ),
    "gif": lambda: encode(photograph(20, 12).quantize(16), "GIF", transparency=3),
    "webp": lambda: encode(half_transparent(), "WEBP", lossless=True, exact=True),
    "animated_webp": lambda: encode(
        half_transparent(),
        "WEBP",
        lossless=True,
        save_all=True,
        append_images=[ImageOps.flip(half_transparent())],
    ),
    "animated_png": lambda: encode(
        half_transparent(),
        "PNG",
        save_all=True,
        append_images=[ImageOps.flip(half_transparent())],
    ),
}


class TestTransparency:
    @pytest.mark.parametrize("background", BACKGROUNDS)
    @pytest.mark.parametrize("form", TRANSPARENT)
    def test_the_background_shows_through(self, form, background):
        content = TRANSPARENT[form]()

        image = decode(content, (12, 20, 3), background=background)

        np.testing.assert_array_equal(image, np.asarray(show(content, background)))

    def test_it_is_laid_on_the_background_before_it_is_scaled(self):
        """Scaled first, the hidden black would darken the edge of the white square."""
        pixels = np.zeros((64, 64, 4), np.uint8)
        pixels[:, 32:] = 255
        content = encode(Image.fromarray(pixels), "PNG")

        assert decode(content, (5, 5, 3)).min() == 255

    def test_a_black_drawing_on_transparent_ground_is_seen(self):
        pixels = np.zeros((16, 16, 4), np.uint8)
        pixels[4:12, 4:12, 3] = 255

        image = decode(encode(Image.fromarray(pixels), "PNG"), (16, 16, 3))

        assert image[:4].min() == 255
        assert image[4:12, 4:12].max() == 0

    @pytest.mark.parametrize("background", BACKGROUNDS)
    def test_outside_of_a_gif_s_first_frame_is_background(self, background):
        frame = encode(photograph(10, 6).quantize(16), "GIF")
        content = place_gif_frame(frame, screen=(20, 12), corner=(7, 4))

        image = decode(content, (12, 20, 3), background=background)

        expected = np.full((12, 20, 3), background, np.uint8)
        expected[4:10, 7:17] = np.asarray(photograph(10, 6).quantize(16).convert("RGB"))
        np.testing.assert_array_equal(image, expected)


def place_gif_frame(content, *, screen, corner):
    """Returns a GIF of one frame with another logical screen and frame position."""
    table = 3 << ((content[10] & 7) + 1)
    descriptor = content.index(b",", 13 + table)
    return b"".join(
        [
            content[:6] + struct.pack("<HH", *screen) + content[10:descriptor],
            b"," + struct.pack("<HH", *corner) + content[descriptor + 5 :],
        ]
    )


def chunk(name, data):
    check = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)


def make_png(rows, *, size, depth, colour, interlaced=0, more=b""):
    """Returns a PNG of the packed bytes of each row, without any row filter."""
    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, interlaced)
    packed = zlib.compress(b"".join(b"\x00" + row for row in rows))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + more
        + chunk(b"IDAT", packed)
        + chunk(b"IEND", b"")
    )


class TestDepthsAndColours:
    def test_of_sixteen_grey_bits_the_upper_eight_are_shown(self):
        wide = np.linspace(0, 65535, 240).astype(">u2").reshape(12, 20)
        rows = [row.tobytes() for row in wide]

        image = decode(make_png(rows, size=(20, 12), depth=16, colour=0), (12, 20, 3))

        np.testing.assert_array_equal(image, np.repeat(wide[..., None] >> 8, 3, axis=2))

    @pytest.mark.parametrize(("colour", "channels"), [(2, 3), (4, 2), (6, 4)])
    def test_sixteen_bits_of_other_kinds_equal_their_upper_eight(
        self, colour, channels
    ):
        shape = (12, 20 * channels)
        wide = np.random.RandomState(0).randint(0, 65536, shape).astype(">u2")
        given = {"size": (20, 12), "colour": colour}
        narrow = [(row >> 8).astype(np.uint8).tobytes() for row in wide]
        rows = [row.tobytes() for row in wide]

        image = decode(make_png(rows, depth=16, **given), (12, 20, 3))

        eight = make_png(narrow, depth=8, **given)
        np.testing.assert_array_equal(image, np.asarray(show(eight)))

    @pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
    def test_a_transparent_grey_is_found_at_every_depth(self, depth):
        """`tRNS` holds a sample of the image's own depth."""
        most = 2**depth - 1
        samples = np.linspace(0, most, 16).round().astype(int)
        bits = "".join(f"{sample:0{depth}b}" for sample in samples)
        row = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
        transparent = chunk(b"tRNS", struct.pack(">H", samples[-1]))
        content = make_png([row], size=(16, 1), depth=depth, colour=0, more=transparent)

        image = decode(content, (1, 16, 3), background=(9, 8, 7))

        grey = samples >> 8 if depth == 16 else samples * 255 // most
        expected = np.repeat(grey[:, None], 3, axis=1)
        expected[samples == samples[-1]] = (9, 8, 7)
        np.testing.assert_array_equal(image[0], expected)

    def test_an_interlaced_png_is_the_same_picture(self):
        pixels = np.asarray(photograph(20, 12))
        passes = ["0/8 0/8", "0/8 4/8", "4/8 0/4", "0/4 2/4", "2/4 0/2", "0/2 1/2"]
        rows = []
        for steps in [*passes, "1/2 0/1"]:  # first/step of the rows, of the columns
            (top, down), (left, across) = (
                map(int, part.split("/")) for part in steps.split()
            )
            rows += [row.tobytes() for row in pixels[top::down, left::across]]
        content = make_png(rows, size=(20, 12), depth=8, colour=2, interlaced=1)

        np.testing.assert_array_equal(decode(content, (12, 20, 3)), pixels)

    def test_one_bit_is_black_and_white(self):
        content = encode(photograph(20, 12).convert("1"), "PNG")

        np.testing.assert_array_equal(
            decode(content, (12, 20, 3)), np.asarray(show(content))
        )

    @pytest.mark.parametrize("quality", [75, 95])
    def test_cmyk_is_inverted_as_every_viewer_does(self, quality):
        content = encode(photograph().convert("CMYK"), "JPEG", quality=quality)
        expected = Image.open(io.BytesIO(content)).convert("RGB")

        assert psnr(decode(content, (40, 60, 3)), expected) > 50

    def test_one_channel_is_the_luminance_of_what_is_shown(self):
        content = encode(half_transparent(), "PNG")

        image = decode(content, (12, 20, 1))

        expected = np.asarray(show(content).convert("L"))[..., None]
        assert abs(image.astype(int) - expected).max() <= 1


class TestBehindTheEnd:
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP"])
    @pytest.mark.parametrize("rest", [bytes(5000), b"ftypmp42" * 1000])
    def test_what_lies_behind_an_image_changes_nothing(self, kind, rest):
        content = encode(photograph(20, 12), kind)

        image = decode(content + rest, (12, 20, 3))

        np.testing.assert_array_equal(image, decode(content, (12, 20, 3)))


class TestDamage:
    @pytest.mark.parametrize("at", [0.3, 0.5, 0.9])
    def test_a_png_with_ten_zeroed_bytes_is_an_error(self, at):
        content = encode(photograph(), "PNG")
        start = int(len(content) * at)
        damaged = content[:start] + bytes(10) + content[start + 10 :]

        with pytest.raises(tf.errors.InvalidArgumentError):
            decode(damaged, (40, 60, 3))

    def test_a_png_whose_checksum_is_wrong_is_an_error(self):
        """Every sample is there, but one of them is not the photograph's."""
        content = encode(photograph(20, 12), "PNG", compress_level=0)
        altered = content[:500] + bytes([content[500] ^ 1]) + content[501:]

        with pytest.raises(tf.errors.InvalidArgumentError, match="checksum of IDAT"):
            decode(altered, (12, 20, 3))

    @pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "WEBP", "JPEG"])
    def test_half_of_an_image_is_an_error(self, kind):
        content = encode(photograph(), kind)

        with pytest.raises(tf.errors.InvalidArgumentError):
            decode(content[: len(content) // 2], (40, 60, 3))

    @pytest.mark.parametrize("content", [b"", b"text", b"\xff\xd8\xff", b"GIF89a"])
    def test_what_is_no_image_is_an_error(self, content):
        with pytest.raises(tf.errors.InvalidArgumentError):
            decode(content, (4, 4, 3))

    def test_a_text_that_pillow_finds_too_long_is_no_damage(self):
        content = encode(photograph(20, 12), "PNG")
        text = chunk(b"zTXt", b"note\x00\x00" + zlib.compress(bytes(2**21)))
        content = content[:33] + text + content[33:]

        image = decode(content, (12, 20, 3))

        np.testing.assert_array_equal(image, np.asarray(photograph(20, 12)))
