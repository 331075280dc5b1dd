from pathlib import Path

import pytest

from experiments import shipped
from experiments.shipped import find_shipped, is_checkout
from tests.conftest import CONF, ROOT


def test_checkout_reads_what_people_edit() -> None:
    assert is_checkout()
    assert find_shipped("conf") == CONF
    assert find_shipped("my_project") == ROOT / "examples" / "my_project"


def test_wheel_reads_what_is_inside_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "conf").mkdir()
    monkeypatch.setattr(shipped, "__file__", str(tmp_path / "shipped.py"))
    assert not is_checkout()
    assert find_shipped("my_project") == tmp_path / "my_project"
