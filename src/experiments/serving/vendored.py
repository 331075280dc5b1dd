"""The code that a served model takes along, so that this package is not needed there.

It reads images exactly as a training does, because it is the same code: modules of
this package under another name. The name holds a hash of them, so that two models of
different versions live in one process.
"""

import hashlib
import re
from pathlib import Path

LOADER = "serving.answering"
# All that those of `experiments.serving` import, directly or not.
_MODULES = (
    "data.augmentation",
    "data.images.background",
    "data.images.complaint",
    "data.images.decode",
    "data.images.image_end",
    "data.images.image_header",
    "data.images.image_size",
    "data.images.jpeg_window",
    "data.images.orientation",
    "data.images.pixels",
    "data.images.python_call",
    "data.images.resize",
    "serving.answering",
    "serving.images",
    "serving.names",
    "serving.refused",
)
_OURS = re.compile(r"\bexperiments\.")


def write_code(folder: Path) -> str:
    """Writes the modules into a folder and returns the dotted name of the loader.

    Args:
        folder: To make; it belongs on Python's path.
    """
    root = Path(__file__).parents[1]
    sources = {
        name: (root / f"{name.replace('.', '/')}.py").read_text("utf-8")
        for name in _MODULES
    }
    digest = hashlib.sha256("\0".join(sources.values()).encode()).hexdigest()
    package = f"experiments_served_{digest[:12]}"
    for name, source in sources.items():
        path = folder / package / f"{name.replace('.', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_OURS.sub(f"{package}.", source), "utf-8")
    return f"{package}.{LOADER}"
