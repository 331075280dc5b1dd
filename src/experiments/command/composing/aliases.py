"""How much a YAML file stands for once its aliases are written out.

Nine lines of ten aliases each are a thousand million values, and OmegaConf copies what
an alias refers to.
"""

import yaml

_MOST = 10_000
_DEEPEST = 100


def check_aliases(content: bytes) -> None:
    """Checks a file without writing anything out.

    Args:
        content: Of the file; what is no YAML is left to whoever reads it.

    Raises:
        ValueError: Its aliases stand for too much, or for themselves.
    """
    if b"&" not in content or b"*" not in content:
        return
    try:
        node = yaml.compose(content, yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return
    _count(node, {}, 0)


def _count(node: yaml.Node | None, known: dict[int, int], depth: int) -> int:
    """Returns how many values there are; each part is visited once."""
    if not isinstance(node, yaml.CollectionNode):
        return 1
    if depth > _DEEPEST:
        raise ValueError(f"is nested more than {_DEEPEST} deep by its aliases")
    if id(node) not in known:
        parts = [part[-1] if isinstance(part, tuple) else part for part in node.value]
        count = 1 + sum(_count(part, known, depth + 1) for part in parts)
        if count > _MOST:
            raise ValueError(f"stands for more than {_MOST:,} values by its aliases")
        known[id(node)] = count
    return known[id(node)]
