"""Image files that were damaged, or made to do harm, by recipe.

`python -m tests.hostile.broken_images FOLDER` makes each one in the folder, looks at it
in every way the project does and writes what happened as a line of JSON: in a process
of its own, because it may die.
"""

import contextlib
import io
import json
import random
import struct
import sys
import time
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, ImageOps, PngImagePlugin

from tests.data.pictures import encode, photograph
from tests.hostile.memory import peak_megabytes

# `full` must refuse it; it may, for nobody can say what is right; it must not.
REFUSE, MAY, WHOLE = "refuse", "may", "whole"
SIZE = (200, 150)


def jpeg(**options):
    return encode(photograph(*SIZE), "JPEG", **{"quality": 90, **options})


def png(**options):
    return encode(photograph(*SIZE), "PNG", **options)


def gif(**options):
    return encode(photograph(*SIZE).quantize(256), "GIF", **options)


def bmp():
    return encode(photograph(*SIZE), "BMP")


def webp(**options):
    return encode(photograph(*SIZE), "WEBP", **options)


def put(content, position, new):
    return content[:position] + new + content[position + len(new) :]


def half(content):
    return content[: len(content) // 2]


# JPEG


def segment(content, *markers):
    """Returns where the first segment of such a marker starts: its 0xFF."""
    position = 2
    while content[position + 1] not in markers:
        length = int.from_bytes(content[position + 2 : position + 4], "big")
        position += 2 + length
    return position


def frame(content):
    return segment(content, 0xC0, 0xC1, 0xC2)


def scan(content):
    return segment(content, 0xDA)


def end_of(content, position):
    return position + 2 + int.from_bytes(content[position + 2 : position + 4], "big")


def resized(content, width, height):
    return put(content, frame(content) + 5, struct.pack(">2H", height, width))


def without(content, *markers):
    position = segment(content, *markers)
    return content[:position] + content[end_of(content, position) :]


def insert(content, *segments):
    """Returns a JPEG with further segments behind its first one."""
    position = end_of(content, 2)
    return content[:position] + b"".join(segments) + content[position:]


def segment_of(marker, data):
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def zeroed(content, share=0.5, count=300, value=0):
    start = scan(content)
    start += int(share * (len(content) - start))
    return put(content, start, bytes([value]) * count)


def flipped(content, seed, count):
    """Returns a JPEG with some bits of its compressed data turned round."""
    draw = random.Random(seed)
    changed = bytearray(content)
    for _ in range(count):
        position = draw.randrange(end_of(content, scan(content)), len(content) - 2)
        changed[position] ^= 1 << draw.randrange(8)
    return bytes(changed)


def scan_bomb():
    content = jpeg(progressive=True)
    # A last pass over the luminance that changes nothing.
    more = b"\xff\xda\x00\x08\x01\x01\x00\x3f\x3f\x00"
    return content[: scan(content)] + more * 20_000 + content[scan(content) :]


def without_adobe():
    content = encode(photograph(*SIZE).convert("CMYK"), "JPEG")
    return without(content, 0xEE)


def exif(data):
    return insert(jpeg(), segment_of(0xE1, b"Exif\x00\x00" + data))


def thumbnail_alone():
    inner = encode(photograph(16, 12), "JPEG")
    content = exif(inner)
    return content[: end_of(content, segment(content, 0xE1)) + 8]


# PNG


def chunk(name, data, check=None):
    check = zlib.crc32(name + data) if check is None else check
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)


def header(width=10, height=10, depth=8, colour=2, *rest):
    values = (width, height, depth, colour, *(rest or (0, 0, 0)))
    return chunk(b"IHDR", struct.pack(">2I5B", *values))


ROWS = b"".join(b"\x00" + bytes(range(30)) for _ in range(10))
DATA = zlib.compress(ROWS)
END = chunk(b"IEND", b"")
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def make_png(*chunks):
    return SIGNATURE + b"".join(chunks) + END


def png_of(data, *arguments):
    return make_png(header(*arguments), chunk(b"IDAT", data))


