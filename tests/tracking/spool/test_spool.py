"""What the folder of a run's records believes of what its files say."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from experiments.errors import TrackingError
from experiments.records import OutsideError
from experiments.tracking.spool.spool import Spool
from tests.canary import watched
from tests.damage import WAYS


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    spool = Spool(tmp_path / "out" / "runs" / "job", tmp_path / "out")
    (spool.artifacts / "a").mkdir(parents=True)
    (spool.artifacts / "a" / "note.txt").write_text("hello")
    spool.models.mkdir()
    return spool


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that looks like a model, of which nothing may be read or removed."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "MLmodel").write_text("alive: true")
    return folder


def note(spool: Spool) -> Path:
    return spool.artifacts / "a" / "note.txt"


@pytest.mark.parametrize(
    "name",
    [
        "artifacts/a/note.txt",
        "artifacts/../artifacts/a/note.txt",
        "{folder}/artifacts/a/note.txt",
        "/where/it/was/runs/job/tracking/artifacts/a/note.txt",
        "/where/tracking/was/job/tracking/artifacts/a/note.txt",
        "artifacts/link",
    ],
)
def test_file_of_the_folder_is_found(name: str, spool: Spool) -> None:
    """Also by the absolute name that it had before the folder was moved."""
    (spool.artifacts / "link").symlink_to("a/note.txt")

    found = spool.find_file(name.format(folder=spool.folder))

    assert found == note(spool).resolve()


@pytest.mark.parametrize(
    "name",
    [
        "{outside}/MLmodel",
        "/etc/passwd",
        "../../../../outside/MLmodel",
        "artifacts/../../../../../outside/MLmodel",
        "artifacts/link",
        "links/MLmodel",
        "/where/it/was/tracking/../../../../outside/MLmodel",
        "artifacts/a\0b",
        "{temporary}/experiments-0123/note.txt",
    ],
)
def test_file_that_lies_elsewhere_is_refused(
    name: str, spool: Spool, outside: Path, tmp_path: Path
) -> None:
    (spool.artifacts / "link").symlink_to(outside / "MLmodel")
    (spool.folder / "links").symlink_to(outside)
    (tmp_path / "experiments-0123").mkdir()

    with pytest.raises(OutsideError, match="nothing outside is read, sent or removed"):
        spool.find_file(name.format(outside=outside, temporary=tmp_path))


def test_file_that_this_process_kept_beside_a_full_disk_is_found(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", refuse)
        place = spool.keep_file(b"text", "b/other.txt")
    assert place is not None
    assert not place.is_relative_to(spool.folder)

    assert spool.find_file(str(place)).read_bytes() == b"text"
    with pytest.raises(OutsideError):  # another process has a journal's word only
        Spool(spool.job_folder).find_file(str(place))


def test_file_is_not_kept_where_a_link_leads_out(spool: Spool, outside: Path) -> None:
    (spool.artifacts / "link").symlink_to(outside)

    place = spool.keep_file(b"text", "link/MLmodel")

    assert place is not None
    assert place.read_bytes() == b"text"
    assert (outside / "MLmodel").read_text() == "alive: true"


@pytest.mark.parametrize(
    "name",
    [
        "{outside}",
        "models",
        "models/..",
        "../..",
        ".",
        "artifacts/a",
        "models/link",
        "",
    ],
)
def test_only_a_folder_of_models_is_one(name: str, spool: Spool, outside: Path) -> None:
    (spool.models / "link").symlink_to(outside)

    with pytest.raises(OutsideError):
        spool.find_model(name.format(outside=outside))


@pytest.mark.parametrize(
    "name",
    ["{outside}", "{folder}/models", "{folder}", "{job}", "{folder}/models/link"],
)
def test_only_a_folder_of_models_is_removed(
    name: str, spool: Spool, outside: Path
) -> None:
    (spool.models / "link").symlink_to(outside)
    places = {"outside": outside, "folder": spool.folder, "job": spool.job_folder}

    with watched(outside) as seen, pytest.raises(OutsideError):
        spool.remove_model(Path(name.format(**places)))

    assert (outside / "MLmodel").exists()
    assert note(spool).exists()
    assert seen == []


def test_sent_model_is_removed(spool: Spool) -> None:
    folder = spool.models / "model-1"
    (folder / "data").mkdir(parents=True)

    spool.remove_model(folder)

    assert not spool.models.exists()


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    """A model where MLflow keeps it."""
    folder = tmp_path / "out" / "artifacts" / "e" / "models" / "m-1" / "artifacts"
    folder.mkdir(parents=True)
    (folder / "MLmodel").write_text("flavors: {}")
    return folder


def test_model_is_brought_back_from_where_it_was_sent(spool: Spool, sent: Path) -> None:
    spool.write_model_place(3, sent)

    spool.bring_back_model(3, spool.models / "model-1")

    assert (spool.models / "model-1" / "MLmodel").read_text() == "flavors: {}"
    assert [path.name for path in spool.models.iterdir()] == ["model-1"]


def test_model_is_brought_back_from_another_store_that_is_known(
    spool: Spool, outside: Path
) -> None:
    spool.write_model_place(3, outside)

    spool.bring_back_model(3, spool.models / "model-1", [outside])

    assert (spool.models / "model-1" / "MLmodel").exists()


def _link_in(sent: Path, outside: Path) -> Path:
    (sent / "link").symlink_to(outside)
    return sent


def _link_to(sent: Path, outside: Path) -> Path:
    (sent / "other").symlink_to(outside)
    return sent / "other"


PLACES: dict[str, Callable[[Path, Path], Path]] = {
    "elsewhere": lambda sent, outside: outside,
    "through a link": _link_to,
    "with a link in it": _link_in,
}


@pytest.mark.parametrize("place", PLACES)
def test_model_that_lies_elsewhere_is_not_brought_back(
    place: str, spool: Spool, sent: Path, outside: Path
) -> None:
    spool.write_model_place(3, PLACES[place](sent, outside))

    with watched(outside) as seen, pytest.raises(OutsideError):
        spool.bring_back_model(3, spool.models / "model-1")

    assert not [event for event in seen if event.startswith(("open", "shutil"))]
    assert list(spool.models.iterdir()) == []


def test_folder_without_a_model_is_not_brought_back(spool: Spool, sent: Path) -> None:
    (sent / "MLmodel").rename(sent / "secret")
    spool.write_model_place(3, sent)

    spool.bring_back_model(3, spool.models / "model-1")

    assert list(spool.models.iterdir()) == []


@pytest.mark.parametrize("name", ["..", "../sweep", "../../other/sweep", "../.."])
def test_sweep_is_around_the_job_or_in_the_output_folder(
    name: str, spool: Spool, tmp_path: Path
) -> None:
    folder = Path(os.path.normpath(spool.job_folder / name))
    folder.mkdir(parents=True, exist_ok=True)

    parent = spool.find_parent(name)

    assert parent is not None
    assert parent.job_folder == folder


@pytest.mark.parametrize("name", ["../../../outside", "/etc", "../link", "a\0b"])
def test_sweep_that_lies_elsewhere_is_refused(
    name: str, spool: Spool, outside: Path
) -> None:
    (spool.job_folder.parent / "link").symlink_to(outside)

    with pytest.raises(OutsideError, match="outside of the output folder"):
        spool.find_parent(name)


def test_sweep_whose_folder_is_gone_is_none(spool: Spool) -> None:
    assert spool.find_parent("../gone") is None


FILES: dict[str, tuple[dict[str, Any], Callable[[Spool], Any], Any]] = {
    "run.json": (
        {"runs": {"a": "1"}, "former": ["0"]},
        lambda spool: spool.list_run_ids("a"),
        ["1", "0"],
    ),
    "sent.json": ({"sent": {"1": 3}}, lambda spool: spool.read_sent("1"), 3),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.timeout(20)
def test_damaged_file_is_named_and_taken_for_absent(
    way: str, name: str, spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    content, read, expected = FILES[name]
    (spool.folder / name).write_text(json.dumps(content))
    assert read(spool) == expected

    WAYS[way](spool.folder / name)

    assert not read(spool)
    assert f"{name} is damaged: " in caplog.text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("run.json", {"runs": ["a"]}),
        ("run.json", {"runs": {"a": 1}}),
        ("run.json", {"former": {}}),
        ("run.json", {"run_id": 1}),
        ("sent.json", {"sent": {"1": -3}}),
        ("sent.json", {"sent": {"1": "3"}}),
        ("sent.json", {"sent": {"1": 10**30}}),
        ("models.json", {"3": ["a"]}),
        ("models.json", {"3": None}),
    ],
    ids=str,
)
def test_file_of_another_form_is_named(
    name: str, content: Any, spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    (spool.folder / name).write_text(json.dumps(content))

    assert spool.list_run_ids() == []
    assert spool.read_sent("1") == 0
    spool.bring_back_model(3, spool.models / "model-1")

    assert f"{name} is damaged: `" in caplog.text


def test_files_of_an_earlier_release_are_read(spool: Spool) -> None:
    for name, content in (
        ("run.json", {"run_id": "1"}),
        ("sent.json", {"run_id": "1", "sent": 3}),
    ):
        (spool.folder / name).write_text(json.dumps(content))

    assert spool.list_run_ids() == ["1"]
    assert spool.read_sent("1") == 3


def test_folder_that_is_a_link_out_of_the_job_is_not_worked_in(
    outside: Path, tmp_path: Path
) -> None:
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "tracking").symlink_to(outside)
    spool = Spool(tmp_path / "job")

    with pytest.raises(TrackingError, match="a link that leads out of the job"):
        spool.own()
    with pytest.raises(TrackingError, match="a link"), spool.claiming():
        pass

    assert [path.name for path in outside.iterdir()] == ["MLmodel"]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("way", ["a pipe", "a link that leads out", "a folder"])
def test_refusal_is_noted_in_a_file_of_ours_only(
    way: str, spool: Spool, tmp_path: Path
) -> None:
    spool.note_refusal({"line": 1})
    noted = spool.refused.read_text()
    assert json.loads(noted)["line"] == 1
    WAYS[way](spool.refused)

    spool.note_refusal({"line": 2})

    for canary in spool.job_folder.rglob("canary"):
        assert canary.read_text() == noted
