"""What the page of a run says of an export."""

from pathlib import Path

from experiments.export.bundle import Facts
from experiments.export.description import describe_export
from experiments.export.formats import FORMATS
from experiments.export.latency import Latency
from experiments.export.parity import Parity
from experiments.export.tables import Exported

FACTS = Facts(
    model="net on pets",
    run_id=None,
    state_sha256="0123456789abcdef0123",
    class_names=("cat", "dog"),
    image_shape=(8, 8, 3),
    output="logits",
    any_size=True,
    crop_ratio=1.0,
    background=(255, 255, 255),
    data="pets, test: 9 images",
    machine="a machine",
)
PARITY = Parity(
    images=9,
    agreement=1.0,
    accuracy=0.5,
    model_accuracy=0.75,
    largest_difference=1e-6,
)


def test_each_row_has_a_cell_a_heading_whether_or_not_it_was_timed():
    timed = [Latency(batch=1, calls=1, p50=1.0, p99=2.0)]
    exported = [
        Exported(form=FORMATS["onnx"], size=1000, parity=PARITY, latency=timed),
        Exported(form=FORMATS["litert"], size=1000, parity=PARITY),
    ]
    text = describe_export(FACTS, exported, Path("/a/bundle"))
    first, meaning, table = text.split("\n\n")
    assert "any size" in first
    assert "0123456789abcdef." in first
    assert first.endswith("The bundle is in /a/bundle.")
    assert "milliseconds" not in meaning
    assert {line.count("|") for line in table.splitlines()} == {6}
    assert "75.00 %" in table


def test_times_of_one_and_of_many_images_stand_beside_the_model_s_own():
    timed = [Latency(batch=n, calls=9, p50=n / 4, p99=n / 2) for n in (1, 32)]
    exported = [Exported(form=FORMATS["onnx"], size=9, parity=PARITY, latency=timed)]
    text = describe_export(FACTS, exported, Path("/a/bundle"), timed)
    _, meaning, table = text.split("\n\n")
    assert "milliseconds a call, median/99th percentile, on a machine." in meaning
    assert {line.count("|") for line in table.splitlines()} == {8}
    head, _, keras, onnx = table.replace("&emsp;", "").splitlines()
    assert "1 image | 32 images" in head
    for row in (keras, onnx):
        assert "0.25/0.5 | 8/16" in row
