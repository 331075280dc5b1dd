"""What goes along with an exported model: names, samples, clients, a description."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from experiments.counts import count_of
from experiments.export.clients import list_clients, write_clients
from experiments.export.formats import (
    ENCODED,
    INPUT,
    OPSET,
    SERVE_ENCODED,
    choose_threshold,
)
from experiments.export.latency import Latency
from experiments.export.tables import Exported, tabulate
from experiments.files import replace_bytes
from experiments.records import write_record

REPORT = "export.json"
LABELS = "labels.txt"
READ_ME = "README.md"
SAMPLES = "samples"
EXPECTED = "expected.json"
SHOWN = 3  # samples
FileKind = Literal["png", "jpeg"]
FILES: tuple[FileKind, ...] = ("png", "jpeg")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a bundle tells of its model.

    Attributes:
        model: Its name.
        run_id: MLflow's id of its run, if there is one.
        state_sha256: Hash of its weights.
        class_names: One a class.
        image_shape: `(H, W, C)`.
        output: `probabilities` or `logits`.
        any_size: Whether it takes images of any size.
        crop_ratio: Share of a file's shorter side that the central window has.
        background: Behind what is transparent: red, green, blue.
        data: What it was checked on, in words.
        machine: What it was timed on, in words.
        has_several_labels: Whether each class is a question of its own.
    """

    model: str
    run_id: str | None
    state_sha256: str
    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    output: str
    any_size: bool
    crop_ratio: float
    background: tuple[int, int, int]
    data: str
    machine: str
    has_several_labels: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """An image with the answer to it.

    Attributes:
        name: Of the image in its data set.
        pixels: uint8 `(H, W, C)`.
        truth: Its class, if one is known.
        outputs: Of the model, float `(classes,)`.
    """

    name: str
    pixels: npt.NDArray[np.uint8]
    truth: str | None
    outputs: npt.NDArray[np.float64]


def measure_size(path: Path) -> int:
    """Returns the bytes of a file, or of all files below a folder."""
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


def write_beside(
    folder: Path,
    facts: Facts,
    exported: Sequence[Exported],
    samples: Sequence[Sample],
    *,
    keras_latency: Sequence[Latency] = (),
) -> None:
    """Writes everything of a bundle but the models themselves.

    Args:
        folder: Where the models are.
        facts: What there is to tell.
        exported: The models.
        samples: Images with their answers.
        keras_latency: How long the model itself takes, where it was timed.
    """
    replace_bytes(folder / LABELS, ("\n".join(_one_line(facts)) + "\n").encode())
    _write_samples(folder / SAMPLES, facts, samples)
    for one in exported:
        clients = write_clients(
            one.form,
            output=facts.output,
            image_shape=facts.image_shape,
            any_size=facts.any_size,
            has_several=facts.has_several_labels,
        )
        for name, source in clients.items():
            replace_bytes(folder / name, source.encode())
    report: dict[str, Any] = {
        **asdict(facts),
        "files": {one.form.name: _tell(one) for one in exported},
        "keras_latency": [asdict(one) for one in keras_latency],
    }
    write_record(folder / REPORT, report, indent=2)
    text = "\n".join(_describe(facts, exported, keras_latency)) + "\n"
    replace_bytes(folder / READ_ME, text.encode())


def _one_line(facts: Facts) -> Iterator[str]:
    """Yields the name of each class on one line, whatever is in it."""
    for name in facts.class_names:
        yield " ".join(name.split())


def _write_samples(folder: Path, facts: Facts, samples: Sequence[Sample]) -> None:
    folder.mkdir()
    expected = {}
    for number, sample in enumerate(samples, 1):
        file = f"sample_{number}.png"
        replace_bytes(folder / file, encode_image(sample.pixels, "png"))
        expected[file] = {
            "image": sample.name,
            "truth": sample.truth,
            "label": _name_answer(facts, sample.outputs),
            facts.output: [float(value) for value in sample.outputs],
        }
    write_record(folder / EXPECTED, {"samples": expected}, indent=2)


