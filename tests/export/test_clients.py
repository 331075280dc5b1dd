"""The programs beside an exported file say what the file does, in ten lines."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from experiments.export.clients import write_clients
from experiments.export.formats import FORMATS
from experiments.export.write import write_format
from tests.export.test_network import IMAGES, SHAPE, build, export

NAMES = ("circle", "line", "no word")


@pytest.mark.parametrize("form", ["onnx", "litert"])
@pytest.mark.parametrize("any_size", [False, True])
@pytest.mark.parametrize("has_several", [False, True])
def test_a_client_prints_the_answer_of_its_file(tmp_path, form, any_size, has_several):
    kind = "several_labels" if has_several else "logits"
    network = export(build(), kind=kind)
    write_format(network, FORMATS[form], tmp_path / FORMATS[form].file)
    (tmp_path / "labels.txt").write_text("\n".join(NAMES) + "\n")
    clients = write_clients(
        FORMATS[form],
        output="probabilities",
        image_shape=SHAPE,
        any_size=any_size,
        has_several=has_several,
    )
    ((file, source),) = clients.items()
    assert len([line for line in source.splitlines()[1:] if line]) <= 10
    (tmp_path / file).write_text(source)
    Image.fromarray(IMAGES[0]).save(tmp_path / "photo.png")

    command = [sys.executable, file, "photo.png"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=True
    )

    (scores,) = np.asarray(network(IMAGES[:1])["probabilities"])
    if has_several:
        said = [
            f"{name} {score:.6f}"
            for name, score in zip(NAMES, scores, strict=True)
            if score > 0.5
        ]
        expected = ", ".join(said) or "none"
    else:
        expected = f"{NAMES[scores.argmax()]} {scores.max():.6f}"
    assert check_close(done.stdout.strip(), f"photo.png {expected}")


def check_close(said: str, expected: str) -> bool:
    """Whether both are the same words, and the same numbers to 1e-5."""
    for one, other in zip(said.split(), expected.split(), strict=True):
        try:
            same = abs(float(one.strip(",")) - float(other.strip(","))) < 1e-5
        except ValueError:
            same = one == other
        if not same:
            return False
    return True
