"""What is wrong with a job that Hydra does not compose, all of it at once.

Hydra stops at the first thing. Here the overrides are applied one by one, by Hydra
still, and those that it refuses are explained and laid over the config all the same.
"""

import re
import shlex
import traceback
from collections.abc import Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from hydra.core.object_type import ObjectType
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from experiments.command.answers.provenance import find_choice, trace_keys
from experiments.command.composing.composer import (
    Composer,
    quote,
    quote_word,
    without_hydra,
)
from experiments.command.composing.loader import Loader
from experiments.config.code.extras import how_to_get_launcher
from experiments.config.reading.convert import (
    UnknownKey,
    list_names,
    show_value,
    unknown_key,
)
from experiments.config.schema.run import RunConfig
from experiments.config.validation import find_problems
from experiments.errors import ExperimentError, Problem
from experiments.secret_names import is_secret_name

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

MOST_REPEATED = 200  # letters of a value that a hint writes out
_NOT_FOUND = re.compile(
    r"(?:In '(?P<file>[^']+)': )?Could not find '(?P<group>[^']+)/(?P<name>[^'/]+)' "
    r"Available options in '(?P=group)': (?P<options>.*?) Config search path"
)
_NOT_LOADED = re.compile(r"In '(?P<file>[^']+)': Could not load '(?P<path>[^']+)'")
_NO_PRIMARY = re.compile(r"Cannot find primary config '([^']*)'")
_LIBRARIES = ("hydra", "omegaconf", "yaml", "antlr4")
# What they raise on purpose, and what Python raises at what no program can take.
_OF_CONFIGS = (
    ExperimentError,
    HydraException,
    OmegaConfBaseException,
    YAMLError,
    OSError,
    RecursionError,
)
# Of Hydra's grammar those that have a use for a number.
_CALLS = "only choice(1,2), range(1,4), and interval(1e-4,1e-2) where a search is"
_DEPTH = 50
# What YAML's reader says -> what to look for.
_OF_YAML = (
    (r"'\t'", "a tab stands where only spaces may"),
    ("mapping values", "its spaces do not fit the line above, or that lacks a :"),
    ("expected <block end>", "its spaces do not fit the lines above"),
    ("could not find expected ':'", "a : is missing, here or in the line above"),
    ("while scanning a quoted scalar", "a quote is not closed"),
    ("unexpected end of stream", "a quote or bracket is not closed"),
    ("but got '<stream end>'", "a bracket is not closed"),
)
# Groups of the primary config: of each a file is chosen.
_CHOSEN = {"experiment", "debug", *(field.name for field in fields(RunConfig))}
_MERGING = re.compile(r"^Error merging override .*?\. (?=Invalid|Value|Cannot|Key)")
_FULL_KEY = re.compile(r"full_key: (\S+)")

# What sets Hydra up by its own node, before and after a job.
_HYDRAS = {
    "configure_log",
    "Callbacks.__init__",
    "ConfigLoaderImpl.compute_defaults_list",
    "Hydra.compose_config",
    "Hydra.shell_completion",
    "Plugins.instantiate_sweeper",
    "Plugins.instantiate_launcher",
}


def diagnose(
    job: Sequence[str], composer: Composer, error: Exception
) -> tuple[DictConfig, list[Problem]]:
    """Returns the config of a job as far as there is one, and what is wrong in it.

    Args:
        job: Its overrides.
        composer: Has refused it.
        error: Why.
    """
    try:
        whole, problems = compose_leniently(job, composer)
        refused = {p.key for p in problems if isinstance(p, UnknownKey)}
    except Exception as second:  # a file is wrong, or one of Hydra's own keys
        if is_own_fault(second):
            raise
        return OmegaConf.create(), explain_refusal(second, composer)
    config = without_hydra(whole)
    if "hydra" in whole:
        problems += composer.loader.find_unauthorised(whole)
    reported = {problem.key for problem in problems}
    unknown = tuple(f"{p.key}." for p in problems if isinstance(p, UnknownKey))
    problems += [
        problem
        for problem in find_problems(config)
        if problem.key not in reported and not problem.key.startswith(unknown)
    ]
    if "hydra" in whole:
        words = composer.list_typed(job)
        problems = trace_keys(
            problems, whole, composer.loader, words=words, refused=refused
        )
    return config, problems or [explain(error, composer.loader)]