def _name_answer(facts: Facts, outputs: npt.NDArray[np.float64]) -> str:
    """Returns the likeliest class or, where there may be several, those there are."""
    if not facts.has_several_labels:
        return facts.class_names[int(outputs.argmax())]
    threshold = choose_threshold(facts.output)
    named = zip(facts.class_names, outputs, strict=True)
    return "; ".join(name for name, value in named if value > threshold)


def encode_image(pixels: npt.NDArray[np.uint8], kind: Literal["png", "jpeg"]) -> bytes:
    """Returns a file of an image, uint8 `(H, W, C)`."""
    content = io.BytesIO()
    grey = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    Image.fromarray(grey).save(content, format=kind)
    return content.getvalue()


def _tell(one: Exported) -> Mapping[str, Any]:
    return {
        "file": one.form.file,
        "runtime": one.form.runtime,
        "bytes": one.size,
        "parity": asdict(one.parity),
        "latency": [asdict(time) for time in one.latency],
    }


def _describe(
    facts: Facts, exported: Sequence[Exported], keras_latency: Sequence[Latency]
) -> Iterator[str]:
    height, width, channels = facts.image_shape
    classes = count_of(len(facts.class_names), "class", "classes")
    yield f"# {facts.model}"
    yield ""
    run = f", MLflow run `{facts.run_id}`" if facts.run_id else ""
    yield f"A classifier of {classes}{run}; weights `{facts.state_sha256[:16]}`."
    yield ""
    size = "any height and width" if facts.any_size else f"{height} x {width}"
    kind = "grey" if channels == 1 else "red, green, blue"
    yield f"- In: `{INPUT}`, uint8 `(batch, height, width, {channels})`, {size},"
    yield f"  {kind}."
    told = {"probabilities": "which add up to 1", "logits": "before a softmax"}
    if facts.has_several_labels:
        told = {
            "probabilities": "above 0.5 where the class is there",
            "logits": "above 0 where the class is there",
        }
    yield f"- Out: `{facts.output}`, float32 `(batch, classes)`, {told[facts.output]};"
    yield f"  in the order of `{LABELS}`."
    yield "- Mean and deviation are inside: give bytes as they are, 0 to 255."
    yield from _describe_reading(facts)
    yield ""
    heading, rows = tabulate(exported, keras_latency)
    yield f"Checked over {facts.data}, by each run time. A file agrees where its"
    answer = "labels are" if facts.has_several_labels else "likeliest class is"
    yield f"{answer} Keras' own, and differs by that at most in any output."
    yield ""
    yield f"| {' | '.join(heading)} |"
    yield f"|{' --- |' * len(heading)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""
    if keras_latency:
        yield "1 and 32 images: milliseconds a call, median/99th percentile, each file"
        yield f"in turn, on {facts.machine}."
        yield ""
    yield "To ask it, in this folder:"
    yield ""
    yield "```bash"
    for one in exported:
        yield f"python {list_clients(one.form)[0]} {SAMPLES}/*.png"
    yield "```"
    yield ""
    yield f"`{SAMPLES}/{EXPECTED}` has the answers that the model itself gives."
    forms = {one.form.name for one in exported}
    if "saved_model" in forms:
        yield ""
        yield f"`{SERVE_ENCODED}` of the SavedModel takes `{ENCODED}`: JPEG and PNG"
        yield "files of any size, read as told above (ask_encoded.py). EXIF in a PNG is"
        yield "not read; other formats, and CMYK, are refused."
    if "onnx" in forms:
        yield f"The ONNX file is of opset {OPSET}."


def _describe_reading(facts: Facts) -> Iterator[str]:
    height, width, _ = facts.image_shape
    share = "" if facts.crop_ratio == 1 else f"{facts.crop_ratio:.4g} of "
    window = (
        f"the largest central window of {width}:{height} times {share}the shorter side"
        if share
        else f"the largest central window of {width}:{height}"
    )
    who = "The file takes" if facts.any_size else "Take"
    yield "- Files are read upright (EXIF), what is transparent on the colour"
    yield f"  {facts.background}. {who} {window},"
    yield f"  scaled to {height} x {width} with antialiasing."
