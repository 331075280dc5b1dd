"""Programs of ten lines that ask an exported file, one for each run time.

They need the run time, NumPy and Pillow, and nothing of this project.
"""

from experiments.export.formats import Format, choose_threshold

_START = '''\
"""Says what photographs show: python {name} samples/*.png"""
import sys
import numpy as np
{imports}
from PIL import Image, ImageOps as ops

labels = open("labels.txt", encoding="utf-8").read().splitlines()
{load}
for file in sys.argv[1:]:
    photo = {photo}
    scores = {ask}
{tell}'''
_ENCODED = '''\
"""Says what JPEG and PNG files show, which the model reads: python {name} photo.jpg"""
import sys
from pathlib import Path
import tensorflow as tf

labels = open("labels.txt", encoding="utf-8").read().splitlines()
model = tf.saved_model.load("{file}")
for file in sys.argv[1:]:
    content = tf.constant([Path(file).read_bytes()])
    scores = model.serve_encoded(content)["{output}"].numpy()[0]
{tell}'''
_ONE = '    print(file, labels[scores.argmax()], f"{scores.max():.6f}")\n'
_SEVERAL = (
    '    print(file, ", ".join(f"{{name}} {{p:.6f}}" for name, p in '
    'zip(labels, scores) if p > {threshold}) or "none")\n'
)
_PHOTO = 'ops.exif_transpose(Image.open(file)).convert("{mode}")'
_RESIZED = "ops.fit({photo}, ({width}, {height}), Image.BILINEAR)"
_PIXELS = "np.asarray(photo)[{axes}]"

_SAVED_MODEL = (
    "import tensorflow as tf",
    'model = tf.saved_model.load("{file}")',
    'model.serve(tf.constant({pixels}))["{output}"].numpy()[0]',
)
_ONNX = (
    "import onnxruntime",
    'model = onnxruntime.InferenceSession("{file}")',
    'model.run(["{output}"], {{"image": {pixels}}})[0][0]',
)
_LITERT = (
    "from ai_edge_litert.interpreter import Interpreter",
    'model = Interpreter("{file}").get_signature_runner()',
    'model(image={pixels})["{output}"][0]',
)
_PARTS = {"tf_saved_model": _SAVED_MODEL, "onnx": _ONNX, "litert": _LITERT}


def list_clients(form: Format) -> list[str]:
    """Returns the file names of a form's clients."""
    both = form.keras == "tf_saved_model"
    return [f"ask_{form.name}.py", *(["ask_encoded.py"] if both else [])]


def write_clients(
    form: Format,
    *,
    output: str,
    image_shape: tuple[int, int, int],
    any_size: bool,
    has_several: bool = False,
) -> dict[str, str]:
    """Returns the sources of clients, to be run in the folder of the bundle.

    Args:
        form: What they ask.
        output: Name of the result.
        image_shape: `(H, W, C)` of the model's images.
        any_size: Whether the file scales images itself.
        has_several: Whether an image may have several labels.

    Returns:
        File name -> source; of a SavedModel also one that leaves reading to it.
    """
    threshold = choose_threshold(output)
    tell = _SEVERAL.format(threshold=f"{threshold:g}") if has_several else _ONE
    height, width, channels = image_shape
    imports, load, ask = _PARTS[form.keras]
    name, *others = list_clients(form)
    photo = _PHOTO.format(mode="L" if channels == 1 else "RGB")
    if not any_size:
        photo = _RESIZED.format(photo=photo, width=width, height=height)
    pixels = _PIXELS.format(axes="None, ..., None" if channels == 1 else "None")
    source = _START.format(
        name=name,
        imports=imports,
        load=load.format(file=form.file),
        photo=photo,
        ask=ask.format(output=output, pixels=pixels),
        tell=tell,
    )
    told = {"file": form.file, "output": output, "tell": tell}
    return {
        name: source,
        **{other: _ENCODED.format(name=other, **told) for other in others},
    }
