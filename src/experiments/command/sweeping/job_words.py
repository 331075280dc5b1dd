"""The words by which a job differs from the others of its sweep."""

from collections import Counter
from collections.abc import Collection, Sequence

from experiments.errors import ConfigError, Problem


def select_overrides(job: Sequence[str], keys: Collection[str]) -> list[str]:
    """Returns the overrides of a job that set one of `keys`."""
    return [o for o in job if o.lstrip("+~").partition("=")[0] in keys]


def refuse_twins(jobs: Sequence[Sequence[str]], folders: Sequence[str]) -> None:
    """Refuses a sweep that would run the same job twice."""
    counts = Counter(folders)
    twins = [
        Problem(" ".join(job), "is the same job as another one of this sweep.")
        for job, folder in zip(jobs, folders, strict=False)
        if counts[folder] > 1
    ]
    if twins:
        raise ConfigError(list({str(twin): twin for twin in twins}.values()))
