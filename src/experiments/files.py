"""Files that a reader finds whole: as they were, or as they are now."""

import json
from pathlib import Path
from typing import Any


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
