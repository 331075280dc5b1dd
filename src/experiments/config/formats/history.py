"""What keys and targets were called in records of earlier formats.

Whoever renames a key or moves a class adds a line here, with the format that changed
it; a new key says at its field what older records mean, see `fields.setting`. Records
of before are then read as if they were of today, and a job keeps its identity, which is
that of the names that its keys had first.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from experiments.config.formats.wrapped import Wrap
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
        wrapped: Group -> how it was while it was one component, by today's targets.
    """

    renamed: Mapping[str, str] = field(default_factory=dict)
    moved: Mapping[str, str] = field(default_factory=dict)
    wrapped: Mapping[str, Wrap] = field(default_factory=dict)


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

_AUGMENT = "experiments.data.augment"
_ONE_AUGMENT = Wrap(
    nothing=f"{_AUGMENT}.none.no_augment",
    names={
        f"{_AUGMENT}.flip_crop.FlipCrop": "flip_crop",
        f"{_AUGMENT}.inception_crop.InceptionCrop": "inception_crop",
    },
    keys={
        "pad": "flip_crop",
        "flip": "flip_crop",  # in which nearly all have searched it
        "area": "inception_crop",
        "ratio": "inception_crop",
    },
)

# Format -> what it changed. Steps stay for ever: records do.
STEPS: dict[int, Step] = {
    2: Step(moved=_MOVED_IN_2),
    5: Step(wrapped={"augment": _ONE_AUGMENT}),
}


def name_key(
    key: str, since: int = FIRST, chosen: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Returns what a key of a record is called now.

    Args:
        key: Dotted path.
        since: Format of the record.
        chosen: Group -> its file, where that is known.
    """
    for step in _steps_after(since):
        key = _wrap_key(key, step, chosen)
        for old, new in step.renamed.items():
            key = _rename(key, old, new)
    return key


def find_name(key: str) -> str | None:
    """Returns what a key that somebody types is called now; `None` if nobody can tell.

    A key of a group that is wrapped since may be one of several components'.
    """
    now = name_key(key)
    group = key.partition(".")[0]
    wrapped = any(group in step.wrapped for step in STEPS.values())
    return None if now == key or wrapped else now


def first_key(key: str) -> str:
    """Returns what a key was called first."""
    for step in _steps_back():
        for old, new in step.renamed.items():
            key = _rename(key, new, old)
        group, _, rest = key.partition(".")
        if rest and group in step.wrapped:
            key = f"{group}.{step.wrapped[group].unwrap_key(rest)}"
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


def name_words(words: Sequence[str], since: int = FIRST) -> list[str]:
    """Returns how the overrides of a record are typed now."""
    chosen = {key: rest[1:] for _, key, rest in map(_split, words)}
    return [name_word(word, since, chosen) for word in words]


def name_word(
    word: str, since: int = FIRST, chosen: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Returns how an override of a record is typed now.

    Args:
        word: The override.
        since: Format of the record.
        chosen: Group -> its file, where that stands beside it.
    """
    mark, key, rest = _split(word)
    new = name_key(key, since, chosen)
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
    named = dict(values)
    for step in _steps_after(since):
        named = {
            key: step.moved.get(value, value) if _names_target(key, value) else value
            for key, value in named.items()
        }
        named = _wrap_values(named, step)
        for old, new in step.renamed.items():
            named = {_rename(key, old, new): value for key, value in named.items()}
    return named


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
        for group, wrap in step.wrapped.items():
            config = _replace_group(config, group, wrap.wrap)
        for old, new in step.renamed.items():
            config = _rename_in(config, old, new)
    return config


def first_all(config: Any) -> Any:
    """Returns a config of today with the names that its keys and targets had first."""
    for step in _steps_back():
        for old, new in step.renamed.items():
            config = _rename_in(config, new, old)
        for group, wrap in step.wrapped.items():
            config = _replace_group(config, group, wrap.unwrap)
        config = _map_targets(config, {new: old for old, new in step.moved.items()})
    return config


def _replace_group(config: Any, group: str, change: Callable[[Any], Any]) -> Any:
    if not isinstance(config, Mapping) or group not in config:
        return config
    return {k: change(v) if k == group else v for k, v in config.items()}


def _wrap_values(values: Mapping[str, Any], step: Step) -> dict[str, Any]:
    targets = {group: values.get(f"{group}.{_TARGET}") for group in step.wrapped}
    names = {
        group: step.wrapped[group].name_of(target)
        for group, target in targets.items()
        if isinstance(target, str)
    }
    found = {}
    for key, value in values.items():
        group, _, rest = key.partition(".")
        is_target = rest == _TARGET and group in names
        if is_target and value == step.wrapped[group].nothing:
            found[group] = "{}"  # as an empty mapping is written
        elif is_target:
            found[f"{group}.{names[group]}.{_TARGET}"] = value
        else:
            found[_wrap_key(key, step, names)] = value
    return found


def _wrap_key(key: str, step: Step, names: Mapping[str, str]) -> str:
    group, _, rest = key.partition(".")
    if not rest or group not in step.wrapped:
        return key
    return f"{group}.{step.wrapped[group].wrap_key(rest, names.get(group))}"


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
