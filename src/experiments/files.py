"""Where files go; a reader finds them whole: as they were, or as they are now."""

import json
import os
from pathlib import Path
from typing import Any


def cache_folder() -> Path:
    """Returns where this user's machine keeps what can be made again."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "experiments"


def replace_json(path: Path, content: Any, *, indent: int | None = None) -> None:
    """Writes plain data as JSON; a process that dies meanwhile changes nothing.

    Args:
        path: The file.
        content: Plain data.
        indent: Spaces a level; `None` for one line.
    """
    temporary = path.with_name(f"unfinished-{path.name}")
    text = json.dumps(content, indent=indent) + "\n"
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
