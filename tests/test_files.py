import json
from pathlib import Path

import pytest

from experiments.files import replace_json


def test_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for content in ({"é": 1}, [1, None]):
        replace_json(path, content, indent=2)
        assert json.loads(path.read_text("utf-8")) == content
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_former_content_survives_what_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    replace_json(path, {"a": 1})
    with pytest.raises(TypeError):
        replace_json(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}
