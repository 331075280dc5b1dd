"""What a job is: a hash of all that its result depends on, and a folder named by it.

Two commands that must give the same result have the same identity, so that the second
one finds what the first one left. A path counts as the folder that it leads to, not as
it was typed. A key that is declared `incidental` (a path, a
display, the tracking server) does not count, and neither does one that is null. A
secret neither counts nor stands in a name.

What was run yesterday is found tomorrow: keys and targets count by the names that they
had first, and a key that was added since only with another value than older records
mean, see `history`.
"""

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from experiments.config.formats.history import (
    first_all,
    first_key,
    first_values,
    first_word,
)
from experiments.config.kinds.paths import list_paths
from experiments.config.reading.convert import convert_field
from experiments.config.reading.fields import (
    added_in,
    is_incidental,
    what_it_stands_for,
)
from experiments.config.reading.values import settle_numbers, write_value
from experiments.config.schema.models.model import KerasApplicationConfig
from experiments.config.schema.run import RunConfig
from experiments.config.search.parameter import Parameter
from experiments.config.search.schema import SearchConfig
from experiments.config.search.space import Space
from experiments.redaction import redact_data, redact_word

_DIGITS = 8
_NAME_LENGTH = 80
# In `conf/dataset/`; a file of one's own has a name that tells.
_ANY_FOLDER = ("folder", "table")


def identify(run: RunConfig) -> str:
    """Returns the hash of what matters for the result, as hexadecimal digits."""
    return _hash(_without_secrets(first_all(_essence(run))))


def keeps_result(run: RunConfig) -> bool:
    """Tells whether the task of a job leaves a result that makes it needless."""
    return bool(getattr(run.task, "keeps_result", True))


def has_own_folder(run: RunConfig) -> bool:
    """Tells whether a job has a folder that other jobs of its task do not use."""
    return keeps_result(run) or bool(getattr(run.task, "folder_of_its_own", False))


def name_folder(
    name: str, run: RunConfig, typed: Mapping[str, Any] = MappingProxyType({})
) -> str:
    """Returns the folder's name of a single run: readable part, then identity.

    Args:
        name: Readable part.
        run: The job's config.
        typed: What was typed to change a recorded config, which `run` does not hold.
    """
    task = _slug(run.task._target_.rpartition(".")[2])  # whatever the job is called
    if not has_own_folder(run):
        return task
    shown = _without_secrets(first_values(typed))
    content = _hash([identify(run), shown]) if typed else identify(run)
    if not keeps_result(run):
        return f"{task}-{content}"
    words = [_write(key, value) for key, value in sorted(shown.items())]
    return f"{_slug('-'.join([name, *words]))}-{content}"


def name_sweep_folder(name: str, jobs: Sequence[str]) -> str:
    """Returns the folder's name of a sweep.

    Args:
        name: Readable part.
        jobs: What tells this sweep from others: the folders of its jobs; when a
            sweeper decides on them later, the identity of the config that it varies
            and the overrides that it decides on.
    """
    return f"{_slug(name)}-{_hash(sorted(_without_secrets(jobs)))}"


def name_job_folder(
    differing: Sequence[str],
    run: RunConfig,
    typed: Mapping[str, Any] = MappingProxyType({}),
) -> str:
    """Returns the folder's name of a job of a sweep.

    Args:
        differing: Its overrides that other jobs of the sweep do not have. They count,
            for a sweep may compare settings that leave the result alone.
        run: The job's config.
        typed: What was typed to change a recorded config, which `run` does not hold.
    """
    paths = dict(list_paths(run))
    words = [first_word(_spell(word, paths)) for word in differing]
    spelt = sorted(_without_secrets(words))
    overlay = [_without_secrets(first_values(typed))] if typed else []
    content = [identify(run), *spelt, *overlay]
    return f"{_slug('-'.join(spelt))}-{_hash(content)}"


def name_search_folder(
    name: str,
    run: RunConfig,
    search: SearchConfig,
    space: Space,
    *,
    folds: int | None = None,
) -> str:
    """Returns the folder's name of a search.

    Args:
        name: Readable part.
        run: The config that is varied.
        search: How; the budget does not count, for it may be raised.
        space: What is varied; in any order.
        folds: In so many each proposal is trained, of which `run` names one.
    """
    parameters = sorted(map(_as_first, space.parameters), key=lambda p: p.key)
    how = first_all({"hydra": {"sweeper": _essence(search)}})["hydra"]["sweeper"]
    content = [identify(run), how, _essence(parameters)]
    content += [] if folds is None else [{"folds": folds}]
    return f"{_slug(name)}-{_hash(_without_secrets(content))}"


