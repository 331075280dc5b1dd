"""Names for the jobs of a sweep: only what differs between them."""

from collections import Counter
from collections.abc import Sequence

_MAX_LENGTH = 120
_ABSENT = "default"


def differing_names(overrides: Sequence[Sequence[str]]) -> list[str]:
    """Returns a readable name for each job of a sweep.

    Args:
        overrides: What each job changes, as typed: `model=resnet18`, `+tags.a=b`,
            `~augment`. The last value of a key counts.

    Returns:
        One distinct name a job: the keys whose values differ, with the last word of
        a key where that is unambiguous: `model=resnet18 lr=0.001`.
    """
    jobs = [_as_mapping(job) for job in overrides]
    keys = list(dict.fromkeys(key for job in jobs for key in job))
    differing = [key for key in keys if len({job.get(key) for job in jobs}) > 1]
    words = _short_keys(differing)
    names = [
        " ".join(f"{words[key]}={job.get(key, _ABSENT)}" for key in differing)
        for job in jobs
    ]
    return _distinct([_shorten(name) or "job" for name in names])


def _as_mapping(overrides: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for override in overrides:
        key, equals, value = override.partition("=")
        removed = key.startswith("~")
        pairs[key.lstrip("+~")] = "removed" if removed or not equals else value
    return pairs


def _short_keys(keys: Sequence[str]) -> dict[str, str]:
    last = {key: key.rpartition(".")[2] for key in keys}
    counts = Counter(last.values())
    return {key: word if counts[word] == 1 else key for key, word in last.items()}


def _shorten(name: str) -> str:
    return name if len(name) <= _MAX_LENGTH else f"{name[: _MAX_LENGTH - 3]}..."


def _distinct(names: Sequence[str]) -> list[str]:
    """Numbers names that occur more than once."""
    total, seen = Counter(names), Counter[str]()
    result = []
    for name in names:
        seen[name] += 1
        result.append(f"{name} #{seen[name]}" if total[name] > 1 else name)
    return result