def compose_leniently(
    job: Sequence[str], composer: Composer
) -> tuple[DictConfig, list[Problem]]:
    """Returns the config of a job with Hydra's own node, and what Hydra refuses in it.

    Raises:
        Exception: Whatever Hydra raises for files that do not fit each other.
    """
    overrides = composer.loader.parse(job)
    problems: list[Problem] = []
    groups: list[str] = []
    values: list[Override] = []
    second: list[Override] = []
    for override in overrides:
        if isinstance(override.value(), dict) or not composer.is_group(
            override.key_or_group
        ):
            values.append(override)
        elif problem := _check_choice(override, composer):
            problems.append(problem)
        elif override.is_add() and override.key_or_group in _CHOSEN:
            second.append(override)
        else:
            groups.append(override.input_line or "")
    try:
        whole = composer.loader.load_configuration(
            composer.config_name, [*composer.hydra_overrides, *groups], RunMode.RUN
        )
    except Exception:
        if not problems:
            raise
        return OmegaConf.create(), problems
    problems += [_describe_second(override, whole) for override in second]
    _apply(values, whole, composer, problems)
    return whole, problems


def _apply(
    values: Sequence["Override"],
    whole: DictConfig,
    composer: Composer,
    problems: list[Problem],
) -> None:
    """Applies values one by one; what Hydra refuses is told and laid over all the same.

    Args:
        values: Overrides of keys.
        whole: What they change, with Hydra's own node.
        composer: Knows the files.
        problems: What is wrong so far, to which is added.
    """
    for override in values:
        node = OmegaConf.select(whole, override.key_or_group, throw_on_missing=False)
        if OmegaConf.is_dict(node) and isinstance(override.value(), list):
            problems.append(_refuse_list(override, node))
            continue
        if (parent := _find_value_above(override.key_or_group, whole)) is not None:
            reason = f"is inside of {parent}, which has a value and no keys."
            hint = f"Type {parent}=..."
            problems.append(Problem(override.key_or_group, reason, hint))
            continue
        try:
            composer.loader._apply_overrides_to_config([override], whole)
        except HydraException as error:
            absent = {p.key for p in problems if isinstance(p, UnknownKey)}
            problems.append(_describe(override, whole, composer, error, absent))
            with suppress(OmegaConfBaseException):  # Hydra's node takes nothing else
                _lay_over(whole, override)


def _find_value_above(key: str, whole: DictConfig) -> str | None:
    """Returns the key above one that holds a value, or a list; `None` without."""
    parts = key.split(".")
    there, node = _follow(parts, whole)
    is_value = node is not None and not isinstance(node, DictConfig)
    return ".".join(parts[:there]) if is_value and there < len(parts) else None


def _follow(parts: Sequence[str], config: DictConfig) -> tuple[int, object]:
    """Returns how many parts of a key are there, and what the last of them holds."""
    node: object = config
    for number, name in enumerate(parts):
        # `in` would deny a key that is there and still `???`.
        if not isinstance(node, DictConfig) or name not in node.keys():  # noqa: SIM118
            return number, node
        node = node._get_node(name) if OmegaConf.is_missing(node, name) else node[name]
    return len(parts), node


def explain_refusal(error: BaseException, composer: Composer) -> list[Problem]:
    """Returns what keeps a command line from being composed.

    Args:
        error: What Hydra raised.
        composer: Has tried to compose.
    """
    is_value = isinstance(error.__cause__, OmegaConfBaseException)
    of_settings = _explain_settings(composer) if is_value else []
    return of_settings or [explain(error, composer.loader)]


def _explain_settings(composer: Composer) -> list[Problem]:
    """Returns what Hydra refuses of the keys of its own node that were typed."""
    loader = composer.loader
    typed = loader.parse(composer.hydra_overrides)
    files = [
        override
        for override in typed
        if composer.is_group(override.key_or_group)
        or override.key_or_group == "hydra.searchpath"
    ]
    words = [override.input_line or "" for override in files]
    values = [override for override in typed if override not in files]
    problems: list[Problem] = []
    try:
        whole = loader.load_configuration(composer.config_name, words, RunMode.RUN)
        _apply(values, whole, composer, problems)
    except Exception:  # of many kinds: a file, or a value that is null, is in the way
        return []
    refused = {problem.key for problem in problems}
    return trace_keys(
        problems, whole, loader, words=composer.hydra_overrides, refused=refused
    )


def explain(error: BaseException, loader: Loader) -> Problem:
    """Returns an error of Hydra in our words where its own don't say what to do.

    Args:
        error: What it raised.
        loader: Has composed, or tried to.
    """
    unset = _FULL_KEY.search(str(error))
    if unset and type(error) is AttributeError:  # OmegaConf's, of a null
        hint = "Set it in a file of your own: --config-dir my_conf"
        return Problem(unset[1], "is null and takes no mapping there.", hint)
    if (outside := _explain_outside(error)) is not None:
        return outside
    text = _describe_error(error)
    if primary := _NO_PRIMARY.search(text):
        reason = f"names no file of the folders of configs. Received: {primary[1]!r}."
        hint = "A whole experiment is chosen by its name: experiment=..."
        return Problem("--config-name", reason, hint)
    absent = _NOT_FOUND.search(text)
    if parent := _NOT_LOADED.search(text):
        group, _, name = parent["path"].rpartition("/")
        return _explain_choice(parent["file"], group, name, loader)
    if absent is None:
        if "INTERVAL_SWEEP" in text:
            reason = "has an interval, from which only a search takes values."
            return Problem("The sweep", reason, "Add hydra/sweeper=keras_tuner.")
        return Problem("command line:", text)
    return _explain_choice(absent["file"], absent["group"], absent["name"], loader)


