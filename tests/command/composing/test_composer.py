from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from experiments.command.composing.composer import quote


def unquote(override: str) -> tuple[str, Any]:
    parsed = OverridesParser.create().parse_override(override)
    return parsed.key_or_group, parsed.value()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/a folder/b",
        "it's",
        'say "x"',
        "a,b",
        "a=b",
        "[1, {a: b}]",
        "null",
        "~/x#%?",
        "é",
        "ends in \\",
        "ends in \\\\",
        "a\\'b",
        "a\\\\'b",
        "C:\\a\\b",
        "a\\,b=c d",
    ],
)
def test_quoted_text_is_read_back_by_hydra(text: str) -> None:
    assert unquote(f"key={quote(text)}") == ("key", text)
