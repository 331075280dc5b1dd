"""How large the image files are, by their headers: nothing is decoded."""

import statistics
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from experiments.data.dataset import Dataset
from experiments.data.images.image_size import read_size
from experiments.data.split import FileSplit
from experiments.inspection.spread import spread

_THREADS = 8


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Sizes of image files, as they stand upright.

    Attributes:
        sizes: Width and height of each file whose header was read.
        total: How many files there are.
        delivered: Height and width at which the network gets them.
        crop_ratio: Share of the shorter side that is kept where nothing is drawn.
    """

    sizes: tuple[tuple[int, int], ...]
    total: int
    delivered: tuple[int, int]
    crop_ratio: float

    @property
    def enlarged(self) -> float:
        """Share of the files whose kept part is smaller than what the network gets."""
        needed = min(self.delivered)
        small = [min(size) * self.crop_ratio < needed for size in self.sizes]
        return sum(small) / len(small)

    def describe(self) -> str:
        """Returns the sizes in a sentence."""
        widths, heights = zip(*self.sizes, strict=True)
        seen = f"of {self.total:,} files"
        if len(self.sizes) < self.total:
            seen = f"of {len(self.sizes):,} of {self.total:,} files, evenly apart"
        if len({*self.sizes}) == 1:
            return f"all are {widths[0]} x {heights[0]}, by the headers {seen}"
        usual = f"{statistics.median_low(widths)} x {statistics.median_low(heights)}"
        return (
            f"{min(widths)} to {max(widths)} wide, {min(heights)} to {max(heights)} "
            f"high, {usual} in the middle, by the headers {seen}"
        )


def measure_sizes(dataset: Dataset, *, most: int) -> Sizes | None:
    """Reads the headers of a data set's files; `None` for images in memory.

    Args:
        dataset: The data set.
        most: Read at most so many, evenly apart over all splits.
    """
    splits = [s for s in dataset.splits.values() if isinstance(s, FileSplit)]
    paths = [path for split in splits for path in split.paths]
    if not paths:
        return None
    chosen = [Path(paths[place]) for place in spread(len(paths), most)]
    with ThreadPoolExecutor(_THREADS) as pool:
        found = list(pool.map(_read, chosen))
    height, width, _ = dataset.image_shape
    return Sizes(
        sizes=tuple(size for size in found if size is not None),
        total=len(paths),
        delivered=(height, width),
        crop_ratio=splits[0].crop_ratio,
    )


def _read(path: Path) -> tuple[int, int] | None:
    with path.open("rb") as file:
        return read_size(file)
