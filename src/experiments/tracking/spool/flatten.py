"""A resolved config as MLflow parameters: one flat text for each key a user types."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from experiments.config.reading.leaves import list_leaves

MAX_LENGTH = 6000  # of a parameter's value; MLflow refuses longer ones
BATCH = 100  # parameters in a request; MLflow refuses more
_CUT = " ... (cut; the whole is in the run's config file)"
_REFUSED = re.compile(r"[^\w\-. /:]")


def flatten_config(config: Mapping[str, object]) -> dict[str, str]:
    """Returns the leaves of a config by their dotted path.

    Args:
        config: Nested mappings; every other value is a leaf, a list included.

    Returns:
        Such as `{"optimizer.lr": "0.0001"}`, in the order of the config. Values read
        as in YAML (`null`, `true`); one beyond 6,000 characters is cut and says so.
        A character that MLflow refuses in a name becomes `_`.
    """
    params: dict[str, str] = {}
    for path, value in list_leaves(config) if config else ():
        key = _unused(_REFUSED.sub("_", path), params)
        params[key] = as_param(value)
    return params


def as_param(value: object) -> str:
    """Returns a value as the text of a parameter, 6,000 characters at most."""
    text = value if isinstance(value, str) else _plain(value)
    if len(text) <= MAX_LENGTH:
        return text
    return text[: MAX_LENGTH - len(_CUT)] + _CUT


def batches(params: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yields the parameters in groups that one request may hold."""
    items = list(params.items())
    for start in range(0, len(items), BATCH):
        yield dict(items[start : start + BATCH])


def _plain(value: object) -> str:
    if value is None or isinstance(value, bool | Sequence | Mapping):
        return json.dumps(value, default=str, ensure_ascii=False)
    return str(value)


def _unused(key: str, taken: Mapping[str, str]) -> str:
    """Returns `key`, numbered when two names differ only in refused characters."""
    number, unused = 1, key
    while unused in taken:
        number += 1
        unused = f"{key}_{number}"
    return unused
