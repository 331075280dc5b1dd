"""The page that compares the runs of a sweep or search, left when that has ended."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from experiments import job_files
from experiments.config.kinds.objective import Objective
from experiments.errors import summarise_error
from experiments.files import replace_bytes
from experiments.redaction import redact
from experiments.tracking.tracker import Tracker

_FEWEST = 2  # runs

log = logging.getLogger(__name__)


def leave_comparison(
    parent: Tracker,
    folder: Path,
    *,
    output_dir: Path,
    objective: Objective,
    title: str,
    allowed_targets: Sequence[str] = ("experiments", "keras"),
) -> Path | None:
    """Writes the page into the folder and records it; never fails.

    It is made of what the runs have left: no model is built, no framework imported and
    no code of somebody's own run, so that images of their data sets are named and not
    shown.

    Args:
        parent: The run of the sweep or search, not closed yet.
        folder: Its folder.
        output_dir: Of all runs.
        objective: What its runs are ranked by.
        title: What it is called.
        allowed_targets: Packages whose members the record of a run may name.

    Returns:
        The page; `None` where there is nothing to compare, or it cannot be made.
    """
    try:
        page = _write(folder, output_dir, objective, title, allowed_targets)
    except Exception as error:  # the runs are there, whatever is wrong with a page
        log.warning(
            "The page that compares the runs was not made (%s). To make it: "
            "task=compare run_id=%s",
            summarise_error(error),
            folder,
        )
        return None
    if page is not None:
        parent.log_file(page)
    return page


def _write(
    folder: Path,
    output_dir: Path,
    objective: Objective,
    title: str,
    allowed_targets: Sequence[str],
) -> Path | None:
    from experiments.comparison.advice import advise_on_images, list_advice
    from experiments.comparison.compared import compare_members
    from experiments.comparison.finding import list_members
    from experiments.comparison.page import build_comparison_page
    from experiments.comparison.reach import reach_images

    members = list_members(folder, output_dir)
    if sum(bool(member.metrics or member.points) for member in members) < _FEWEST:
        return None
    compared = compare_members(members, objective=objective, title=redact(title))
    advice = list_advice(compared, output_dir)
    draw = reach_images(
        compared,
        allowed_targets=allowed_targets,
        output_dir=str(output_dir),
        only_own=True,
    )
    found = compared.contrast
    if found is not None and found.is_any and draw is None:
        advice += [advise_on_images(folder, output_dir)]
    page = folder / job_files.COMPARISON
    compared = replace(compared, draw=draw, commands=advice)
    replace_bytes(page, build_comparison_page(compared).encode())
    return page
