"""Printed commands, read back by a shell's rules and by Hydra's."""

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from experiments.command.printed import (
    describe_command,
    describe_output,
    describe_tracking,
    move_overrides,
)
from experiments.config.code.programs import SCRIPT_VARIABLE


def words_of(command: str) -> list[str]:
    """Returns the words of a printed command, from the script on."""
    cd, folder, then, python, *words = shlex.split(command)
    assert (cd, folder, then) == ("cd", str(Path.cwd()), "&&")
    assert Path(python).name.startswith("python")
    return words


@pytest.mark.parametrize(
    ("typed", "script"),
    [
        ("run.py", "run.py"),
        ("../checkout/run.py", "../checkout/run.py"),
        ("/a b/run.py", "/a b/run.py"),
        ("/usr/lib/python3/joblib/externals/loky/worker.py", "run.py"),
    ],
)
def test_command_names_the_script_as_it_was_typed(
    typed: str, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SCRIPT_VARIABLE, raising=False)
    monkeypatch.setattr(sys, "argv", [typed, "seed=1"])
    command = describe_command("task=sync", "name=a b")
    assert words_of(command) == [script, "task=sync", "name=a b"]


def test_worker_of_a_launcher_names_the_script_of_its_parent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/lib/worker.py"])
    monkeypatch.setenv(SCRIPT_VARIABLE, "../checkout/run.py")
    assert words_of(describe_command()) == ["../checkout/run.py"]


@pytest.mark.parametrize("name", ["here", "it's a $place", "a=b, {c}"])
def test_printed_command_does_from_anywhere_what_it_did_where_it_was_typed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed_in = tmp_path / name
    typed_in.mkdir()
    (typed_in / "run.py").write_text("import sys; print(open('own').read(), *sys.argv)")
    (typed_in / "own").write_text(name)
    monkeypatch.chdir(typed_in)
    monkeypatch.setattr(sys, "argv", ["run.py"])
    command = describe_command("dataset.path=pets", "name='a b'")
    monkeypatch.chdir(tmp_path)
    done = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{name} run.py dataset.path=pets name='a b'\n"


def test_secret_is_not_printed_and_it_is_told_how_to_give_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["run.py"])
    command = describe_command("tags.token=Kx7qCanary92", "seed=1")
    words = shlex.split(command, comments=True)
    assert words[-3:] == ["run.py", "tags.token=***", "seed=1"]
    assert command.endswith("such as ${oc.env:TOKEN}")
    shown = describe_command("tags.token=${oc.env:TOKEN}")
    assert shlex.split(shown)[-1] == "tags.token=${oc.env:TOKEN}"


def test_usual_folder_is_not_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert describe_output("outputs") == []
    assert describe_output(tmp_path / "outputs") == []


@pytest.mark.parametrize(
    "name", ["elsewhere", "with space", "it's", "a,b", "a=b", "(x)", "{y}", "ü", "$z"]
)
def test_other_folder_comes_back_as_it_is(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _, word = words_of(describe_command(*describe_output(name)))
    parsed = OverridesParser.create().parse_override(word)
    assert (parsed.key_or_group, parsed.value()) == (
        "output_dir",
        str(tmp_path / name),
    )


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ((), ["tracking.uri=http://host:5000"]),
        (("seed=1",), ["tracking.uri=http://host:5000"]),
        (
            ("tracking=server", "seed=1", "tracking.uri=http://host:5000"),
            ["tracking=server", "tracking.uri=http://host:5000"],
        ),
        (("trackings=3", "++tracking.uri=http://h"), ["++tracking.uri=http://h"]),
    ],
)
def test_store_is_named_as_it_was_typed_or_by_its_address(
    compose: Any, typed: tuple[str, ...], words: list[str]
) -> None:
    run = compose("tracking=server", "tracking.uri=http://host:5000")
    assert describe_tracking(run.tracking, typed) == words


def test_usual_store_is_not_named(compose: Any) -> None:
    assert describe_tracking(compose().tracking, ["seed=1"]) == []


def test_recorded_overrides_mean_elsewhere_what_they_meant(tmp_path: Path) -> None:
    recorded = [
        "dataset=folder",
        "++dataset.path=pets",
        "output_dir=here",
        "tracking.uri=http://old",
        "tracking=server",
        "seed=1",
    ]
    pets = str(tmp_path / "my pets")
    first, second, third = move_overrides(recorded, {"dataset.path": pets})
    assert (first, third) == ("dataset=folder", "seed=1")
    parsed = OverridesParser.create().parse_override(second)
    assert (parsed.key_or_group, parsed.value()) == ("dataset.path", pets)


def test_way_to_the_records_says_nothing_of_what_a_run_records(check: Any) -> None:
    words = ["tracking.experiment=mine", "tracking.log_model=none", "seed=1"]
    run = check(*words).run
    assert describe_tracking(run.tracking, words) == ["tracking.experiment=mine"]
    assert describe_tracking(run.tracking, words[1:]) == []
