"""Python and the installed packages, against what this project was built on."""

import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet

from experiments.config.code.programs import name_program
from experiments.counts import count_of
from experiments.doctor.finding import Finding, Level

PROJECT = "experiments"


def check_python(
    version: tuple[int, int, int] | None = None, needed: str | None = None
) -> Finding:
    """Looks whether the interpreter is one that the packages have wheels for.

    Args:
        version: By default that of this process.
        needed: A specifier such as `>=3.11,<3.14`; by default the project's own.
    """
    found = ".".join(map(str, version or sys.version_info[:3]))
    needed = needed or metadata.metadata(PROJECT)["Requires-Python"]
    if found in SpecifierSet(needed):
        return Finding(level="ok", what="Python", told=found)
    advice = f"Make the environment with a Python {needed}."
    told = f"{found}, which is not {needed}"
    return Finding(level="error", what="Python", told=told, advice=advice)


def check_packages(
    requirements: Sequence[str] | None = None,
    installed: Callable[[str], str] | None = None,
) -> Iterator[Finding]:
    """Yields each package that is absent or of another version; else that all fit.

    Those of extras count where they are installed.

    Args:
        requirements: As `pyproject.toml` has them; by default those of the project.
        installed: Returns the version of a package, or raises `PackageNotFoundError`.
    """
    listed = metadata.requires(PROJECT) if requirements is None else requirements
    read = installed or metadata.version
    fitting = 0
    for requirement in _parse(listed or ()):
        name, extra = requirement.name, _of_extra(requirement)
        try:
            version = read(name)
        except metadata.PackageNotFoundError:
            if not extra:
                yield _refuse("error", requirement, "is not installed")
            continue
        if requirement.specifier.contains(version, prereleases=True):
            fitting += 1
        else:
            yield _refuse("warning" if extra else "error", requirement, f"is {version}")
    told = f"{count_of(fitting, 'package')} of the versions that were tried"
    yield Finding(level="ok", what="packages", told=told)


def _parse(listed: Sequence[str]) -> Iterator[Requirement]:
    """Yields each requirement of this machine, those of extras included, once."""
    known = set()
    for text in listed:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        marker = requirement.marker
        applies = marker is None or _of_extra(requirement) or marker.evaluate()
        key = (requirement.name, str(requirement.specifier))
        if applies and key not in known:
            known.add(key)
            yield requirement


def _of_extra(requirement: Requirement) -> bool:
    return requirement.marker is not None and "extra" in str(requirement.marker)


def _refuse(level: Level, requirement: Requirement, verb: str) -> Finding:
    wanted = f"{requirement.name}{requirement.specifier}"
    return Finding(
        level=level,
        what="packages",
        told=f"{requirement.name} {verb}, and {wanted} is needed",
        advice=f"{name_program('pip')} install '{wanted}'",
    )
