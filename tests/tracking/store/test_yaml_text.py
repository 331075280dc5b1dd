import pytest
import yaml

from experiments.tracking.store.yaml_text import parse_yaml

LAUGHS = "a0: &a0 [x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)
MERGES = "a0: &a0 {x: 1}\n" + "".join(
    f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}\n" for i in range(1, 12)
)


def test_data_is_returned_as_it_was_written() -> None:
    part = {"b": [1, None, 2.5, "é"]}
    content = {"a": part, "c": [part, part]}

    # PyYAML refers to what is there twice.
    assert "*id001" in yaml.safe_dump(content)
    assert parse_yaml(yaml.safe_dump(content).encode()) == content


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe",
        b"a: \0",
        b"{",
        b"a: [",
        b"a: 1\n--- \nb: 2",
        b"[" * 100_000,
        b"{a: " * 100_000,
        b"- " * 100_000 + b"a",
        b"&a [*a]",
        b"&a {b: *a}",
        b"[[]]: 1",
        b"{[1]: 2}",
        b"!!python/object/apply:os.system [touch /tmp/owned]",
        b"!!python/name:os.system",
        b"a: 9" + b"9" * 5000,
        b"2026-99-99",
        b"*a",
        LAUGHS.encode(),
        MERGES.encode(),
    ],
    ids=lambda content: content[:24].decode("latin-1"),
)
def test_what_is_no_data_or_would_explode_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parse_yaml(content)
