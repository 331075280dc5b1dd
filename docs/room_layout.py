"""Where the rooms of the picture stand: rows by layer, in the order of their arrows."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from rooms import Edges, Room

GROUND = "ground floor"

WIDTH = 900  # of the picture, in pixels, as everything below
MARGIN, GAP, BETWEEN = 24, 22, 40
HEAD, LINE, PAD = 26, 16, 10
LETTER, BOLD = 6.4, 8.4  # a letter of the small text and of the names, at most


@dataclass
class Box:
    """Where something stands; without a room it is where an arrow passes a row."""

    width: float
    height: float
    room: Room | None = None
    lines: list[str] = field(default_factory=list)
    x: float = 0
    y: float = 0

    @property
    def middle(self) -> float:
        """Its middle from left to right."""
        return self.x + self.width / 2


def collect_floors(
    layers: Sequence[Sequence[str]],
    rooms: Mapping[str, Room],
    packages: Collection[str],
) -> list[list[Room]]:
    """Returns the layers, the lowest that hold no package as one floor."""
    first = len(layers)
    while first and not packages.intersection(layers[first - 1]):
        first -= 1
    names = sorted(name for layer in layers[first:] for name in layer)
    ground = Room(GROUND, tuple(names))
    return [[rooms[name] for name in layer] for layer in layers[:first]] + [[ground]]


def arrange(floors: Sequence[Sequence[Room]], edges: Edges) -> list[list[str]]:
    """Returns the names of each row, and of each arrow that passes it, left to right.

    Each row is put in the order of the middles of what it is tied to, down and up in
    turn; of all the orders on the way the one with the fewest crossings is kept.
    """
    rows = [[room.name for room in floor] for floor in floors]
    ties = _add_passes(rows, edges)
    best, fewest = [list(row) for row in rows], _count_crossings(rows, ties)
    for turn in range(24):
        step = 1 if turn % 2 == 0 else -1
        for number in range(len(rows))[::step]:
            if 0 <= number - step < len(rows):
                rows[number] = _sort_row(rows[number], rows[number - step], ties)
        if (crossings := _count_crossings(rows, ties)) < fewest:
            best, fewest = [list(row) for row in rows], crossings
    return best


def _add_passes(rows: list[list[str]], edges: Edges) -> list[tuple[str, str]]:
    """Puts a name into each row that an arrow passes; returns the parts of arrows."""
    at = {name: number for number, row in enumerate(rows) for name in row}
    ties: list[tuple[str, str]] = []
    for importer, imported in sorted(edges):
        between = range(at[importer] + 1, at[imported])
        passes = [f"{importer}>{imported}@{number}" for number in between]
        for number, name in zip(between, passes, strict=True):
            rows[number].append(name)
        stops = [importer, *passes, imported]
        ties += pairwise(stops)
    return ties


def _sort_row(
    row: list[str], other: list[str], ties: Sequence[tuple[str, str]]
) -> list[str]:
    """Returns a row in the order of the middles of what it is tied to."""
    places = {name: place for place, name in enumerate(other)}

    def middle(name: str) -> float:
        ends = [end for tie in ties if name in tie for end in tie if end in places]
        own = row.index(name) / max(len(row) - 1, 1) * (len(other) - 1)
        return sum(places[end] for end in ends) / len(ends) if ends else own

    return sorted(row, key=lambda name: (middle(name), row.index(name)))


def _count_crossings(rows: list[list[str]], ties: Sequence[tuple[str, str]]) -> int:
    """Returns how many pairs of arrows cross between two rows."""
    at = {name: (y, x) for y, row in enumerate(rows) for x, name in enumerate(row)}
    parts = [(*at[upper], at[lower][1]) for upper, lower in ties]
    return sum(
        (a[1] - b[1]) * (a[2] - b[2]) < 0
        for place, a in enumerate(parts)
        for b in parts[:place]
        if a[0] == b[0]
    )


def lay_out(rows: Sequence[Sequence[str]], rooms: Mapping[str, Room]) -> dict[str, Box]:
    """Returns where each name stands; each row is in the middle of the picture."""
    boxes: dict[str, Box] = {}
    y = float(MARGIN)
    for row in rows:
        placed = _fit_row(row, rooms)
        height = max(box.height for box in placed.values())
        x = (WIDTH - sum(b.width + GAP for b in placed.values()) + GAP) / 2
        for box in placed.values():
            box.x, box.y, box.height = x, y, height
            x += box.width + GAP
        boxes |= placed
        y += height + BETWEEN
    return boxes


def _fit_row(row: Sequence[str], rooms: Mapping[str, Room]) -> dict[str, Box]:
    """Returns the boxes of a row, narrowed where they would not fit."""
    wanted = {name: _wanted_width(rooms[name]) for name in row if name in rooms}
    spare = WIDTH - 2 * MARGIN - GAP * (len(row) - 1)
    scale = min(1.0, spare / sum(wanted.values()))
    boxes = {}
    for name in row:
        width = wanted.get(name, 0) * scale
        room = rooms.get(name)
        lines = _fold(room.inside, width - 2 * PAD) if room else []
        height = HEAD + LINE * len(lines) + PAD if room else 0
        boxes[name] = Box(width, height, room, lines)
    return boxes


def _wanted_width(room: Room) -> float:
    """Returns how wide a room would like to be: for three rooms inside a line."""
    inside = LETTER * (sum(map(len, room.inside)) + 3 * len(room.inside))
    rows = max(1, math.ceil(len(room.inside) / 3))
    return max(BOLD * len(room.name) + 64, 100, inside / rows + 4 * PAD)


def _fold(names: Sequence[str], width: float) -> list[str]:
    """Returns the rooms inside as lines that fit into a width."""
    lines: list[str] = []
    for name in names:
        if lines and LETTER * len(f"{lines[-1]} · {name}") <= width:
            lines[-1] = f"{lines[-1]} · {name}"
        else:
            lines.append(name)
    return lines
