import json
import subprocess
import sys

import pytest
import yaml

from experiments.tracking.surroundings import code_version, hardware
from experiments.tracking.surroundings.code_version import read_code_version
from experiments.tracking.surroundings.environment import describe_environment
from experiments.tracking.surroundings.hardware import describe_hardware


def git(folder, *arguments):
    identity = ["-c", "user.name=A", "-c", "user.email=a@b.c"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def checkout(tmp_path):
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "a.txt").write_text("one\n")
    git(tmp_path, "add", "a.txt")
    git(tmp_path, "commit", "-q", "-m", "Begin")
    return tmp_path


def test_clean_checkout_has_a_commit_and_no_diff(checkout):
    version = read_code_version(checkout)
    assert version.commit == git(checkout, "rev-parse", "HEAD").strip()
    assert version.branch == "main"
    assert version.dirty is False
    assert version.diff == ""
    assert version.note == ""


def test_changes_and_new_files_are_told(checkout):
    (checkout / "a.txt").write_text("two\n")
    (checkout / "neu é.txt").write_text("new\n")
    version = read_code_version(checkout)
    assert version.dirty is True
    assert "-one\n+two\n" in version.diff
    assert version.untracked == ("neu é.txt",)


def test_diff_holds_no_secret_and_says_so(checkout):
    (checkout / "a.txt").write_text("API_KEY=Kx7qCanary92\n")
    (checkout / "a.py").write_text("key = 1\n")
    git(checkout, "add", "a.py")
    git(checkout, "commit", "-q", "-m", "Add")
    (checkout / "a.py").write_text("token = read()\npassword = 'Kx7qCanary93'\n")
    version = read_code_version(checkout)
    assert "+API_KEY=***" in version.diff
    assert "+token = read()\n+password = '***'" in version.diff
    assert "Canary" not in version.diff
    assert version.note == "secrets in the diff stand as ***"


def test_command_holds_no_secret(monkeypatch):
    words = ["python", "run.py", "tags.token='a b'", "seed=1"]
    monkeypatch.setattr(sys, "orig_argv", words)
    assert describe_environment().command.endswith("run.py 'tags.token=***' seed=1")


def test_diff_applies_again(checkout):
    (checkout / "a.txt").write_text("two\n")
    diff = read_code_version(checkout).diff
    git(checkout, "checkout", "-q", "a.txt")
    (checkout / "x.patch").write_text(diff)
    git(checkout, "apply", "x.patch")
    assert (checkout / "a.txt").read_text() == "two\n"


def test_large_diff_is_cut_and_says_so(checkout):
    (checkout / "a.txt").write_text("x" * 10_000)
    version = read_code_version(checkout, diff_limit=1000)
    assert len(version.diff) < 1200
    assert "the first 1,000 are kept" in version.diff
    assert "the first 1,000 are kept" in version.note


def test_staged_and_subfolder_changes_are_seen_from_a_subfolder(checkout):
    (checkout / "a.txt").write_text("two\n")
    git(checkout, "add", "a.txt")
    (checkout / "sub").mkdir()
    assert "+two" in read_code_version(checkout / "sub").diff


def test_outside_a_checkout_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    version = read_code_version(tmp_path)
    assert version.commit is None
    assert version.dirty is None
    assert "not a git repository" in version.note


def test_checkout_without_a_commit_says_so(tmp_path):
    git(tmp_path, "init", "-q")
    version = read_code_version(tmp_path)
    assert version.commit is None
    assert "no git commit is known" in version.note


def test_without_git_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git is not installed" in read_code_version(tmp_path).note


def test_silent_git_is_given_up(checkout, monkeypatch):
    monkeypatch.setattr(code_version, "_SECONDS", 0)
    assert "timed out" in read_code_version(checkout).note


def test_hardware_is_measured():
    machine = describe_hardware()
    assert machine.threads is not None
    assert machine.threads >= 1
    assert 0.1 < machine.memory_gb < 100_000
    assert machine.cpu


def test_gpus_are_read_from_nvidia_smi(tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA T4, 15360 MiB, 550.1'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert hardware.describe_hardware().gpus == ("NVIDIA T4, 15360 MiB, 550.1",)


def test_broken_nvidia_smi_is_told(tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\nexit 9\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "nvidia-smi failed" in hardware.describe_hardware().gpus[0]


def test_environment_is_plain_data_with_packages_and_command(checkout):
    environment = describe_environment(checkout)
    content = environment.as_dict()
    assert yaml.safe_load(yaml.safe_dump(content)) == content
    assert json.loads(json.dumps(content)) == content
    assert content["packages"]["mlflow"].startswith("3.")
    assert content["command"].startswith("python")
    assert "diff" not in content["code"]
    assert environment.tags()["experiments.git.dirty"] == "false"
    assert environment.tags()["mlflow.source.git.commit"] == environment.code.commit


def test_environment_imports_no_framework():
    check = (
        "import sys, experiments.tracking.surroundings.environment as e;"
        "e.describe_environment();"
        "print({'mlflow', 'keras', 'tensorflow', 'numpy'} & set(sys.modules))"
    )
    command = [sys.executable, "-W", "error", "-c", check]
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("set()\n", "")
