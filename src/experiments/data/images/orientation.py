"""How a photograph must be turned to stand as its camera was held: EXIF orientation.

Reference:
    CIPA DC-008 (Exif 2.32), sections 4.5.4 (where a JPEG holds it) and 4.6.4.A (the
    tag Orientation).
"""

import struct

UPRIGHT = 1
_TAG = 0x0112
_SIGNATURE = b"Exif\x00\x00"
_APP1, _START_OF_SCAN, _END = 0xE1, 0xDA, 0xD9
# Markers that no length follows.
_BARE = {0x01, *range(0xD0, 0xD9)}
# Integers of two and of four bytes; the standard wants the former.
_NUMBERS = {3: "H", 4: "I"}


def read_jpeg_orientation(head: bytes) -> int:
    """Returns 1 to 8, the orientation that a JPEG's EXIF segment states.

    Without one, or when it is damaged, the image is taken as it is: 1.

    Args:
        head: The file's first bytes; 64 KiB hold the segment where the standard
            wants it.
    """
    position = 2
    while position + 4 <= len(head) and head[position] == 0xFF:
        marker = head[position + 1]
        if marker == 0xFF:  # a fill byte
            position += 1
        elif marker in _BARE:
            position += 2
        elif marker in (_START_OF_SCAN, _END):
            break
        else:
            length = int.from_bytes(head[position + 2 : position + 4], "big")
            segment = head[position + 4 : position + 2 + length]
            if marker == _APP1 and segment.startswith(_SIGNATURE):
                return parse_orientation(segment)
            position += 2 + length
    return UPRIGHT


def parse_orientation(exif: bytes) -> int:
    """Returns 1 to 8, the orientation in EXIF data; 1 when they state none.

    Args:
        exif: A TIFF header and its directories, with or without `Exif` before them.
    """
    data = exif.removeprefix(_SIGNATURE)
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(data[:4])
    if order is None:
        return UPRIGHT
    try:
        (start,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, _ = struct.unpack_from(f"{order}HHI", data, entry)
            if tag == _TAG and kind in _NUMBERS:
                number = struct.unpack_from(order + _NUMBERS[kind], data, entry + 8)[0]
                return number if number in range(1, 9) else UPRIGHT
    except struct.error:  # the directory lies outside of the data
        return UPRIGHT
    return UPRIGHT
