"""Tells from a file's first and last bytes whether it is a whole image.

Nothing is decoded: this costs two short reads. Damage in the middle stays unseen.
"""

from experiments.data.images.image_end import gif_ends, jpeg_ends, png_ends

_JPEG, _PNG, _GIF, _BMP, _WEBP = "JPEG", "PNG", "GIF", "BMP", "WebP"
_UNSUPPORTED = {
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"8BPS": "a Photoshop file",
    b"%PDF": "PDF",
    b"\x76\x2f\x31\x01": "OpenEXR",
}


def find_fault(head: bytes, tail: bytes, size: int) -> str | None:
    """Returns why the file is no usable image, half a sentence; `None` if it is one.

    Given the whole file it is exact. Given the ends alone, an image seems to be cut
    off that has more than the length of `tail` behind its end.

    Args:
        head: The whole file, or at least its first 32 bytes.
        tail: The last bytes, 4 KiB or all there are: some writers append data.
        size: Size of the file in bytes.
    """
    if size == 0:
        return "is empty"
    kind = detect_format(head)
    if kind is None:
        return _describe_unknown(head)
    if _is_cut_off(kind, head, tail, size):
        return f"is a {kind} that is cut off"
    return None


def detect_format(head: bytes) -> str | None:
    """Returns the format of a supported image by its content; `None` for others."""
    if head.startswith(b"\xff\xd8\xff"):
        return _JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return _PNG
    if head.startswith((b"GIF87a", b"GIF89a")):
        return _GIF
    if head.startswith(b"BM") and len(head) >= 30:
        return _BMP
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return _WEBP
    return None


def _is_cut_off(kind: str, head: bytes, tail: bytes, size: int) -> bool:
    whole = len(head) == size
    if kind == _JPEG:
        return not (jpeg_ends(head) if whole else b"\xff\xd9" in tail)
    if kind == _PNG:
        return not (png_ends(head) if whole else b"IEND" in tail)
    if kind == _GIF:
        # The mark is one byte, which the data may hold as well.
        return not (gif_ends(head) if whole else tail.endswith(b"\x3b"))
    if kind == _BMP:
        # Some writers leave the size out.
        return 0 < int.from_bytes(head[2:6], "little") > size
    return int.from_bytes(head[4:8], "little") + 8 > size


def _describe_unknown(head: bytes) -> str:
    names = [name for magic, name in _UNSUPPORTED.items() if head.startswith(magic)]
    if head[4:8] == b"ftyp":
        names.append("HEIC or AVIF")
    if names:
        return f"is {names[0]}, which is not read; make it a JPEG or PNG"
    return "is no image"
