"""What keys and targets were called in records of earlier formats.

Whoever renames a key or moves a class adds a line here, with the format that changed
it; a new key says at its field what older records mean, see `fields.setting`. Records
of before are then read as if they were of today, and a job keeps its identity, which is
that of the names that its keys had first.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from experiments.records import FIRST, FORMAT

_TARGET = "_target_"
_ANY = "*"


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one format changed.

    Attributes:
        renamed: Former key -> its name since; dotted paths, in which `*` stands for
            any one name, such as that of a callback. What lies below goes along.
        moved: Former target -> its dotted path since.
    """

    renamed: Mapping[str, str] = field(default_factory=dict)
    moved: Mapping[str, str] = field(default_factory=dict)


_DATASETS = "digits cifar10 cifar100 fashion_mnist folder imagenet mnist"
_MOVED_IN_2 = {
    **{
        f"experiments.data.{name}.load_{name}": (
            f"experiments.data.datasets.{name}.load_{name}"
        )
        for name in _DATASETS.split()
    },
    "experiments.data.synthetic.make_synthetic": (
        "experiments.data.datasets.synthetic.make_synthetic"
    ),
    "experiments.models.resnet.build_resnet": (
        "experiments.models.resnet.builder.build_resnet"
    ),
    **{
        f"experiments.training.{name}": f"experiments.training.callbacks.{name}"
        for name in (
            "checkpoint.Checkpoint",
            "early_stopping.EarlyStopping",
            "plateau.ReduceOnPlateau",
            "pruning.MedianPruner",
            "pruning.SuccessiveHalvingPruner",
            "tensorboard.TensorBoard",
            "timing.Timing",
        )
    },
    **{
        f"experiments.training.callbacks.{name}": (
            f"experiments.training.callbacks.monitors.{name}"
        )
        for name in ("LearningRateMonitor", "TerminateOnNaN")
    },
}

# Format -> what it changed. Steps stay for ever: records do.
STEPS: dict[int, Step] = {2: Step(moved=_MOVED_IN_2)}


def name_key(key: str, since: int = FIRST) -> str:
    """Returns what a key of a record is called now.

    Args:
        key: Dotted path.
        since: Format of the record.
    """
    for step in _steps_after(since):
        for old, new in step.renamed.items():
            key = _rename(key, old, new)
    return key


def first_key(key: str) -> str:
    """Returns what a key was called first."""
    for step in _steps_back():
        for old, new in step.renamed.items():
            key = _rename(key, new, old)
    return key


def name_target(target: str, since: int = FIRST) -> str:
    """Returns where what a record names as a target is now."""
    for step in _steps_after(since):
        target = step.moved.get(target, target)
    return target


def first_target(target: str) -> str:
    """Returns where a target was first."""
    for step in _steps_back():
        target = {new: old for old, new in step.moved.items()}.get(target, target)
    return target


def name_word(word: str, since: int = FIRST) -> str:
    """Returns how an override of a record is typed now."""
    mark, key, rest = _split(word)
    new = name_key(key, since)
    if new.endswith(_TARGET) and rest:
        rest = f"={name_target(rest[1:], since)}"
    return f"{mark}{new}{rest}"


def first_word(word: str) -> str:
    """Returns how an override was typed first."""
    mark, key, rest = _split(word)
    if key.endswith(_TARGET) and rest:
        rest = f"={first_target(rest[1:])}"
    return f"{mark}{first_key(key)}{rest}"


def name_values(values: Mapping[str, Any], since: int) -> dict[str, Any]:
    """Returns recorded values by dotted key as they are called now, in their order."""
    return {
        name_key(key, since): name_target(value, since)
        if _names_target(key, value)
        else value
        for key, value in values.items()
    }


def first_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns values by dotted key as they were called first."""
    return {
        first_key(key): first_target(value) if _names_target(key, value) else value
        for key, value in values.items()
    }


def name_all(config: Any, since: int) -> Any:
    """Returns a recorded config with the keys and targets of today.

    Args:
        config: Plain data; is not changed.
        since: Format of the record.
    """
    for step in _steps_after(since):
        config = _map_targets(config, step.moved)
        for old, new in step.renamed.items():
            config = _rename_in(config, old, new)
    return config


def first_all(config: Any) -> Any:
    """Returns a config of today with the names that its keys and targets had first."""
    for step in _steps_back():
        config = _map_targets(config, {new: old for old, new in step.moved.items()})
        for old, new in step.renamed.items():
            config = _rename_in(config, new, old)
    return config


def _names_target(key: str, value: object) -> bool:
    return key.rpartition(".")[2] == _TARGET and isinstance(value, str)


def _steps_after(since: int) -> Iterator[Step]:
    yield from (STEPS[n] for n in range(since + 1, FORMAT + 1) if n in STEPS)


def _steps_back() -> Iterator[Step]:
    yield from (STEPS[n] for n in range(FORMAT, FIRST, -1) if n in STEPS)


def _split(word: str) -> tuple[str, str, str]:
    """Returns the marks before the key of an override, the key and what follows it."""
    plain = word.lstrip("+~")
    key, equals, value = plain.partition("=")
    return word[: len(word) - len(plain)], key, equals + value


def _rename(key: str, old: str, new: str) -> str:
    """Returns `key` under its new name, when it is what `old` describes or below."""
    parts, pattern = key.split("."), old.split(".")
    if len(parts) < len(pattern):
        return key
    met = []
    for part, wanted in zip(parts, pattern, strict=False):
        if wanted == _ANY:
            met.append(part)
        elif part != wanted:
            return key
    return ".".join([*_fill_in(new, met), *parts[len(pattern) :]])


def _fill_in(pattern: str, met: list[str]) -> list[str]:
    left = iter(met)
    return [next(left) if part == _ANY else part for part in pattern.split(".")]


def _rename_in(config: Any, old: str, new: str) -> Any:
    for path, met in list(_find(config, old.split("."))):
        config, value = _without(config, path)
        config = _with(config, _fill_in(new, met), value)
    return config


def _find(node: Any, pattern: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Yields the paths that a pattern describes, and what its `*` stand for."""
    if not pattern:
        yield [], []
        return
    if not isinstance(node, Mapping):
        return
    first, *rest = pattern
    for name in node if first == _ANY else {first} & node.keys():
        for path, met in _find(node[name], rest):
            yield [name, *path], [*([name] if first == _ANY else []), *met]


def _without(node: Any, path: list[str]) -> tuple[Any, Any]:
    """Returns a copy without a key, nor groups that it leaves empty; and its value."""
    name, *rest = path
    left = dict(node)
    if not rest:
        value = left.pop(name)
        return left, value
    left[name], value = _without(left[name], rest)
    if not left[name]:
        del left[name]
    return left, value


def _with(node: Any, path: list[str], value: Any) -> Any:
    """Returns a copy with a key; one that is there already stays."""
    name, *rest = path
    left = dict(node) if isinstance(node, Mapping) else {}
    left[name] = _with(left.get(name), rest, value) if rest else left.get(name, value)
    return left


def _map_targets(node: Any, targets: Mapping[str, str]) -> Any:
    if isinstance(node, list | tuple):
        return [_map_targets(item, targets) for item in node]
    if not isinstance(node, Mapping):
        return node
    return {
        name: targets.get(value, value)
        if name == _TARGET and isinstance(value, str)
        else _map_targets(value, targets)
        for name, value in node.items()
    }
