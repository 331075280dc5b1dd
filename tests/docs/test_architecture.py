"""The map in `docs/architecture.md` is that of the house as it stands."""

import re
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text()
SOURCE = ROOT / "src" / "experiments"
WAYS = ("an image", "a metric", "a trial", "a checkpoint")
WAY = re.compile(r"^## The way of (.*?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module", autouse=True)
def _scripts() -> Iterator[None]:
    """Lets the scripts of `docs/` be imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "docs"))
        yield
    for name in ("rooms", "room_layout", "draw_rooms"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def graph() -> Any:
    return import_module("rooms").read_graph()


def list_rooms() -> set[str]:
    """Returns what the file system has directly below the package."""
    found = (path.stem for path in SOURCE.iterdir() if path.suffix in ("", ".py"))
    return {name for name in found if not name.startswith("_")}


def list_inside(room: str) -> set[str]:
    return {path.parent.name for path in (SOURCE / room).glob("*/__init__.py")}


def read_paragraphs() -> dict[str, str]:
    """Returns the paragraph of each room, by its name."""
    return dict(re.findall(r"^\*\*`(\w+)`\*\* (.*?)(?=\n\n)", PAGE, re.M | re.S))


def test_each_room_has_a_paragraph_and_each_paragraph_its_room() -> None:
    assert read_paragraphs().keys() == list_rooms()


def test_paragraph_names_each_room_inside() -> None:
    for room, text in read_paragraphs().items():
        assert list_inside(room) <= set(re.findall(r"`(\w+)`", text)), room


def test_paragraphs_stand_in_the_order_of_the_contract() -> None:
    layers = import_module("rooms").read_layers()
    levels = {name: level for level, layer in enumerate(layers) for name in layer}
    order = [levels[name] for name in read_paragraphs()]
    assert order == sorted(order)


def test_contract_of_the_layers_names_every_room() -> None:
    layers = import_module("rooms").read_layers()
    assert {name for layer in layers for name in layer} == list_rooms()


def test_each_module_and_room_that_is_named_exists() -> None:
    named = re.findall(r"`([\w/]+\.py|[\w/]+/)`", PAGE)
    assert len(named) > 40
    for path in named:
        assert (SOURCE / path).exists() or (ROOT / path).exists(), path


@pytest.mark.parametrize("what", WAYS)
def test_way_is_told_in_steps_that_each_name_a_module(what: str) -> None:
    steps = re.split(r"^\d+\. ", dict(WAY.findall(PAGE))[what], flags=re.MULTILINE)[1:]
    assert len(steps) >= 5
    for step in steps:
        assert re.search(r"`[\w/]+(\.py|/)`", step) or "result.json" in step, step


def test_picture_is_what_the_imports_give() -> None:
    script = import_module("draw_rooms")
    assert script.PICTURE.read_text("utf-8") == script.draw_picture(), "make map"
    assert script.PICTURE.relative_to(ROOT / "docs").as_posix() in PAGE


def test_picture_shows_each_arrow_that_does_not_follow_from_others(graph: Any) -> None:
    rooms = import_module("rooms")
    edges = rooms.read_edges(graph)
    shown = rooms.reduce_edges(edges)
    assert shown < edges
    for edge in edges:  # each import is an arrow or a way along arrows
        assert edge[1] in _reach(shown, edge[0]), edge
    for edge in shown:  # and no arrow can be left out
        assert edge[1] not in _reach(shown - {edge}, edge[0]), edge


def test_number_of_crossings_is_that_of_the_definition() -> None:
    layout = import_module("room_layout")
    rows = [["a", "b", "c"], ["d", "e"]]
    parallel, crossing = [("a", "d"), ("b", "e")], [("a", "e"), ("b", "d"), ("c", "d")]
    assert layout._count_crossings(rows, parallel) == 0
    assert layout._count_crossings(rows, crossing) == 2


def test_rooms_of_the_picture_do_not_overlap(graph: Any) -> None:
    script = import_module("draw_rooms")
    number = r'([\d.]+)"'
    boxes = [
        tuple(float(value) for value in found)
        for found in re.findall(
            f'<rect x="{number} y="{number} width="{number} height="{number}',
            script.draw_picture(),
        )
    ]
    assert len(boxes) > 15
    for place, (x, y, width, height) in enumerate(boxes):
        assert x >= 0
        assert x + width <= script.WIDTH
        for other in boxes[:place]:
            beside = x >= other[0] + other[2] or other[0] >= x + width
            below = y >= other[1] + other[3] or other[1] >= y + height
            assert beside or below


def _reach(edges: set[tuple[str, str]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        room = waiting.pop()
        new = {end for begin, end in edges if begin == room} - found
        found |= new
        waiting += new
    return found
