"""The page of an inspection, which holds all that it shows."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Any

import numpy as np

from experiments.counts import count_of, format_size
from experiments.inspection.inspection import Inspection
from experiments.inspection.stages import Stage, gather_stages
from experiments.models.cost import LayerCost
from experiments.pages import build_page, gallery, paragraph, picture, section, table
from experiments.pictures.class_balance import draw_class_balance
from experiments.pictures.image_sizes import draw_image_sizes
from experiments.pictures.mixed_labels import name_label
from experiments.pictures.picture import as_png
from experiments.pictures.schedule import draw_schedule
from experiments.pictures.thumbnail import draw_thumbnail, is_tiny

_STYLE = """
table.facts td { text-align: left; white-space: normal; }
table.facts td:first-child { white-space: nowrap; font-weight: 600; }
ul.doubts li { margin: .3rem 0; }
pre { background: #f5f5f5; padding: .8rem; font-size: 13px; white-space: pre-wrap;
      overflow-wrap: anywhere; }
summary { cursor: pointer; margin: .6rem 0; }
"""


def build_inspection_page(found: Inspection) -> str:
    """Returns the page; it grows with the images shown and with the layers."""
    return build_page(found.title, _list_sections(found), style=_STYLE)


def _list_sections(found: Inspection) -> Iterator[str]:
    yield _show_facts(found)
    yield section("Doubts", _list_doubts(found.doubts))
    yield section("The first batch", *_show_batch(found))
    yield section("Learning rate", *_show_rates(found))
    yield section("Classes", *_show_classes(found))
    if found.sizes is not None:
        needed = min(found.sizes.delivered) / found.sizes.crop_ratio
        drawn = draw_image_sizes(found.sizes.sizes, needed=needed)
        text = paragraph(f"{_capital(found.sizes.describe())}.")
        yield section("Image files", text, picture(as_png(drawn), "Sizes of the files"))
    yield section("Network", *_show_network(found.layers))
    yield section("Config", _fold("All keys", f"<pre>{escape(found.config)}</pre>"))


def _show_facts(found: Inspection) -> str:
    rows = [
        f"<tr><td>{escape(name)}</td><td>{escape(text)}</td></tr>"
        for name, text in found.rows.items()
    ]
    return "\n".join(
        [
            '<div class="table">\n<table class="facts">',
            *rows,
            "</table>\n</div>",
            paragraph("Nothing was trained or recorded. This trains it:"),
            f"<pre>{escape(found.command)}</pre>",
        ]
    )


def _list_doubts(doubts: Sequence[str]) -> str:
    if not doubts:
        return paragraph("None.")
    items = "".join(f"<li>{escape(doubt)}</li>" for doubt in doubts)
    return f'<ul class="doubts">{items}</ul>'


def _show_batch(found: Inspection) -> Iterator[str]:
    batch, shown = found.batch, min(found.shown, len(found.batch.images))
    of = "" if shown == len(batch.images) else f" of {len(batch.images):,}"
    yield paragraph(
        f"{count_of(shown, 'image')}{of} of the first step, decoded and augmented: the "
        "training would begin with them."
    )
    yield _show_images(batch.images[:shown], _name_labels(found, batch.labels[:shown]))
    if batch.plain is not None:
        labels = batch.labels if batch.plain_labels is None else batch.plain_labels
        images = _show_images(batch.plain[:shown], _name_labels(found, labels[:shown]))
        yield _fold("The same images without augmentation", images)
    yield paragraph(
        "Inside the model the mean is taken from the images, in units of 0 to 1, and "
        "they are divided by the standard deviation. The batch is then:"
    )
    yield table(
        ("channel", "mean", "std", "batch: mean", "std", "min", "max"),
        _list_channels(found),
    )


def _name_labels(found: Inspection, labels: Iterable[Any]) -> list[str]:
    return [name_label(label, found.dataset.class_names) for label in labels]


def _show_images(
    images: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]", names: Sequence[str]
) -> str:
    files = (draw_thumbnail(image) for image in images)
    return gallery(zip(files, names, strict=True), small=is_tiny(images))


def _list_channels(found: Inspection) -> Iterator[tuple[str, ...]]:
    images, values = found.images, found.batch.normalised.astype(np.float64)
    names = ("red", "green", "blue") if values.shape[-1] == 3 else ("grey",)
    for channel in range(len(names)):
        part = values[..., channel]
        numbers = (
            *(images.mean[channel], images.std[channel]),
            *(part.mean(), part.std(), part.min(), part.max()),
        )
        yield names[channel], *(f"{number:.3f}" for number in numbers)


def _show_rates(found: Inspection) -> Iterator[str]:
    rates = found.rates
    drawn = draw_schedule(
        rates.steps, rates.epochs, steps_per_epoch=rates.steps_per_epoch
    )
    yield paragraph(f"{_capital(rates.describe())}.")
    yield picture(as_png(drawn), "Learning rate over the epochs")
    rows = [(f"{number}", f"{rate:.6g}") for number, rate in rates.epochs.items()]
    listed = table(("epoch", "lr, the rate of its last step"), rows)
    yield _fold(f"{count_of(len(rows), 'epoch')} as numbers", listed)


def _show_classes(found: Inspection) -> Iterator[str]:
    balance = found.balance
    yield paragraph(f"{_capital(balance.describe())}.")
    drawn = draw_class_balance(balance.counts, balance.class_names)
    yield picture(as_png(drawn), "Images of each class")
    columns = list(balance.counts.values())
    rows = [
        (name, *(f"{counts[label]:,}" for counts in columns))
        for label, name in enumerate(balance.class_names)
    ]
    listed = table(("class", *balance.counts), rows)
    yield _fold(f"{count_of(len(rows), 'class', 'classes')} as numbers", listed)


def _show_network(layers: Sequence[LayerCost]) -> Iterator[str]:
    stages = gather_stages(layers)
    yield paragraph("The layers by the size of their maps, costs of one image:")
    head = ("stage", "layers", "channels", "parameters", "MFLOP", "activations")
    yield table(head, [_describe_stage(stage) for stage in stages])
    for stage in stages:
        rows = [_describe_layer(layer) for layer in stage.layers]
        kinds = ("layer", "kind", "output", "parameters", "MFLOP", "activations")
        name = f"{stage.name}: {count_of(len(rows), 'layer')}"
        yield _fold(name, table(kinds, rows))


def _describe_stage(stage: Stage) -> tuple[str, ...]:
    return (
        stage.name,
        str(len(stage.layers)),
        f"{stage.channels:,}",
        f"{stage.parameters:,}",
        f"{stage.flops / 1e6:,.1f}",
        format_size(stage.activation_bytes),
    )


def _describe_layer(layer: LayerCost) -> tuple[str, ...]:
    shape = "?" if layer.shape is None else " x ".join(map(str, layer.shape))
    memory = layer.activation_bytes
    return (
        layer.name,
        layer.kind,
        shape,
        f"{layer.parameters:,}",
        "?" if layer.flops is None else f"{layer.flops / 1e6:,.2f}",
        "?" if memory is None else format_size(memory),
    )


def _fold(heading: str, content: str) -> str:
    return f"<details>\n<summary>{escape(heading)}</summary>\n{content}\n</details>"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
