"""Everything around a run that its result may depend on."""

import platform
import shlex
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from experiments.own_code import own_folder
from experiments.redaction import redact_word
from experiments.shipped import is_checkout
from experiments.tracking.spool.tag_names import PREFIX
from experiments.tracking.surroundings.code_version import (
    CodeVersion,
    read_code_version,
)
from experiments.tracking.surroundings.hardware import Hardware, describe_hardware


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Code, packages, machine and command of a run.

    Attributes:
        code: The git checkout.
        packages: Installed distributions by name, with their versions.
        hardware: The machine.
        python: Version of the interpreter.
        command: The command line, quoted for a shell, without secrets.
        folder: Where it was typed.
    """

    code: CodeVersion
    packages: Mapping[str, str]
    hardware: Hardware
    python: str
    command: str
    folder: str

    def as_dict(self) -> dict[str, Any]:
        """Returns all but the diff as plain data, for a YAML or JSON file."""
        content = asdict(self)
        del content["code"]["diff"]
        content["code"]["untracked"] = list(self.code.untracked)
        content["hardware"]["gpus"] = list(self.hardware.gpus)
        return content

    def tags(self) -> dict[str, str]:
        """Returns the facts by which runs are looked for."""
        code, hardware = self.code, self.hardware
        tags = {
            f"{PREFIX}python": self.python,
            f"{PREFIX}hardware.cpu": hardware.cpu,
            f"{PREFIX}hardware.gpu": "; ".join(hardware.gpus) or "none",
            f"{PREFIX}git.note": code.note,
        }
        if code.commit is not None:
            # Under this name MLflow's pages show the version of a run.
            tags["mlflow.source.git.commit"] = code.commit
            tags[f"{PREFIX}git.dirty"] = str(bool(code.dirty)).lower()
            tags[f"{PREFIX}git.branch"] = code.branch or "detached"
        return {key: value for key, value in tags.items() if value}


def describe_environment(folder: Path | None = None) -> Environment:
    """Returns what surrounds this process; never fails and imports no framework.

    Args:
        folder: In the checkout to describe; by default where this code lies, or of
            an installed package the code of the person who uses it.
    """
    if folder is None:
        folder = Path(__file__).parent if is_checkout() else own_folder()
    words = [redact_word(word) for word in sys.orig_argv[1:]]
    return Environment(
        code=read_code_version(folder),
        packages=_package_versions(),
        hardware=describe_hardware(),
        python=platform.python_version(),
        command=shlex.join([Path(sys.executable).name, *words]),
        folder=str(_current_folder()),
    )


@cache
def _package_versions() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for distribution in distributions():
        metadata = distribution.metadata  # read from the disk each time
        if name := metadata["Name"]:  # damaged installations have none
            found.setdefault(name, metadata["Version"])
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def _current_folder() -> Path | str:
    try:
        return Path.cwd()
    except FileNotFoundError:
        return "deleted"
