"""The rooms of `src/experiments`, their layers, and who imports whom."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grimp

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "experiments"

Edges = set[tuple[str, str]]


@dataclass(frozen=True)
class Room:
    """What lies directly below the package, or a floor of single modules.

    Attributes:
        name: Its package or module below `experiments`.
        inside: The rooms inside, or the modules of the floor.
    """

    name: str
    inside: tuple[str, ...] = ()


def read_graph() -> Any:
    """Returns grimp's graph of every import between the package's modules."""
    return grimp.build_graph(PACKAGE)


def read_layers() -> list[list[str]]:
    """Returns the names of each layer of the contract, from top to bottom."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (contract,) = (
        contract
        for contract in contracts
        if contract["type"] == "layers" and "containers" not in contract
    )
    return [
        [name.strip().removeprefix(f"{PACKAGE}.") for name in layer.split("|")]
        for layer in contract["layers"]
    ]


def read_rooms(graph: Any) -> dict[str, Room]:
    """Returns what lies directly below the package, by its name."""
    rooms = {}
    for path in sorted(graph.find_children(PACKAGE)):
        inside = sorted(graph.find_children(path))
        packages = [child for child in inside if graph.find_children(child)]
        names = tuple(child.rpartition(".")[2] for child in packages)
        rooms[path.rpartition(".")[2]] = Room(path.rpartition(".")[2], names)
    return rooms


def is_package(graph: Any, name: str) -> bool:
    """Tells whether a room holds modules, and is none itself."""
    return bool(graph.find_children(f"{PACKAGE}.{name}"))


def read_edges(graph: Any) -> Edges:
    """Returns which room imports from which other one, as pairs."""
    pairs = {
        (importer.split(".")[1], imported.split(".")[1])
        for importer in graph.modules - {PACKAGE}
        for imported in graph.find_modules_directly_imported_by(importer) - {PACKAGE}
    }
    return {pair for pair in pairs if pair[0] != pair[1]}


def reduce_edges(edges: Edges) -> Edges:
    """Returns the edges without those that follow from two or more others."""
    below: dict[str, set[str]] = {}
    for importer, imported in edges:
        below.setdefault(importer, set()).add(imported)

    def reaches(start: str, end: str) -> bool:
        return any(
            step == end or reaches(step, end) for step in below.get(start, set())
        )

    return {
        (importer, imported)
        for importer, imported in edges
        if not any(
            reaches(step, imported) for step in below[importer] if step != imported
        )
    }