def _explain_choice(
    where: str | None, group: str, name: str, loader: Loader
) -> Problem:
    """Returns what is wrong with a file that a file chooses, or builds on."""
    hint = _suggest_option(group, name, loader)
    if group == "hydra/launcher":
        hint = how_to_get_launcher(name) or hint
    place = find_choice(where, group, name, loader)
    source = "" if place is None else f" It comes from {place}."
    options = loader.folders.get_group_options(group)
    reason = f"must be {_list_names(options, hint)}. Received: {name!r}.{source}"
    return Problem(group, reason, hint)


def _list_names(options: Sequence[str], hint: str) -> str:
    """Returns what a choice must be, in short where one of many names is meant."""
    is_known = hint.startswith("Did you mean")
    return list_names(options) if is_known else list_names(options, len(options))


def _explain_outside(error: BaseException) -> Problem | None:
    """Returns an error of Python, which says nothing of a config, in our words."""
    for part in (error, error.__cause__, error.__context__):
        if isinstance(part, HydraException):
            continue
        if isinstance(part, RecursionError):
            hint = f"No file and no value may be nested more than {_DEPTH} deep."
            return Problem("The configuration", "is nested too deeply.", hint)
        if isinstance(part, UnicodeDecodeError):
            reason = "holds a file that is no text."
            return Problem("The configuration", reason, "Save it as UTF-8.")
        if isinstance(part, OSError):
            path = f": {part.filename}" if part.filename else ""
            reason = f"names a file that cannot be opened: {part.strerror}{path}."
            return Problem("The configuration", reason)
        if isinstance(part, YAMLError):
            place = getattr(part, "problem_mark", None)
            where = f" in {place.name}, line {place.line + 1}" if place else ""
            what = getattr(part, "problem", None) or "it cannot be read"
            told = next((ours for yamls, ours in _OF_YAML if yamls in what), what)
            return Problem("The configuration", f"is no YAML{where}: {told}.")
        if isinstance(part, ValueError) and "int_max_str_digits" in str(part):
            reason = "holds a number of thousands of digits."
            return Problem("The configuration", reason, "Put quotes around a text.")
    return None


def explain_word(word: str, error: Exception, loader: Loader) -> Problem:
    """Returns why a word can't be read, and what would be."""
    told = _describe_error(error).partition(" See https:")[0]
    key, _, value = word.partition("=")
    if "while evaluating" in told:
        return Problem(key, f"is refused: {_evaluate(told)}.")
    try:
        loader.parse([f"{key}={quote(value)}"])
    except HydraException:
        hint = "Type key=value, the key of letters a to z, digits, dots and _."
        return Problem(word, "has a key that cannot be read.", hint)
    reason = f"has a value that cannot be read. Received: {value}."
    hint = "If it is a text, put quotes around it"
    end = f": {quote_word(key, value)}" if len(value) <= MOST_REPEATED else "."
    return Problem(key, reason, hint + end)


def _evaluate(told: str) -> str:
    """Returns what is wrong with a call, such as `range(a)`."""
    what = told.partition("while evaluating ")[2]
    unknown = re.fullmatch(r"(.*): Unknown function '(.*)' Available: .*", what)
    if unknown is None:
        return what
    return f"{unknown[1]}: there is no {unknown[2]}, {_CALLS}"


def is_own_fault(error: BaseException) -> bool:
    """Tells whether an error arose in this project's code, and not in Hydra's.

    Hydra, OmegaConf and YAML answer a wrong config with errors of any kind. One of
    ours, an `ExperimentError` excepted, is a fault of the program.
    """
    if isinstance(error, _OF_CONFIGS):
        return False
    names = [
        frame.f_globals.get("__name__", "").partition(".")[0]
        for frame, _ in traceback.walk_tb(error.__traceback__)
    ]
    deciding = [name for name in names if name in ("experiments", *_LIBRARIES)]
    return deciding[-1:] == ["experiments"]


def _describe_error(error: BaseException) -> str:
    """Returns what Hydra says in one line, and what OmegaConf said to Hydra."""
    told = [error] if error.__cause__ is None else [error, error.__cause__]
    lines = [" ".join(str(part).split()).partition(" full_key:")[0] for part in told]
    text = ". ".join(line.rstrip(".") for line in lines if line)
    if isinstance(error, HydraException):
        return text
    says_nothing = not text or isinstance(error, LookupError | AssertionError)
    name = f"{type(error).__name__}: " if says_nothing else ""
    return f"it is refused: {name}{text}"


