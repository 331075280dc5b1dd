"""Programs of ten lines that ask an exported file, one for each run time.

They need the run time, NumPy and Pillow, and nothing of this project.
"""

from experiments.export.formats import Format

_START = '''\
"""Says what photographs show: python {name} samples/*.png"""
import sys
import numpy as np
{imports}
from PIL import Image, ImageOps

labels = open("labels.txt", encoding="utf-8").read().splitlines()
{load}
for file in sys.argv[1:]:
    photo = ImageOps.exif_transpose(Image.open(file)).convert("{mode}")
{resize}    shape = (1, photo.height, photo.width, {channels})
    pixels = np.asarray(photo, np.uint8).reshape(shape)
    scores = {ask}
    print(file, labels[scores.argmax()], f"{{scores.max():.6f}}")
'''
_RESIZE = (
    "    photo = ImageOps.fit(photo, ({width}, {height}), Image.Resampling.BILINEAR)\n"
)

_SAVED_MODEL = (
    "import tensorflow as tf",
    'model = tf.saved_model.load("{file}")',
    'model.serve(tf.constant(pixels))["{output}"].numpy()[0]',
)
_ONNX = (
    "import onnxruntime",
    'model = onnxruntime.InferenceSession("{file}")',
    'model.run(["{output}"], {{"image": pixels}})[0][0]',
)
_LITERT = (
    "from ai_edge_litert.interpreter import Interpreter",
    'model = Interpreter("{file}").get_signature_runner()',
    'model(image=pixels)["{output}"][0]',
)
_PARTS = {"tf_saved_model": _SAVED_MODEL, "onnx": _ONNX, "litert": _LITERT}


def name_client(form: Format) -> str:
    """Returns the file name of a form's client."""
    return f"ask_{form.name}.py"


def write_client(
    form: Format,
    *,
    output: str,
    image_shape: tuple[int, int, int],
    any_size: bool,
) -> str:
    """Returns the source of a client, to be run in the folder of the bundle.

    Args:
        form: What it asks.
        output: Name of the result.
        image_shape: `(H, W, C)` of the model's images.
        any_size: Whether the file scales images itself.
    """
    height, width, channels = image_shape
    imports, load, ask = _PARTS[form.keras]
    return _START.format(
        name=name_client(form),
        imports=imports,
        load=load.format(file=form.file),
        ask=ask.format(output=output),
        channels=channels,
        mode="L" if channels == 1 else "RGB",
        resize="" if any_size else _RESIZE.format(width=width, height=height),
    )
