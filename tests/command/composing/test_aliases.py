from pathlib import Path
from typing import Any

import pytest

from experiments.command.composing.aliases import check_aliases
from experiments.errors import ConfigError

BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)
MERGED = "b0: &b0 {a: 1, b: 2}\n" + "".join(
    f"b{n}: &b{n} {{" + ", ".join(f"k{i}: *b{n - 1}" for i in range(10)) + "}\n"
    for n in range(1, 9)
)


@pytest.mark.parametrize("text", [BOMB, MERGED], ids=["lists", "mappings"])
def test_file_whose_aliases_explode_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="stands for more than 10,000 values"):
        check_aliases(text.encode())


def test_alias_of_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="nested more than 100 deep"):
        check_aliases(b"a: &a [*a]")


@pytest.mark.parametrize(
    "text",
    [
        "a: &a {lr: 1}\nb: *a\nc:\n  <<: *a\n  x: 2",
        "text: 'R&D * 2'",
        "a: [*nope]",
        "a: &b {*c",
        "&" * 9 + "[" * 100_000 + "*",
        "",
    ],
)
def test_ordinary_aliases_and_what_is_no_yaml_are_left_alone(text: str) -> None:
    check_aliases(text.encode())


def test_config_file_that_explodes_is_named_at_once(check: Any, tmp_path: Path) -> None:
    file = tmp_path / "experiment" / "bomb.yaml"
    file.parent.mkdir()
    indented = BOMB.replace("\na", "\n  a")
    file.write_text(f"# @package _global_\ntags:\n  {indented}")
    with pytest.raises(ConfigError) as error:
        check("experiment=bomb", extra_config_dir=tmp_path)
    assert f"{file} stands for more than 10,000 values" in str(error.value)
