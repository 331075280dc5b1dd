"""The only place that turns a dotted path into an object."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from experiments.config.fields import Target
from experiments.errors import ConfigError, Problem


def check_targets(
    node: object, allowed: Sequence[str], key: str = ""
) -> Iterator[Problem]:
    """Yields a problem for each `_target_` below `node` outside the allow-list.

    Args:
        node: Plain data as composed.
        allowed: Packages and modules whose members may be built.
        key: Dotted path of `node`.
    """
    if not isinstance(node, Mapping):
        return
    target = node.get("_target_")
    if isinstance(target, str) and target != "???" and not _allows(allowed, target):
        yield Problem(
            f"{key}._target_",
            f"must begin with one of {', '.join(allowed)}. Received: {target!r}.",
            f"To build your own, add its package: "
            f"allowed_targets='[{','.join([*allowed, target.partition('.')[0]])}]'.",
        )
    for name, child in node.items():
        yield from check_targets(child, allowed, f"{key}.{name}" if key else str(name))


def _allows(allowed: Sequence[str], target: str) -> bool:
    return any(target == name or target.startswith(f"{name}.") for name in allowed)


def resolve(target: str, *, key: str) -> Any:
    """Imports the object a validated `_target_` names.

    Args:
        target: Dotted path, already checked against the allow-list.
        key: Config key of the node, for the message.

    Raises:
        ConfigError: Nothing of that name can be imported.
    """
    from hydra.utils import get_object

    try:
        with _silence("hydra.utils"):  # it logs what is raised below, in two lines
            return get_object(target)
    except Exception as error:
        reason = f"names nothing that can be imported. Received: {target!r}."
        hint = f"{type(error.__cause__ or error).__name__}: {error.__cause__ or error}"
        raise ConfigError([Problem(f"{key}._target_", reason, hint)]) from error


@contextmanager
def _silence(name: str) -> Iterator[None]:
    logger = logging.getLogger(name)
    former, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = former


def instantiate(config: Target, *, key: str, **run_time: Any) -> Any:
    """Builds what `config` names from its keys and facts known only at run time.

    Args:
        config: A validated node.
        key: Its config key, such as `model`, for the message.
        **run_time: Arguments beside the config's own; these win.

    Returns:
        Whatever the target returns.

    Raises:
        ConfigError: The target does not exist or refuses the names of its arguments.
    """
    import inspect

    target = resolve(config._target_, key=key)
    arguments = {**config.arguments(), **run_time}
    try:
        inspect.signature(target).bind(**arguments)
    except TypeError as error:
        problem = Problem(key, f"does not fit {config._target_}: {error}.")
        raise ConfigError([problem]) from error
    except ValueError:
        pass  # built-ins without a signature check their own arguments
    return target(**arguments)