def black_square(side):
    """Returns a file of some kilobytes whose image has `side` times `side` bits."""
    rows = zlib.compressobj(9)
    data = b"".join(rows.compress(bytes(1 + side // 8)) for _ in range(side))
    return png_of(data + rows.flush(), side, side, 1, 0)


def text_bomb():
    text = b"Comment\x00\x00" + zlib.compress(bytes(2**24))
    return make_png(header(), chunk(b"zTXt", text), chunk(b"IDAT", DATA))


# GIF

TABLE_END = 13 + 3 * 256


def frame_of_gif(content):
    return content.index(b"\x2c", TABLE_END)


def gif_blocks(count):
    """Returns a GIF of which only so many blocks of data are left."""
    content = gif()
    position = frame_of_gif(content) + 11
    for _ in range(count):
        position += 1 + content[position]
    return content[:position] + b"\x00\x3b"


def animated(kind, harm):
    image = photograph(*SIZE)
    frames = {"save_all": True, "append_images": [ImageOps.invert(image)]}
    return harm(encode(image, kind, **frames))


# BMP


def rle(data, width=40, height=30, compression=1):
    palette = b"".join(bytes([i, i, i, 0]) for i in range(256))
    start = 14 + 40 + len(palette)
    sizes = struct.pack("<IHHI", start + len(data), 0, 0, start)
    info = (40, width, height, 1, 8, compression, len(data), 0, 0, 256, 0)
    return b"BM" + sizes + struct.pack("<IiiHHIIiiII", *info) + palette + data


# WebP


def riff(*chunks):
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def piece(name, data):
    return name + struct.pack("<I", len(data)) + data + b"\x00" * (len(data) % 2)


def canvas(width, height, flags=0):
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return piece(b"VP8X", bytes([flags, 0, 0, 0]) + size)


def first_piece(content):
    return content[20 : 20 + int.from_bytes(content[16:20], "little")]


def shortened(content):
    """Returns a WebP file with half of its data, and the sizes to go with it."""
    return riff(piece(content[12:16], half(first_piece(content))))


RECIPES = {
    # JPEG, to be refused
    "jpeg_cut": (REFUSE, lambda: half(jpeg())),
    "jpeg_half": (REFUSE, lambda: half(jpeg()) + b"\xff\xd9"),
    "jpeg_progressive_half": (
        REFUSE,
        lambda: half(jpeg(progressive=True)) + b"\xff\xd9",
    ),
    "jpeg_taller": (REFUSE, lambda: resized(jpeg(), 200, 300)),
    "jpeg_shorter": (REFUSE, lambda: resized(jpeg(), 200, 75)),
    "jpeg_wider": (REFUSE, lambda: resized(jpeg(), 400, 150)),
    "jpeg_narrower": (REFUSE, lambda: resized(jpeg(), 100, 150)),
    "jpeg_no_height": (REFUSE, lambda: resized(jpeg(), 200, 0)),
    "jpeg_no_width": (REFUSE, lambda: resized(jpeg(), 0, 150)),
    "jpeg_largest": (REFUSE, lambda: resized(jpeg(), 65535, 65535)),
    "jpeg_largest_progressive": (
        REFUSE,
        lambda: resized(jpeg(progressive=True), 65500, 65500),
    ),
    "jpeg_arithmetic": (REFUSE, lambda: put(jpeg(), frame(jpeg()) + 1, b"\xc9")),
    "jpeg_lossless": (REFUSE, lambda: put(jpeg(), frame(jpeg()) + 1, b"\xc3")),
    "jpeg_as_progressive": (REFUSE, lambda: put(jpeg(), frame(jpeg()) + 1, b"\xc2")),
    "jpeg_12_bits": (REFUSE, lambda: put(jpeg(), frame(jpeg()) + 4, b"\x0c")),
    "jpeg_no_sampling": (REFUSE, lambda: put(jpeg(), frame(jpeg()) + 11, b"\x00")),
    "jpeg_wild_sampling": (REFUSE, lambda: put(jpeg(), frame(jpeg()) + 11, b"\xff")),
    "jpeg_200_components": (REFUSE, lambda: put(jpeg(), frame(jpeg()) + 9, b"\xc8")),
    "jpeg_zeros": (REFUSE, lambda: zeroed(jpeg())),
    "jpeg_ones": (REFUSE, lambda: zeroed(jpeg(), value=255)),
    "jpeg_progressive_zeros": (REFUSE, lambda: zeroed(jpeg(progressive=True))),
    "jpeg_no_huffman": (MAY, lambda: without(jpeg(), 0xC4)),
    "jpeg_no_quantization": (REFUSE, lambda: without(jpeg(), 0xDB)),
    "jpeg_no_frame": (REFUSE, lambda: without(jpeg(), 0xC0)),
    "jpeg_no_scan": (REFUSE, lambda: jpeg()[: scan(jpeg())] + b"\xff\xd9"),
    "jpeg_two_frames": (
        REFUSE,
        lambda: insert(jpeg(), jpeg()[frame(jpeg()) : end_of(jpeg(), frame(jpeg()))]),
    ),
    "jpeg_huffman_counts": (
        REFUSE,
        lambda: put(jpeg(), segment(jpeg(), 0xC4) + 5, b"\xff" * 16),
    ),
    "jpeg_segment_of_nothing": (MAY, lambda: insert(jpeg(), b"\xff\xe5\x00\x00")),
    "jpeg_segment_beyond": (
        REFUSE,
        lambda: jpeg()[:2] + b"\xff\xe5\xff\xff" + jpeg()[2:2000],
    ),
    "jpeg_restart_lost": (
        REFUSE,
        lambda: jpeg(restart_marker_rows=1).replace(b"\xff\xd1", b"\xff\xd5"),
    ),
    "jpeg_padding": (REFUSE, lambda: jpeg()[:-2] + bytes(20) + b"\xff\xd9"),
    "jpeg_nothing_within": (REFUSE, lambda: b"\xff\xd8\xff\xd9"),
    "jpeg_start": (REFUSE, lambda: b"\xff\xd8\xff"),
    "jpeg_scan_bomb": (REFUSE, scan_bomb),
    "jpeg_cmyk_without_adobe": (REFUSE, without_adobe),
    "jpeg_thumbnail_alone": (REFUSE, thumbnail_alone),
    # JPEG, whatever
    "jpeg_row_less": (MAY, lambda: resized(jpeg(), 200, 149)),
    "jpeg_column_more": (MAY, lambda: resized(jpeg(), 201, 150)),
    "jpeg_other_transform": (
        MAY,
        lambda: insert(jpeg(), segment_of(0xEE, b"Adobe\x00\x64" + bytes(4) + b"\x07")),
    ),
    "jpeg_no_jfif": (MAY, lambda: without(jpeg(), 0xE0)),
    **{
        f"jpeg_{count}_bits_{seed}": (
            MAY,
            lambda seed=seed, count=count: flipped(jpeg(), seed, count),
        )
        for seed in range(4)
        for count in (1, 10)
    },
    "jpeg_progressive_bits": (MAY, lambda: flipped(jpeg(progressive=True), 0, 3)),
    # JPEG, whole
    "jpeg_fill_bytes": (WHOLE, lambda: insert(jpeg(), b"\xff" * 500)),
    "jpeg_revision": (WHOLE, lambda: put(jpeg(), 11, b"\x09")),
    "jpeg_scan_parameters": (
        WHOLE,
        lambda: put(jpeg(), end_of(jpeg(), scan(jpeg())) - 3, bytes(3)),
    ),
    "jpeg_film_behind": (WHOLE, lambda: jpeg() + b"ftypmp42" * 100_000),
    "jpeg_comments": (
        WHOLE,
        lambda: insert(jpeg(), *[segment_of(0xFE, b"a" * 60_000)] * 20),
    ),
    "jpeg_exif_beyond": (WHOLE, lambda: exif(b"II*\x00\xff\xff\xff\x7f")),
    "jpeg_exif_endless": (
        WHOLE,
        lambda: exif(b"II*\x00\x08\x00\x00\x00" + b"\xff\xff" + bytes(200)),
    ),
    "jpeg_exif_orientation_9": (
        WHOLE,
        lambda: exif(
            b"MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03"
            + bytes(3)
            + b"\x01\x00\x09\x00\x00"
        ),
    ),
    "jpeg_one_pixel": (WHOLE, lambda: encode(photograph(1, 1), "JPEG")),
    # PNG
    "png_cut": (REFUSE, lambda: half(png())),
    "png_no_end": (REFUSE, lambda: png()[:-12]),
    "png_data_changed": (REFUSE, lambda: put(png(), len(png()) // 2, bytes(10))),
    "png_header_changed": (REFUSE, lambda: put(png(), 18, b"\x01\x00")),
    "png_too_few_rows": (REFUSE, lambda: png_of(zlib.compress(ROWS[:155]))),
    "png_too_many_rows": (REFUSE, lambda: png_of(zlib.compress(ROWS * 2))),
    "png_checksum_of_data": (REFUSE, lambda: png_of(DATA[:-4] + bytes(4))),
    "png_stream_without_end": (REFUSE, lambda: png_of(DATA[:-4])),
    "png_filter": (REFUSE, lambda: png_of(zlib.compress(b"\x09" + ROWS[1:]))),
    "png_no_data": (REFUSE, lambda: make_png(header())),
    "png_no_palette": (REFUSE, lambda: png_of(DATA, 10, 10, 8, 3)),
    "png_no_width": (REFUSE, lambda: png_of(DATA, 0, 10)),
    "png_depth_3": (REFUSE, lambda: png_of(DATA, 10, 10, 3)),
    "png_colour_5": (REFUSE, lambda: png_of(DATA, 10, 10, 8, 5)),
    "png_interlace_7": (REFUSE, lambda: png_of(DATA, 10, 10, 8, 2, 0, 0, 7)),
    "png_compression_9": (REFUSE, lambda: png_of(DATA, 10, 10, 8, 2, 9, 0, 0)),
    "png_two_headers": (
        REFUSE,
        lambda: make_png(header(), header(10, 5), chunk(b"IDAT", DATA)),
    ),
    "png_second_header_huge": (
        REFUSE,
        lambda: make_png(header(), header(60_000, 60_000), chunk(b"IDAT", DATA)),
    ),
    "png_header_late": (REFUSE, lambda: make_png(chunk(b"IDAT", DATA), header())),
    "png_chunk_beyond": (
        REFUSE,
        lambda: SIGNATURE + header() + b"\xff\xff\xff\xffIDAT" + DATA,
    ),
    "png_declares_400_million": (REFUSE, lambda: png_of(DATA, 20_000, 20_000)),
    "png_has_400_million": (REFUSE, lambda: black_square(20_000)),
    "png_declares_most": (REFUSE, lambda: png_of(DATA, 2**31 - 1, 2**31 - 1)),
    "png_data_bomb": (REFUSE, lambda: png_of(zlib.compress(bytes(2**28)))),
    "png_signature": (REFUSE, lambda: SIGNATURE),
    "png_text_bomb": (WHOLE, text_bomb),
    "png_text_changed": (
        WHOLE,
        lambda: make_png(header(), chunk(b"tEXt", b"a\0b", 7), chunk(b"IDAT", DATA)),
    ),
    "png_profile_of_nothing": (
        WHOLE,
        lambda: make_png(
            header(), chunk(b"iCCP", b"x\0\0no profile"), chunk(b"IDAT", DATA)
        ),
    ),
    "png_data_in_pieces": (
        WHOLE,
        lambda: make_png(
            header(),
            *[chunk(b"IDAT", b"")] * 3000,
            *[chunk(b"IDAT", DATA[i : i + 1]) for i in range(len(DATA))],
        ),
    ),
    "png_rest_in_data": (WHOLE, lambda: png_of(DATA + b"rest")),
    "png_film_behind": (WHOLE, lambda: png() + bytes(100_000)),
    "png_second_frame_broken": (
        WHOLE,
        lambda: animated("PNG", lambda c: c.replace(b"fdAT", b"fdAU")),
    ),
    "png_transparency_too_long": (
        MAY,
        lambda: make_png(header(), chunk(b"tRNS", bytes(50)), chunk(b"IDAT", DATA)),
    ),
    "png_palette_too_short": (
        MAY,
        lambda: make_png(
            header(30, 10, 8, 3), chunk(b"PLTE", bytes(6)), chunk(b"IDAT", DATA)
        ),
    ),
    # GIF
    "gif_cut": (REFUSE, lambda: half(gif())),
    "gif_no_frame": (REFUSE, lambda: gif()[:TABLE_END] + b"\x3b"),
    "gif_no_data": (REFUSE, lambda: gif_blocks(0)),
    "gif_few_blocks": (REFUSE, lambda: gif_blocks(30)),
    "gif_zeros": (
        REFUSE,
        lambda: put(gif(), frame_of_gif(gif()) + 300, bytes(100)),
    ),
    "gif_code_of_12_bits": (
        REFUSE,
        lambda: put(gif(), frame_of_gif(gif()) + 10, b"\x0c"),
    ),
    "gif_largest_canvas": (REFUSE, lambda: put(gif(), 6, b"\xff\xff\xff\xff")),
    "gif_frame_far_away": (
        REFUSE,
        lambda: put(gif(), frame_of_gif(gif()) + 1, b"\xff\xff\xff\xff"),
    ),
    "gif_start": (REFUSE, lambda: b"GIF89a"),
    "gif_no_canvas": (MAY, lambda: put(gif(), 6, bytes(4))),
    "gif_no_colours": (
        MAY,
        lambda: put(gif(), 10, b"\x00")[:13] + gif()[TABLE_END:],
    ),
    "gif_frame_of_nothing": (
        MAY,
        lambda: put(gif(), frame_of_gif(gif()) + 5, bytes(4)),
    ),
    "gif_comments": (
        WHOLE,
        lambda: (
            gif()[:TABLE_END]
            + b"\x21\xfe"
            + (b"\xff" + b"a" * 255) * 20_000
            + b"\x00"
            + gif()[TABLE_END:]
        ),
    ),
    # BMP
    "bmp_cut": (REFUSE, lambda: half(bmp())),
    "bmp_cut_without_size": (REFUSE, lambda: half(put(bmp(), 2, bytes(4)))),
    "bmp_data_beyond": (REFUSE, lambda: put(bmp(), 10, struct.pack("<I", 10**9))),
    "bmp_no_width": (REFUSE, lambda: put(bmp(), 18, bytes(4))),
    "bmp_no_height": (REFUSE, lambda: put(bmp(), 22, bytes(4))),
    "bmp_negative_width": (REFUSE, lambda: put(bmp(), 18, struct.pack("<i", -200))),
    "bmp_largest": (REFUSE, lambda: put(bmp(), 18, struct.pack("<2i", 2**30, 2**30))),
    "bmp_lowest": (REFUSE, lambda: put(bmp(), 22, struct.pack("<i", -(2**31)))),
    "bmp_7_bits": (REFUSE, lambda: put(bmp(), 28, b"\x07")),
    "bmp_compression": (REFUSE, lambda: put(bmp(), 30, b"\x09")),
    "bmp_run_length_cut": (REFUSE, lambda: rle(b"\x04\x07\x00\x00")),
    "bmp_run_length_jumps": (MAY, lambda: rle(b"\x00\x02\xff\xff" * 500 + b"\x00\x01")),
    "bmp_run_length_noise": (MAY, lambda: rle(random.Random(0).randbytes(3000))),
    "bmp_upside_down": (WHOLE, lambda: put(bmp(), 22, struct.pack("<i", -150))),
    "bmp_without_size": (WHOLE, lambda: put(bmp(), 2, bytes(4))),
    # WebP
    "webp_cut": (REFUSE, lambda: half(webp())),
    "webp_half": (REFUSE, lambda: shortened(webp())),
    "webp_lossless_half": (REFUSE, lambda: shortened(webp(lossless=True))),
    "webp_lossless_zeros": (
        MAY,
        lambda: put(webp(lossless=True), 3000, bytes(300)),
    ),
    "webp_nothing_within": (REFUSE, riff),
    "webp_largest_canvas": (
        REFUSE,
        lambda: riff(canvas(2**24, 2**24), piece(b"VP8 ", first_piece(webp()))),
    ),
    "webp_other_canvas": (
        REFUSE,
        lambda: riff(canvas(2000, 2000), piece(b"VP8 ", first_piece(webp()))),
    ),
    "webp_animation_of_nothing": (REFUSE, lambda: riff(canvas(200, 150, 2))),
    "webp_zeros": (MAY, lambda: put(webp(), 1000, bytes(100))),
    "webp_second_frame_broken": (
        MAY,
        lambda: animated("WEBP", lambda c: put(c, len(c) - 400, bytes(300))),
    ),
    "webp_exif_broken": (WHOLE, lambda: webp(exif=b"Exif\x00\x00II*\x00\xff\xff\xff")),
    # None of these
    "empty": (REFUSE, lambda: b""),
    "one_byte": (REFUSE, lambda: b"\xff"),
    "text": (REFUSE, lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
    "noise": (REFUSE, lambda: random.Random(1).randbytes(5000)),
    "zeros": (REFUSE, lambda: bytes(5000)),
    "tiff": (REFUSE, lambda: encode(photograph(), "TIFF")),
    "heic": (REFUSE, lambda: b"\x00\x00\x00\x18ftypheic" + bytes(100)),
    "archive": (REFUSE, lambda: b"PK\x03\x04" + bytes(100)),
}


@contextlib.contextmanager
def tolerance():
    """Makes Pillow open what it refuses for the size or checksum of a comment."""
    largest, PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_CHUNK, 2**25
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        PngImagePlugin.MAX_TEXT_CHUNK = largest
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def show(content):
    """Returns uint8 `(H, W, 3)`, what a viewer shows: the referee."""
    with tolerance(), Image.open(io.BytesIO(content)) as image:
        upright = image
        with contextlib.suppress(struct.error):  # of broken EXIF data
            upright = ImageOps.exif_transpose(image)
        if not upright.has_transparency_data:
            return np.asarray(upright.convert("RGB"))
        picture = upright.convert("RGBA")
        ground = Image.new("RGBA", picture.size, "white")
        return np.asarray(Image.alpha_composite(ground, picture).convert("RGB"))


def look(path, content):
    """Returns what every way of reading a file makes of it."""
    from experiments.data.files.scanning.scan import scan_files
    from experiments.data.images.decode import decode_image
    from experiments.data.pipeline.damage import naming_damaged_files
    from experiments.data.split import FileSplit
    from experiments.errors import DataError

    faults = {
        verify: scan_files(path.parent, [path.name], verify=verify, threads=1)[0].fault
        for verify in ("off", "header", "full")
    }
    picture = show(content) if faults["full"] is None else np.zeros((8, 8, 3), np.uint8)
    split = FileSplit((str(path),), np.zeros(1, np.int32), ("",))
    try:
        with naming_damaged_files(split):
            image = decode_image(content, image_shape=picture.shape, crop_ratio=1.0)
    except DataError as error:
        return {**faults, "kind": "DataError", "words": str(error)}
    except Exception as error:
        return {**faults, "kind": type(error).__name__, "words": str(error)}
    differs = float(abs(image.numpy().astype(float) - picture).mean())
    return {**faults, "kind": "", "words": "", "differs": differs}


def main():
    folder = Path(sys.argv[1])
    good = encode(photograph(), "PNG")
    (folder / "warm").write_bytes(good)
    look(folder / "warm", good)  # TensorFlow's own beginnings
    for name, (_, make) in RECIPES.items():
        content = make()
        path = folder / name
        path.write_bytes(content)
        print(json.dumps({"name": name, "begins": True}), flush=True)
        before = peak_megabytes()
        start = time.process_time()
        found = {"name": name, **look(path, content)}
        found["seconds"] = time.process_time() - start
        after = peak_megabytes()
        print(json.dumps({**found, "megabytes": after - before}), flush=True)


if __name__ == "__main__":
    main()
