"""What is believed of the files of a run, which anybody may have stored there."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from experiments.config.formats.upgrade import upgrade_config
from experiments.errors import TrackingError
from experiments.records import FIRST
from experiments.tracking import recorded
from experiments.tracking.recorded import fetch_file, read_overrides, read_run
from tests.tracking.conftest import destination
from tests.tracking.store.test_yaml_text import LAUGHS, MERGES

RUN_ID = "1" * 32
FILES = {
    "config/config.yaml": yaml.safe_dump({"tags": {}, "trainer": {"epochs": 3}}),
    "config/choices.yaml": yaml.safe_dump({"model": "resnet18"}),
    "config/overrides.yaml": yaml.safe_dump({"overrides": ["seed=1"]}),
    "origin.json": json.dumps({"code": {"a.py": "1"}}),
}


@pytest.fixture
def store(monkeypatch):
    """Files of the one run of a store."""
    files = {path: text.encode() for path, text in FILES.items()}

    def download_artifacts(run_id, path, folder):
        place = Path(folder, path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(files[path])
        return str(place)

    run = SimpleNamespace(
        info=SimpleNamespace(run_id=RUN_ID, run_name="a run"),
        data=SimpleNamespace(tags={}, metrics={}),
    )

    def list_artifacts(run_id, folder):
        return [
            SimpleNamespace(path=path)
            for path in files
            if path.rpartition("/")[0] == folder
        ]

    client = SimpleNamespace(
        get_run=lambda run_id: run,
        download_artifacts=download_artifacts,
        list_artifacts=list_artifacts,
    )
    connection = SimpleNamespace(client=client)
    monkeypatch.setattr(recorded, "_connect", lambda *_: connection)
    return files


def read_all(tmp_path):
    run = read_run(RUN_ID, destination(tmp_path))
    overrides = read_overrides(RUN_ID, destination(tmp_path))
    return run.config, run.choices, run.origin, overrides


def test_run_is_read_as_it_was_written(store, tmp_path):
    assert read_all(tmp_path) == (
        upgrade_config({"tags": {}, "trainer": {"epochs": 3}}, FIRST),
        {"model": "resnet18"},
        {"code": {"a.py": "1"}},
        ("seed=1",),
    )


@pytest.mark.timeout(30)
@pytest.mark.parametrize("path", FILES)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"\0",
        b"[]",
        b"null",
        b"text",
        b"[" * 100_000,
        b"{}" + b" " * 17_000_000,
        LAUGHS.encode(),
        MERGES.encode(),
        b"!!python/object/apply:os.system [id]",
    ],
    ids=lambda content: content[:12].decode("latin-1"),
)
def test_damaged_file_is_named_with_its_run(content, path, store, tmp_path):
    store[path] = content

    with pytest.raises(
        TrackingError, match=rf"{path} of the run {RUN_ID} is damaged: "
    ):
        read_all(tmp_path)


@pytest.mark.parametrize(
    ("path", "content", "place"),
    [
        ("config/config.yaml", {"tags": {}}, "`trainer` is missing"),
        ("config/config.yaml", {"tags": [], "trainer": {}}, "`tags` must be"),
        ("config/config.yaml", {"tags": {}, "trainer": None}, "`trainer` must be"),
        ("config/choices.yaml", {"model": ["a"]}, "`model` must be a text"),
        ("config/overrides.yaml", {"overrides": "seed=1"}, "`overrides` must be a"),
        ("config/overrides.yaml", {"overrides": [1]}, r"`overrides\[0\]` must be"),
        ("config/overrides.yaml", {}, "`overrides` is missing"),
        ("origin.json", {"packages": {"keras": 3}}, "`packages.keras` must be"),
        ("origin.json", {"files": {"path": "/"}}, "`files.by_name` is missing"),
    ],
    ids=str,
)
def test_file_of_another_form_is_named(path, content, place, store, tmp_path):
    store[path] = json.dumps(content).encode()

    with pytest.raises(TrackingError, match=rf"{path} .* is damaged: {place}"):
        read_all(tmp_path)


@pytest.mark.parametrize("path", ["config/choices.yaml", "origin.json"])
def test_file_of_a_run_is_copied(path, store, tmp_path):
    place = fetch_file(RUN_ID, path, destination(tmp_path), tmp_path)
    assert place.read_bytes() == store[path]


@pytest.mark.parametrize("path", ["config/none.yaml", "none.json", "predictions/a"])
def test_absent_file_of_a_run_is_none(path, store, tmp_path):
    assert fetch_file(RUN_ID, path, destination(tmp_path), tmp_path) is None
