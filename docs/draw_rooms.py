"""Draws `docs/images/rooms.svg`, the rooms and who imports whom: `make map`.

Layers come from the contract in `pyproject.toml`, everything else from the imports
themselves, so that the picture says what the code does. Left out is what follows from
the rest: an arrow to a room that is reached over another one, and those to the ground
floor, which everybody may use.
"""

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from room_layout import HEAD, LINE, MARGIN, WIDTH, Box, arrange, collect_floors, lay_out
from rooms import (
    ROOT,
    Edges,
    is_package,
    read_edges,
    read_graph,
    read_layers,
    read_rooms,
    reduce_edges,
)

PICTURE = ROOT / "docs" / "images" / "rooms.svg"
FILLS = ("#dbeafe", "#e0e7ff", "#ede9fe", "#fae8ff", "#ffe4e6", "#ffedd5", "#fef9c3")
LINES = ("#3b82f6", "#6366f1", "#8b5cf6", "#d946ef", "#f43f5e", "#f97316", "#ca8a04")
FONT = 'font-family="Helvetica, Arial, sans-serif"'


def draw(rows: Sequence[Sequence[str]], boxes: Mapping[str, Box], edges: Edges) -> str:
    """Returns the picture as SVG."""
    height = max(box.y + box.height for box in boxes.values()) + MARGIN
    colours = {name: y % len(FILLS) for y, row in enumerate(rows) for name in row}
    ways = {pair: _find_way(pair, boxes) for pair in edges}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
        f'height="{height:.0f}" viewBox="0 0 {WIDTH} {height:.0f}" {FONT}>',
        f'<rect width="{WIDTH}" height="{height:.0f}" fill="white"/>',
        *(
            _draw_arrow(pair, _find_points(pair, ways), LINES[colours[pair[0]]])
            for pair in sorted(edges)
        ),
        *(_draw_box(box, colours[name]) for name, box in boxes.items() if box.room),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _draw_box(box: Box, colour: int) -> str:
    """Returns a room: its name, and the rooms inside."""
    name = box.room.name if box.room else ""
    title = box.y + 18 if box.lines else box.y + box.height / 2 + 5
    parts = [
        f"<g><title>{escape(name)}</title>",
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" '
        f'height="{box.height:.1f}" rx="7" fill="{FILLS[colour]}" '
        f'stroke="{LINES[colour]}" stroke-width="1.2"/>',
        f'<text x="{box.middle:.1f}" y="{title:.1f}" text-anchor="middle" '
        f'font-size="14" font-weight="bold" fill="#111827">{escape(name)}</text>',
    ]
    for number, line in enumerate(box.lines):
        y = box.y + HEAD + LINE * (number + 0.75)
        parts.append(
            f'<text x="{box.middle:.1f}" y="{y:.1f}" text-anchor="middle" '
            f'font-size="11.5" fill="#374151">{escape(line)}</text>'
        )
    return "\n".join([*parts, "</g>"])


def _find_way(pair: tuple[str, str], boxes: Mapping[str, Box]) -> list[Box]:
    """Returns what an arrow touches: where it begins, each row it passes, its end."""
    head = f"{pair[0]}>{pair[1]}@"
    passes = [box for name, box in boxes.items() if name.startswith(head)]
    return [boxes[pair[0]], *passes, boxes[pair[1]]]


def _find_points(
    pair: tuple[str, str], ways: Mapping[tuple[str, str], list[Box]]
) -> list[tuple[float, float]]:
    """Returns the points of an arrow: pairs of begin and end between two rows each."""
    first, *passes, last = ways[pair]
    leaving = [(ways[other][1].middle, other) for other in ways if other[0] == pair[0]]
    coming = [(ways[other][-2].middle, other) for other in ways if other[1] == pair[1]]
    points = [(_find_port(first, pair, leaving), first.y + first.height)]
    for box in passes:
        points += [(box.x, box.y), (box.x, box.y + box.height)]
    return [*points, (_find_port(last, pair, coming), last.y)]


def _find_port(
    box: Box, pair: tuple[str, str], arrows: list[tuple[float, tuple[str, str]]]
) -> float:
    """Returns where on a side an arrow touches it, so that those there don't cross."""
    order = [other for _, other in sorted(arrows)]
    return box.x + box.width * (order.index(pair) + 1) / (len(order) + 1)


def _draw_arrow(
    pair: tuple[str, str], points: list[tuple[float, float]], colour: str
) -> str:
    """Returns an arrow."""
    end_x, end_y = points[-1]
    points = [*points[:-1], (end_x, end_y - 7)]
    path = []
    for (x, y), (to_x, to_y) in zip(points[::2], points[1::2], strict=True):
        bend = (y + to_y) / 2
        start = "M" if not path else "L"
        path.append(f"{start} {x:.1f} {y:.1f}")
        path.append(f"C {x:.1f} {bend:.1f} {to_x:.1f} {bend:.1f} {to_x:.1f} {to_y:.1f}")
    return (
        f"<g><title>{escape(pair[0])} imports {escape(pair[1])}</title>"
        f'<path d="{" ".join(path)}" fill="none" stroke="{colour}" '
        f'stroke-width="1.6" stroke-opacity="0.7"/>'
        f'<path d="M {end_x:.1f} {end_y:.1f} l -4.5 -8 h 9 z" fill="{colour}"/></g>'
    )


def draw_picture() -> str:
    """Returns the picture of the package as it is."""
    graph = read_graph()
    rooms = read_rooms(graph)
    packages = {name for name in rooms if is_package(graph, name)}
    floors = collect_floors(read_layers(), rooms, packages)
    drawn = {room.name: room for floor in floors for room in floor}
    edges = reduce_edges({e for e in read_edges(graph) if drawn.keys() >= {*e}})
    rows = arrange(floors, edges)
    return draw(rows, lay_out(rows, drawn), edges)


if __name__ == "__main__":
    PICTURE.write_text(draw_picture(), "utf-8")
