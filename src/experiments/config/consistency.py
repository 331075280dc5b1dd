"""Checks that span groups: two values that are fine alone and cannot go together."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from experiments.config.convert import nearest
from experiments.errors import Problem

if TYPE_CHECKING:
    from experiments.config.schema import RunConfig