def name_swept(keys: Iterable[str]) -> str:
    """Returns the readable part of the name of a sweep or search over these keys."""
    return "-".join(sorted(map(first_key, keys)))


def describe_choices(choices: Mapping[str, str]) -> str:
    """Returns what a job is in words, from the files its groups were taken from.

    Folders are named by it, and found again: it says the same in every release.

    A group that is put together from a list of files has no name.
    """
    words = f"{choices.get('model', 'model')} on {choices.get('dataset', 'dataset')}"
    task = choices.get("task", "task")
    return words if task == "train" else f"{task} {words}"


def name_run(choices: Mapping[str, str], run: RunConfig) -> str:
    """Returns what people read as the name of a job that has none of its own.

    Unlike a folder's name it may change between releases. The options `folder` and
    `table` stand for whatever folder was typed, and it is the folder that people know;
    so it is with the architectures of Keras.

    Args:
        choices: Group -> option.
        run: The job's config.
    """
    if isinstance(run.model, KerasApplicationConfig):
        choices = {**choices, "model": run.model.architecture}
    name = run.dataset.known_name
    if name is None or choices.get("dataset") not in _ANY_FOLDER:
        return describe_choices(choices)
    return describe_choices({**choices, "dataset": name})


def _essence(value: Any) -> Any:
    """Returns plain data without nulls and whatever is incidental."""
    if dataclasses.is_dataclass(value):
        fields = [
            (f, what_it_stands_for(f, getattr(value, f.name)))
            for f in dataclasses.fields(value)
        ]
        known = [(f, v) for f, v in fields if not is_incidental(f, v)]
        return _essence({f.name: v for f, v in known if not _is_as_before(f, v)})
    if isinstance(value, Mapping):
        counted = {str(k): v for k, v in value.items() if not _is_incidental_node(v)}
        return {k: _essence(v) for k, v in counted.items() if v is not None}
    if isinstance(value, list | tuple):
        return [_essence(item) for item in value]
    return value


def _is_as_before(field: dataclasses.Field[Any], value: object) -> bool:
    """Tells whether a key has the value that records from before it mean."""
    added = added_in(field)
    if added is None:
        # A group of which nothing was there before.
        is_new = dataclasses.is_dataclass(value) and all(
            added_in(part) is not None for part in dataclasses.fields(value)
        )
        return is_new and not _essence(value)
    before = convert_field(added.before, field, field.name, [])
    return bool(_essence(value) == _essence(before))


def _as_first(parameter: Parameter) -> Parameter:
    """Returns a parameter as it would have been searched first."""
    when = parameter.when
    return replace(
        parameter,
        key=first_key(parameter.key),
        prefix="",
        choices=tuple(settle_numbers(parameter.choices)),
        when=None if when is None else replace(when, key=first_key(when.key)),
    )


def _without_secrets(content: Any) -> Any:
    """Returns what a hash, out of which a short secret could be guessed, may hold."""
    return redact_data(content, anywhere=False)


def _is_incidental_node(value: Any) -> bool:
    return bool(getattr(type(value), "incidental", False))


def _spell(override: str, paths: Mapping[str, str]) -> str:
    """Returns an override as every spelling of it is written, by its located path."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    key = override.lstrip("+").partition("=")[0]
    if key in paths:
        return f"{key}={paths[key]}"
    (parsed,) = OverridesParser.create().parse_overrides([override])
    return key if parsed.is_delete() else _write(key, parsed.value())


def _write(key: str, value: Any) -> str:
    value = settle_numbers(value)
    # As Hydra writes it into the jobs of a sweep.
    text = str(value) if isinstance(value, bool) else write_value(value)
    return f"{key}={text}"


def _hash(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _slug(name: str) -> str:
    """Returns letters, digits, dots, dashes and underscores only, not too many."""
    slug = re.sub(r"[^\w.-]+", "_", redact_word(name), flags=re.ASCII).strip("._-")
    return slug[:_NAME_LENGTH].rstrip("._-") or "job"
