"""Puts into the wheel what lies beside `src/` in the repository.

An editable install takes nothing: there the files are found where they are.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

# Folder of the repository -> folder of the package `experiments` in a wheel; read back
# by `experiments.shipped`.
SHIPPED = {"conf": "conf", "examples/my_project": "my_project"}
# What belongs to the machine that builds.
OWN = Path("conf", "local")


class BuildWithFiles(build_py):
    """Builds the package and copies the configs and the first project into it."""

    def run(self) -> None:
        """Builds; an editable install copies nothing."""
        super().run()
        if self.editable_mode:
            return
        for source, target in self._list_shipped():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Returns the files that are built, those that are copied among them."""
        outputs = super().get_outputs(include_bytecode)
        shipped = [] if self.editable_mode else self._list_shipped()
        return [*outputs, *(str(target) for _, target in shipped)]

    def get_source_files(self) -> list[str]:
        """Returns what a source distribution must hold to build the same."""
        shipped = (str(source) for source, _ in self._list_shipped())
        return [*super().get_source_files(), *shipped]

    def _list_shipped(self) -> list[tuple[Path, Path]]:
        """Returns each file to copy and where to."""
        package = Path(self.build_lib, "experiments")
        return [
            (path, package / name / path.relative_to(folder))
            for folder, name in SHIPPED.items()
            for path in sorted(Path(folder).rglob("*"))
            if path.is_file()
            and "__pycache__" not in path.parts
            and OWN not in path.parents
        ]


setup(cmdclass={"build_py": BuildWithFiles})
