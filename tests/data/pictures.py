"""Real image files in every form that a folder may hold."""

import functools
import io

import numpy as np
import sklearn.datasets
from PIL import Image, ImageOps


@functools.cache
def flower():
    return Image.fromarray(sklearn.datasets.load_sample_image("flower.jpg"))


@functools.cache
def shrink_flower(width, height):
    return flower().resize((width, height), Image.Resampling.BILINEAR)


def photograph(width=60, height=40):
    return shrink_flower(width, height).copy()


def encode(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def sixteen_bit(image):
    grey = np.asarray(image.convert("L")).astype(np.uint16) * 257
    return Image.fromarray(grey)


def all_forms():
    """Returns form -> bytes of the same photograph, some of them without colour."""
    image = photograph()
    grey = image.convert("L")
    inverse = ImageOps.invert(image)
    translucent = image.convert("RGBA")
    translucent.putpixel((0, 0), (0, 0, 0, 128))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by 90 degrees
    lying = image.transpose(Image.Transpose.ROTATE_90)
    return {
        "jpeg": encode(image, "JPEG", quality=95),
        "progressive": encode(image, "JPEG", quality=95, progressive=True),
        "rotated_by_exif": encode(lying, "JPEG", quality=95, exif=exif),
        "grey_jpeg": encode(grey, "JPEG", quality=95),
        "cmyk_jpeg": encode(image.convert("CMYK"), "JPEG", quality=95),
        "png": encode(image, "PNG"),
        "rgba_png": encode(image.convert("RGBA"), "PNG"),
        "grey_png": encode(grey, "PNG"),
        "grey_alpha_png": encode(grey.convert("LA"), "PNG"),
        "16_bit_png": encode(sixteen_bit(image), "PNG"),
        "palette_png": encode(image.quantize(256), "PNG"),
        "bmp": encode(image, "BMP"),
        "palette_bmp": encode(image.quantize(256), "BMP"),
        "gif": encode(image.quantize(256), "GIF"),
        "webp": encode(image, "WEBP", quality=95),
        "rgba_webp": encode(translucent, "WEBP", lossless=True),
        "animated_webp": encode(image, "WEBP", save_all=True, append_images=[inverse]),
        "animated_gif": encode(image, "GIF", save_all=True, append_images=[inverse]),
        "animated_png": encode(image, "PNG", save_all=True, append_images=[inverse]),
    }
