"""The release after this one, made of this one: a key more, a key and a module renamed.

It is a copy of the checkout with a format more, changed as a person would who follows
docs/records.md, so that commands of it can be run on what this release left.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from experiments.records import FORMAT
from tests.conftest import ROOT

NEXT = FORMAT + 1
_STEP = f"""
_SCHEDULES = "ConstantSchedule CosineSchedule PolynomialSchedule StepSchedule"
_FORMER, _NOW = "experiments.training.schedules", "experiments.training.rates"
STEPS[{NEXT}] = Step(
    renamed={{"model.dropout": "model.drop_rate"}},
    moved={{f"{{_FORMER}}.{{n}}": f"{{_NOW}}.{{n}}" for n in _SCHEDULES.split()}},
)
"""
_NAME_FOLDER = """
import pathlib, sys
from experiments.command.plan import check_command_line
conf = pathlib.Path(sys.argv[1])
print(check_command_line(sys.argv[2:], config_dir=conf).folder.name)
"""
_LOAD = """
import json, sys
import experiments
run = experiments.load_run(sys.argv[1])
assert "drop_rate" in run.data["model"] and "dropout" not in run.data["model"]
config = run.config
print(json.dumps([config.model.drop_rate, config.trainer.echo, sorted(run.params)]))
"""


class LaterRelease:
    """A checkout in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        skip = shutil.ignore_patterns("__pycache__", "*.egg-info")
        for name in ("src", "conf"):
            shutil.copytree(ROOT / name, folder / name, ignore=skip)
        shutil.copy(ROOT / "run.py", folder)
        self._raise_format()
        self._add_key()
        self._rename_key()
        self._move_module()

    def run(self, cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs its command in a folder."""
        return self._start(cwd, str(self.folder / "run.py"), *words)

    def name_folder(self, *words: str) -> str:
        """Returns what it calls the folder of a job."""
        done = self._start(
            self.folder, "-c", _NAME_FOLDER, str(self.folder / "conf"), *words
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def load_run(self, folder: Path) -> tuple[float, bool, list[str]]:
        """Returns the key that it renamed, the new one, and the names of settings."""
        done = self._start(self.folder, "-c", _LOAD, str(folder))
        assert done.returncode == 0, done.stderr
        drop_rate, echo, params = json.loads(done.stdout)
        return drop_rate, echo, params

    def _start(self, cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(self.folder / "src")},
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )

    def _raise_format(self) -> None:
        self._edit(
            "src/experiments/records.py", rf"^FORMAT = {FORMAT}$", f"FORMAT = {NEXT}"
        )
        with (self.folder / "src/experiments/config/formats/history.py").open(
            "a"
        ) as file:
            file.write(_STEP)

    def _add_key(self) -> None:
        field = f"    echo: bool = setting(added={NEXT}, before=False)\n"
        path = "src/experiments/config/schema/trainer.py"
        self._edit(path, r"^(?=    progress: )", field)
        with (self.folder / "conf/trainer/default.yaml").open("a") as file:
            file.write("echo: false\n")

    def _rename_key(self) -> None:
        room = "src/experiments/models/resnet"
        for path, old in (
            ("src/experiments/config/schema/models/model.py", r"\bdropout(?=: float)"),
            ("src/experiments/config/checks/doubts.py", r"(?<=model\.)dropout\b"),
            ("conf/model/resnet.yaml", r"^dropout(?=:)"),
            ("conf/experiment/search_resnet50.yaml", r"(?<=model\.)dropout\b"),
            (f"{room}/builder.py", r"\bdropout(?=:)|(?<=dropout=)dropout\b"),
        ):
            self._edit(path, old, "drop_rate")

    def _move_module(self) -> None:
        module = self.folder / "src/experiments/training/schedules.py"
        module.rename(module.with_name("rates.py"))
        for path in (
            "src/experiments/config/schema/schedule.py",
            "src/experiments/training/callbacks/plateau.py",
            *(
                f"conf/schedule/{path.name}"
                for path in ROOT.glob("conf/schedule/*.yaml")
            ),
        ):
            old = r"experiments\.training\.schedules"
            if re.search(old, (self.folder / path).read_text()):
                self._edit(path, old, "experiments.training.rates")

    def _edit(self, path: str, old: str, new: str) -> None:
        file = self.folder / path
        text, count = re.subn(old, new, file.read_text(), flags=re.MULTILINE)
        assert count, f"{path} has no {old}"
        file.write_text(text)
