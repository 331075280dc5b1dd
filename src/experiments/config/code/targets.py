"""The only place that turns a dotted path into an object.

What a path may name is decided in `authority`: of the text when a config is checked,
of the object here, before it is called.
"""

import inspect
import operator
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any

from experiments.config.code.authority import check_name, covers, describe_allowing
from experiments.config.reading.convert import MISSING
from experiments.config.reading.fields import Target
from experiments.errors import ConfigError, Problem, summarise_error

# Groups whose components are of one class of Keras, as its public name there.
_KINDS = {
    "optimizer": "optimizers.Optimizer",
    "loss": "losses.Loss",
    "callbacks": "callbacks.Callback",
}


def check_targets(
    node: object, allowed: Sequence[str], key: str = "", *, recorded: bool = False
) -> Iterator[Problem]:
    """Yields a problem for each `_target_` in `node` that may not be named.

    Args:
        node: Plain data as composed; targets count at any depth, in lists too.
        allowed: Packages and modules whose classes and functions may be built.
        key: Dotted path of `node`.
        recorded: The config is the record of a run, which grants itself nothing.
    """
    if isinstance(node, list | tuple):
        for number, child in enumerate(node):
            yield from check_targets(
                child, allowed, f"{key}[{number}]", recorded=recorded
            )
    if not isinstance(node, Mapping):
        return
    target = node.get("_target_")
    if isinstance(target, str) and target != MISSING:
        problem = check_name(target, allowed, key=key, recorded=recorded)
        if problem is not None:
            yield problem
    for name, child in node.items():
        inside = f"{key}.{name}" if key else str(name)
        yield from check_targets(child, allowed, inside, recorded=recorded)


def resolve(target: str, *, key: str, allowed: Sequence[str]) -> Any:
    """Imports the object a `_target_` names, if it may be built.

    A module is imported only where the path names it in an allowed package; no
    attribute of an object is followed.

    Args:
        target: Dotted path.
        key: Config key of the node, for the message.
        allowed: `allowed_targets` of the config.

    Returns:
        A class or function that a module of an allowed package defines, or a class
        that a package of Keras exports.

    Raises:
        ConfigError: Nothing of that name can be imported, or it may not be built.
    """
    problem = check_name(target, allowed, key=key)
    if problem is None:
        found = _find(target, key)
        problem = _check_object(found, target, key=key, allowed=allowed)
    if problem is not None:
        raise ConfigError([problem])
    return found


def instantiate(
    config: Target, *, key: str, allowed: Sequence[str], **run_time: Any
) -> Any:
    """Builds what `config` names from its keys and facts known only at run time.

    Args:
        config: A validated node.
        key: Its config key, such as `model`, for the message.
        allowed: `allowed_targets` of the config.
        **run_time: Arguments beside the config's own; these win.

    Returns:
        Whatever the target returns.

    Raises:
        ConfigError: The target does not exist, may not be built or refuses the names
            of its arguments.
    """
    target = resolve(config._target_, key=key, allowed=allowed)
    arguments = {**config.arguments(), **run_time}
    try:
        inspect.signature(target).bind(**arguments)
    except TypeError as error:
        problem = Problem(key, f"does not fit {config._target_}: {error}.")
        raise ConfigError([problem]) from error
    except ValueError:
        pass  # built-ins without a signature check their own arguments
    try:
        return target(**arguments)
    except (TypeError, ValueError) as error:
        # Keras' optimizers take any argument by `**kwargs`, and look at it then.
        if str(target.__module__).partition(".")[0] != "keras":
            raise
        reason = f"does not fit {config._target_}: {summarise_error(error)}."
        hint = "A file of its own names its own arguments, see docs/extending.md."
        raise ConfigError([Problem(key, reason, hint)]) from error


def _find(target: str, key: str) -> Any:
    """Returns what a module has under a name."""
    module_name, _, name = target.rpartition(".")
    try:
        return getattr(import_module(module_name), name)
    except Exception as error:
        reason = f"names nothing that can be imported. Received: {target!r}."
        hint = f"{type(error).__name__}: {error}"
        raise ConfigError([Problem(f"{key}._target_", reason, hint)]) from error


def _check_object(
    found: Any, target: str, *, key: str, allowed: Sequence[str]
) -> Problem | None:
    """Returns why an object may not be built, whatever name it was found by."""
    field, received = f"{key}._target_", f"Received: {target!r}"
    plain = inspect.unwrap(found) if callable(found) else found
    if not isinstance(plain, type | FunctionType):
        kind = "module" if isinstance(found, ModuleType) else type(found).__name__
        reason = "must name a class or function of a module."
        return Problem(field, f"{reason} {received}, a {kind}.")
    module = str(plain.__module__)
    name = f"{module}.{plain.__qualname__}"
    if not covers(allowed, name) and not _is_public(plain, target, key):
        reason = f"must name what an allowed package defines. {received}, which is"
        hint = f"To build it all the same: {describe_allowing(name, allowed)}"
        foreign = module.partition(".")[0] in sys.stdlib_module_names
        return Problem(field, f"{reason} {name}.", "" if foreign else hint)
    if covers(["experiments"], name) and check_name(name, allowed, key=key):
        reason = "must name a component, of the project or of your own."
        return Problem(field, f"{reason} {received}, which is {name}.")
    if isinstance(plain, type) and _is_of_kind(plain, key) is False:
        kind = _KINDS[key.partition(".")[0]]
        reason = f"must name a subclass of keras.{kind}."
        return Problem(field, f"{reason} {received}.")
    return None


def _is_public(found: Any, target: str, key: str) -> bool:
    """Tells whether an allowed package exports a class that lies elsewhere in it.

    `keras.optimizers.Adam` is defined in `keras.src.optimizers.adam`. A class of the
    kind that its group wants is what such a package is allowed for; its functions load
    and deserialise whatever they are given.
    """
    same = str(found.__module__).partition(".")[0] == target.partition(".")[0]
    return same and isinstance(found, type) and _is_of_kind(found, key) is True


def _is_of_kind(found: type, key: str) -> bool | None:
    """Tells whether a class is of its group's kind; `None` where any will do."""
    kind = _KINDS.get(key.partition(".")[0])
    if kind is None:
        return None
    keras = sys.modules.get("keras")  # whoever subclasses it has imported it
    return keras is not None and issubclass(found, operator.attrgetter(kind)(keras))
