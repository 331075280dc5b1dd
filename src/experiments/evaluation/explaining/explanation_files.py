"""The files of an explanation: a page, and a picture an image."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from experiments import job_files
from experiments.evaluation.explaining.explanation import Explanation
from experiments.evaluation.explaining.explanation_page import build_explanation_page
from experiments.files import replace_bytes
from experiments.pictures.picture import as_png

_LONGEST = 60  # letters of a picture's name, each of which may take four bytes


def write_explanations(
    folder: Path,
    explanations: Sequence[Explanation],
    *,
    title: str,
    notes: Sequence[str] = (),
) -> tuple[Path, list[Path]]:
    """Writes what a model says of images, in place of what was there before.

    Args:
        folder: Of the job.
        explanations: Of the images, at least one.
        title: Heading of the page.
        notes: What else the page shall tell.

    Returns:
        The page, and the picture of each image.
    """
    pictures = folder / job_files.EXPLANATIONS
    pictures.mkdir(exist_ok=True)
    for old in pictures.glob("*.png"):
        old.unlink()
    files = [pictures / name for name in _name_files(one.name for one in explanations)]
    for path, one in zip(files, explanations, strict=True):
        replace_bytes(path, as_png(one.draw(), dpi=150))
    page = folder / job_files.EXPLANATION_PAGE
    replace_bytes(
        page, build_explanation_page(explanations, title=title, notes=notes).encode()
    )
    return page, files


def _name_files(names: Iterable[str]) -> Iterator[str]:
    """Yields a name for each picture, by the image's; no two are the same."""
    taken: set[str] = set()
    for name in names:
        last = Path(name).name
        stem = (last.rpartition(".")[0] or last)[:_LONGEST]
        number, own = 1, stem
        while own.lower() in taken:  # some disks take Cat for cat
            number += 1
            own = f"{stem}-{number}"
        taken.add(own.lower())
        yield f"{own}.png"
