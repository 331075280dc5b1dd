"""Secrets by every way into a real run; none may be found in what it leaves."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.tiny import TINY
from tests.warm import run_to_the_end

SMALL = [*TINY, "debug=one_step"]
MODULE = """
import logging, os, warnings
import keras

class Talkative(keras.callbacks.Callback):
    def __init__(self, password):
        super().__init__()
        self.password = password

    def on_train_begin(self, logs=None):
        print("sent as token=" + "Kx7q-C20-printed", flush=True)
        print("the password is", os.environ["STORE_PASSWORD"])
        lines = ("BEGIN PRIVATE KEY-----", "Kx7qC22block+/==", "-----END PRIVATE KEY")
        print("-----" + "\\n".join(lines) + "-----")
        logging.getLogger("mine").warning("api_key: %s", "Kx7q-C23-logged")
        warnings.warn("pwd=Kx7q-C24-warned")
        page = "https://me:Kx7q-C25-raised@h/"
        raise ValueError(f"cannot reach {page} with {self.password}")
"""
CONFIG = """# @package _global_
tags:
  client_secret: Kx7q-C30-config-file
"""
WORDS = [
    "+tags.api_key=Kx7q-C1-tag",
    "+tags.note='see http://h/?token=Kx7q-C2-query&page=1'",
    "+tags.db='postgresql+psycopg2://u:Kx7q-C3-user@h/db'",
    "+tags.plain=${oc.env:SERVICE_TOKEN}",
    "+tags.git=ghp_Kx7qC5Kx7qC5Kx7qC5Kx7qC5Kx7qC5",
    "+tags.aws=AKIAKX7QC6KX7QC6KX7Q",
    "+tags.jwt=eyJhbGciOiJIUzI1NiJ9.Kx7qC7Kx7qC7.Kx7qC7",
    "+tags.header='Bearer Kx7q-C8-bearer'",
    "name='run with token=Kx7q-C9-name'",
    "+hydra.job.env_set.MY_PASSWORD=Kx7q-C10-env-set",
    "+tags.hub=hf_Kx7qC11Kx7qC11Kx7qC11Kx7qC11",
    "+tags.llm=sk-Kx7qC12Kx7qC12Kx7qC12Kx7qC12",
    "+tags.fine=github_pat_Kx7qC13Kx7qC13Kx7qC13_Kx7qC13",
    "+tags.password='blanks in Kx7q-C14-blanks between'",
    "+tags.key=Kx7q-C15-key",
    "tracking.experiment='mine?sig=Kx7q-C16-experiment'",
    "+tags.storage='AccountName=a;AccountKey=Kx7qC17==;EndpointSuffix=b'",
    "+tags.again=Kx7q-C1-tag",
]
CANARIES = [f"C{number}" for number in (*range(1, 18), 18, *range(20, 26), 30)]


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """Runs a command that knows secrets; returns its exit code and what it printed."""
    (tmp_path / "mine.py").write_text(MODULE)
    (tmp_path / "conf" / "experiment").mkdir(parents=True)
    (tmp_path / "conf" / "experiment" / "mine.yaml").write_text(CONFIG)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ["PYTHONPATH"]]),
        "SERVICE_TOKEN": "Kx7q-C4-interpolated",
        "STORE_PASSWORD": "Kx7q-C21-environment",
        "XDG_CACHE_HOME": str(tmp_path / "outputs" / "cache"),
    }

    def run(*words: str) -> tuple[int, str]:
        args = [sys.executable, str(ROOT / "run.py"), *words]
        done = run_to_the_end(args, timeout=240, cwd=tmp_path, env=environment)
        return done.returncode, done.stdout + done.stderr

    return run


def find_canaries(text: str | bytes) -> Iterator[str]:
    data = text.encode() if isinstance(text, str) else text
    data = data.lower()
    for canary in CANARIES:
        for shape in (f"kx7q-{canary}-", f"kx7q{canary}"):
            at = data.find(shape.lower().encode())
            # `C1` begins `C10`: the sign after it tells.
            if at >= 0 and not data[at + len(shape) : at + len(shape) + 1].isdigit():
                yield f"{canary}: {data[max(0, at - 60) : at + 30]!r}"


def search_files(folder: Path) -> list[str]:
    found = []
    for path in folder.rglob("*"):
        found += [f"{path.name} has {c}" for c in find_canaries(str(path))]
        if path.is_file():
            found += [f"{path} has {c}" for c in find_canaries(path.read_bytes())]
    return found


def test_failing_run_leaves_no_secret_anywhere(run: Any, tmp_path: Path) -> None:
    code, screen = run(
        *SMALL,
        *WORDS,
        "--config-dir=conf",
        "experiment=mine",
        "allowed_targets=[experiments,keras.optimizers,keras.callbacks,mine]",
        "+callbacks.mine={_target_:mine.Talkative,password:Kx7q-C18-argument}",
    )
    assert code == 1
    assert "ValueError: cannot reach https://***@h/ with ***" in screen
    assert "sent as token=***" in screen
    assert list(find_canaries(screen)) == []
    assert len(list(tmp_path.glob("outputs/runs/*/.hydra/config.yaml"))) == 1
    assert search_files(tmp_path / "outputs") == []


def test_sweep_leaves_no_secret_anywhere(run: Any, tmp_path: Path) -> None:
    code, screen = run("-m", *SMALL, *WORDS, "seed=1,2", "+tags.pin=1,2")
    assert code == 0
    assert list(find_canaries(screen)) == []
    assert (tmp_path / "outputs").is_dir()
    assert search_files(tmp_path / "outputs") == []


@pytest.mark.parametrize(
    "words",
    [
        ["tracking.uri=http://me:Kx7q-C1-@h"],
        ["tracking.uri='http://h/?token=Kx7q-C1-'"],
        ["+tags.password=Kx7q-C1-{", "plan=true"],  # which is a text, if an odd one
        ["+tags.token={a:Kx7q-C1-}"],
        ["optimizer.api_key=Kx7q-C1-"],
        ["optimizer.lr='http://me:Kx7q-C1-@h'"],
        ["+tags.token=Kx7q-C1-,Kx7q-C2-"],
        ["model=ghp_Kx7qC1aaaaaaaaaaaaaaaaaaaaaaaa"],
        ["seed=1", "--cfg", "job", "--resolve", "+tags.plain=${oc.env:SERVICE_TOKEN}"],
        ["--cfg", "all", "+tags.token=Kx7q-C1-"],
        ["--info", "all", "+tags.token=Kx7q-C1-"],
        ["--help", "+tags.token=Kx7q-C1-"],
    ],
)
def test_what_is_only_checked_shows_no_secret(run: Any, words: list[str]) -> None:
    _, screen = run(*words)
    assert screen
    assert list(find_canaries(screen)) == []