def is_hydras(error: BaseException) -> bool:
    """Tells whether Hydra refuses a config, rather than code that it calls fails."""
    if isinstance(error, HydraException):
        return True
    names: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        names.append(trace.tb_frame.f_code.co_qualname)
        trace = trace.tb_next
    return not _HYDRAS.isdisjoint(names)


def _check_choice(override: "Override", composer: Composer) -> Problem | None:
    """Returns what is wrong with the choice of a group."""
    group = override.key_or_group
    choice: Any = override.value()
    if override.is_delete() or choice is None:
        return None
    folders = composer.loader.folders
    for name in choice if isinstance(choice, list) else [choice]:
        known = isinstance(name, str) and bool(name)
        if not known or not ("${" in name or folders.config_exists(f"{group}/{name}")):
            options = folders.get_group_options(group)
            hint = _suggest_option(group, name, composer.loader)
            names = _list_names(options, hint)
            received = show_value(name)
            return Problem(group, f"must be {names}. Received: {received}.", hint)
    return None


def _suggest_option(group: str, name: object, loader: Loader) -> str:
    from experiments.command.answers.suggestion import Known, suggest_option

    typed = str(name).lower() if isinstance(name, bool) else str(name)
    return suggest_option(group, typed, Known(OmegaConf.create(), loader.folders))


def _describe_second(override: "Override", whole: DictConfig) -> Problem:
    """Returns what to type instead of a file added to the one that is chosen."""
    group, name = override.key_or_group, override.value()
    chosen = whole.hydra.runtime.choices.get(group)
    hint = f"Drop the +: {group}={name}"
    if group in ("augment", "callbacks") and chosen not in (None, "none"):
        hint = f"To have both, type '{group}=[{chosen},{name}]'"
    return Problem(group, "has a file already, and takes another in its place.", hint)


def _describe(
    override: "Override",
    config: DictConfig,
    composer: Composer,
    error: Exception,
    absent: Set[str],
) -> Problem:
    """Returns why Hydra refuses to apply a value.

    Args:
        override: Sets it.
        config: As far as it is composed.
        composer: Knows the files.
        error: Hydra's.
        absent: Keys in the config that nothing declares.
    """
    key = override.key_or_group
    if override.is_add():
        _, _, value = (override.input_line or "").partition("=")
        is_shown = len(value) <= MOST_REPEATED and not is_secret_name(key)
        word = shlex.quote(f"{key}={value if is_shown else '...'}")
        return Problem(key, "is set already.", f"Drop the +: {word}")
    for path in _list_paths(key, override.value()):
        problem = _check_declared(path, config, composer, absent)
        if problem is not None:
            return problem
    if override.is_delete() and OmegaConf.select(config, key) is None:
        return Problem(key, "is null already.", f"Leave ~{key} out.")
    told = _MERGING.sub("", _describe_error(error))
    return Problem(key, f"is refused: {told}.")


def _refuse_list(override: "Override", node: DictConfig) -> Problem:
    """Returns what to type in place of a list where keys with values belong."""
    key, value = override.key_or_group, override.value()
    hint = "" if node else f"To add one, type +{key}.name=value"
    return Problem(key, f"must be a mapping. Received: {value}.", hint)


def _list_paths(key: str, value: object) -> Iterator[str]:
    """Yields the keys that a value sets, those inside of a mapping too."""
    yield key
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _list_paths(f"{key}.{name}", part)


def _check_declared(
    key: str, config: DictConfig, composer: Composer, absent: Set[str]
) -> Problem | None:
    """Returns a problem for a key that is in no file."""
    parts = key.split(".")
    there, node = _follow(parts, config)
    if there == len(parts):
        return None
    names = [str(k) for k in node] if isinstance(node, DictConfig) else []
    if there == 0:
        # `experiment` and `debug` are groups and no keys.
        names += composer.loader.folders.get_group_options("", ObjectType.GROUP)
    names = [n for n in names if ".".join([*parts[:there], n]) not in absent]
    problem = unknown_key(".".join(parts[: there + 1]), set(names) - {"hydra"})
    return problem if names else replace(problem, hint=f"To add it, type +{key}=...")


def _lay_over(config: DictConfig, override: "Override") -> None:
    """Applies a value as Hydra would, but never refuses an unknown key."""
    key = override.key_or_group
    with open_dict(config):
        if not override.is_delete():
            OmegaConf.update(config, key, override.value(), merge=True, force_add=True)
            return
        parent, _, name = key.rpartition(".")
        node = OmegaConf.select(config, parent) if parent else config
        if isinstance(node, DictConfig):
            node.pop(name, None)
