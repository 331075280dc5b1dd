"""Plain data and figures as what a file holds."""

import io
import json
from collections.abc import Mapping
from typing import Any

import yaml

from experiments.records import write_header

_DPI = 84  # a picture of 10 inches fits beside what MLflow's pages say of a run


def format_data(content: Mapping[str, Any], *, as_json: bool) -> str:
    """Returns plain data as JSON or YAML, its keys in their order."""
    if as_json:
        return json.dumps(content, indent=2, ensure_ascii=False, default=str)
    text = yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True)
    return write_header() + text


def draw_picture(figure: Any, kind: str) -> bytes:
    """Returns a Matplotlib figure as an image such as `png`."""
    picture = io.BytesIO()
    figure.savefig(picture, format=kind, dpi=_DPI)
    return picture.getvalue()
