"""Images that can hardly teach anything: blank, blurred, tiny or very long ones."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from experiments.audit.survey import Survey
from experiments.counts import format_share
from experiments.data.split import FileSplit

Kind = Literal["unreadable", "blank", "blurred", "small", "long"]

LEAST_CONTRAST = 2.0  # standard deviation of grey levels, of 255
# The variance of a blurred image's Laplacian is so far below the median of all:
DEVIATIONS = 3.0  # robust ones, of its logarithm
SHARE = 0.1  # and no more than this share, where all images are alike
FEWEST = 20  # images, of fewer nobody can tell what is usual
LONGEST = (
    3.0  # of the longer side by the shorter: the square that is cut out keeps less
)
LARGEST_SCALE = (
    2.0  # enlarged by more than this, an image has half of the pixels at most
)
_TO_DEVIATION = 1.4826  # of a normal distribution, by its median absolute deviation


@dataclass(frozen=True, kw_only=True)
class Oddity:
    """An image that is unlike what can be learnt from.

    Attributes:
        row: Of the survey; -1 for a file that is not part of it.
        sample: The image's name.
        kind: What it is.
        reason: What was measured, half a sentence.
    """

    row: int
    sample: str
    kind: Kind
    reason: str


def find_blank(survey: Survey) -> list[int]:
    """Returns the rows of images of nearly one colour."""
    return np.flatnonzero(survey.column("contrast") < LEAST_CONTRAST).tolist()


def find_oddities(survey: Survey) -> list[Oddity]:
    """Returns the odd images: those that are not readable first, then by kind."""
    return [
        *_list_unreadable(survey),
        *_list_blank(survey),
        *_list_blurred(survey),
        *_list_sizes(survey),
    ]


def find_blur_limit(sharpness: npt.NDArray[np.float64]) -> float | None:
    """Returns the sharpness below which an image is blurred for its data set.

    It is `DEVIATIONS` robust standard deviations (1.4826 times the median absolute
    deviation) below the median, both of the logarithm, and `SHARE` of the median at
    most.

    Args:
        sharpness: `(N,)`, each the variance of an image's Laplacian; positive.

    Returns:
        The limit; `None` where there are too few images to tell.
    """
    if len(sharpness) < FEWEST:
        return None
    logs = np.log(sharpness)
    middle = np.median(logs)
    spread = _TO_DEVIATION * np.median(np.abs(logs - middle))
    return float(np.exp(middle + min(-DEVIATIONS * spread, np.log(SHARE))))


def _list_unreadable(survey: Survey) -> list[Oddity]:
    skipped = [
        Oddity(
            row=-1,
            sample=_relative(survey, file.path),
            kind="unreadable",
            reason=f"cannot be read: it {file.reason}",
        )
        for file in survey.dataset.skipped_files
    ]
    failed = [
        Oddity(
            row=row,
            sample=survey.places[row].sample,
            kind="unreadable",
            reason="cannot be read: it does not decode",
        )
        for row in np.flatnonzero(~survey.readable).tolist()
    ]
    return skipped + failed


def _list_blank(survey: Survey) -> list[Oddity]:
    contrast = survey.column("contrast")
    return [
        _describe(
            survey, row, "blank", f"is blank: its contrast is {contrast[row]:.1f}"
        )
        for row in find_blank(survey)
    ]


def _list_blurred(survey: Survey) -> list[Oddity]:
    sharpness = survey.column("sharpness")
    blank = find_blank(survey)
    told = survey.readable & (sharpness > 0)
    told[blank] = False
    limit = find_blur_limit(sharpness[told])
    if limit is None:
        return []
    rows = np.flatnonzero(told & (sharpness < limit))
    return [
        _describe(
            survey,
            row,
            "blurred",
            f"is blurred: its sharpness is {sharpness[row]:.3g}, and that of most "
            f"images more than {limit:.3g}",
        )
        for row in rows[np.argsort(sharpness[rows], kind="stable")].tolist()
    ]


def _list_sizes(survey: Survey) -> list[Oddity]:
    """Returns the files of odd sizes; images in memory are all of one."""
    if not isinstance(survey.dataset.train, FileSplit):
        return []
    wide, high = survey.column("width"), survey.column("height")
    short, long = np.minimum(wide, high), np.maximum(wide, high)
    wanted = survey.dataset.image_shape[0]
    found = []
    for row in np.flatnonzero(short * LARGEST_SCALE < wanted).tolist():
        reason = (
            f"is small: {wide[row]:.0f} x {high[row]:.0f} pixels, enlarged to "
            f"{wanted} x {wanted}"
        )
        found.append(_describe(survey, row, "small", reason))
    for row in np.flatnonzero(long > LONGEST * short).tolist():
        reason = (
            f"is long: of {wide[row]:.0f} x {high[row]:.0f} pixels the square that is "
            f"cut out keeps {format_share(short[row] / long[row])}"
        )
        found.append(_describe(survey, row, "long", reason))
    return found


def _describe(survey: Survey, row: int, kind: Kind, reason: str) -> Oddity:
    sample = survey.places[row].sample
    return Oddity(row=row, sample=sample, kind=kind, reason=reason)


def _relative(survey: Survey, path: str) -> str:
    train = survey.dataset.train
    root = train.root if isinstance(train, FileSplit) else ""
    return path.removeprefix(f"{root}/") if root else path
