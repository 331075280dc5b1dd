"""`task=promote` by its real command, with a good and a poor model."""

import hashlib
import json
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from experiments.config.kinds.destination import Destination
from experiments.tracking.store.client import connect
from tests.conftest import ROOT
from tests.tasks.test_evaluate import Command, type_in
from tests.warm import run_to_the_end

NETWORK = [
    "model=resnet",
    "model.depth=null",
    "model.blocks=[1]",
    "model.block=basic",
    "model.width=8",
    "model.stem=cifar",
    "schedule.warmup_epochs=0",
    "task.picture_grid=false",
    "gpu=cpu",
]
NAME = "registered_name=digits"
# Dies between two moves: `previous` means the old champion, as `champion` does still.
KILLED = f"""
import os, runpy, signal, sys
from experiments.tracking.registry import Registry
plain = Registry.point
def point(self, alias, number):
    plain(self, alias, number)
    if alias == "previous":
        os.kill(os.getpid(), signal.SIGKILL)
Registry.point = point
sys.argv[0] = {str(ROOT / "run.py")!r}
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def look(folder: Path) -> dict[str, str]:
    """Returns all that is there: hash of each file, and what each database says."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            found[str(path)] = ""
        elif path.suffix == ".db":
            with closing(sqlite3.connect(path)) as database:
                found[str(path)] = "\n".join(database.iterdump())
        elif not path.name.endswith((".db-wal", ".db-shm")):
            found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def read_aliases(client: Any, name: str = "digits") -> dict[str, str]:
    """Returns alias -> number of the version, as MLflow has them."""
    found = client.get_registered_model(name).aliases
    return {alias: str(number) for alias, number in found.items()}


def open_registry(folder: Path) -> Any:
    return connect(Destination(output_dir=folder / "outputs")).client


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two trained networks, of which one has seen ten images."""
    folder = tmp_path_factory.mktemp("promoted")
    run = type_in(folder)
    short = ["trainer.max_steps_per_epoch=5", "trainer.epochs=1"]
    run(*NETWORK, *short, "name=poor")
    run(*NETWORK, "optimizer.lr=2e-2", "trainer.epochs=4", "name=good")
    return folder


@pytest.fixture(scope="module")
def run(place: Path) -> Command:
    return type_in(place)


@pytest.fixture(scope="module")
def promoted(place: Path, run: Command) -> Callable[[], Any]:
    """The poor model as the first champion, then the good one; reads the registry."""
    done = run("task=promote", "run_id=poor", NAME, "gpu=cpu")
    assert "The first version: there was no champion to beat." in done.stdout
    before = look(place)
    planned = run("task=promote", "run_id=best", NAME, "plan=true", "gpu=cpu")
    told = "version 2 of digits would be registered, the alias champion would be moved"
    assert told in planned.stdout
    assert look(place) == before
    client = open_registry(place)
    done = run("task=promote", "run_id=good", NAME, "gpu=cpu")
    assert "champion     version 2; previous is version 1" in done.stdout
    return lambda: client


def test_better_one_is_the_champion_and_carries_what_there_is_to_know(
    place: Path, promoted: Callable[[], Any], tmp_path: Path
) -> None:
    client = promoted()
    found = client.get_model_version_by_alias("digits", "champion")
    before = client.get_model_version_by_alias("digits", "previous")
    assert (str(found.version), str(before.version)) == ("2", "1")
    assert found.tags["verdict"] == "better"
    assert found.tags["candidates_tested"] == "2"
    assert before.tags["verdict"] == "first"
    assert found.description.startswith(
        "Became the champion by a comparison. Better than version 1 by"
    )
    assert client.get_run(found.run_id).info.run_name == "good"
    (good,) = (place / "outputs" / "runs").glob("good-*")
    result = json.loads((good / "result.json").read_text())["metrics"]
    location = client.get_model_version_download_uri("digits", found.version)
    folder = Path(location.removeprefix("file://"))
    facts = json.loads((folder / "facts.json").read_text())
    assert facts["class_names"] == [str(digit) for digit in range(10)]
    test = facts["test"]["metrics"]["accuracy"]
    assert test == pytest.approx(result["test_accuracy"], rel=1e-6)
    assert f"{test:.4f}" == found.tags["test_accuracy"]
    tags = client.get_run(found.run_id).data.tags
    assert facts["data"]["data.content"] == tags["experiments.data.content"]
    assert facts["preprocessing"]["image_shape"] == [10, 10, 1]
    assert (folder / "evaluation" / "report.html").is_file()
    described = yaml.safe_load((folder / "MLmodel").read_text())
    assert {"keras", "python_function"} <= described["flavors"].keys()
    assert described["signature"]["inputs"]
    assert (folder / described["saved_input_example_info"]["artifact_path"]).is_file()
    card = (folder / "model_card.md").read_text()
    assert found.description.endswith(card)
    (model,) = [
        model
        for model in client.search_logged_models(["1"])
        if '"digits", "version": 2' in model.tags.get("mlflow.modelVersions", "")
    ]
    assert model.artifact_location == location
    scores = {metric.key: metric.value for metric in model.metrics}
    assert scores["evaluation/digits-test/accuracy"] == pytest.approx(test)


@pytest.mark.slow
def test_poor_one_is_refused_by_the_reason_and_comes_back_by_force(
    promoted: Callable[[], Any], run: Command
) -> None:
    client = promoted()
    words = ["task=promote", "run_id=models:/digits@previous", NAME, "gpu=cpu"]
    done = run(*words, code=1)
    assert "version      1 of digits, which has these weights" in done.stdout
    assert "Worse than version 2" in done.stdout
    assert client.get_model_version("digits", "1").tags["verdict"] == "refused"
    assert str(client.get_model_version_by_alias("digits", "champion").version) == "2"

    run(*words, "force=true")

    found = client.get_model_version_by_alias("digits", "champion")
    assert str(found.version) == "1"
    assert found.tags["reason"].startswith("Forced. Worse than version 2")
    assert str(client.get_model_version_by_alias("digits", "previous").version) == "2"
    assert len(client.search_model_versions("name='digits'")) == 2
    run("task=evaluate", "run_id=models:/digits@champion", "gpu=cpu")
    run("task=promote", "run_id=good", NAME, "gpu=cpu")  # as it was


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run_id=good"], "registered_name is missing"),
        ([NAME], "run_id is missing"),
        (["run_id=good", "registered_name=a/b"], "registered_name must be of letters"),
        (
            ["run_id=good", "registered_name=models:/digits@champion"],
            "Type registered_name=digits",
        ),
        (["run_id=good", NAME, "tracking=off"], "tracking is off"),
        (["run_id=good", NAME, "task.seeds=3"], "task.seeds trains the best trial"),
        (["run_id=model.keras", NAME], "run_id must be a run"),
        (["run_id=good", NAME, "trainer.epochs=3"], "is not used by task=promote"),
    ],
)
def test_what_cannot_be_promoted_is_told_before_anything_is_left(
    place: Path, run: Command, words: list[str], told: str
) -> None:
    before = set((place / "outputs" / "runs").iterdir())
    done = run("task=promote", *words, code=2)
    assert told in done.stdout + done.stderr
    assert set((place / "outputs" / "runs").iterdir()) == before


@pytest.mark.slow
def test_run_that_has_not_ended_or_has_no_test_split_is_refused(
    place: Path, run: Command
) -> None:
    short = ["trainer.max_steps_per_epoch=2", "trainer.epochs=3", *NETWORK]
    run(*short, "trainer.until_epoch=1", "name=paused")
    done = run("task=promote", "run_id=paused", NAME, "gpu=cpu", code=1)
    assert "was paused by trainer.until_epoch" in done.stdout + done.stderr
    run(*short, "dataset.test_fraction=0", "name=untested")
    done = run("task=promote", "run_id=untested", NAME, "gpu=cpu", code=1)
    assert "has no test split" in done.stdout + done.stderr


@pytest.fixture
def moved(
    place: Path, promoted: Callable[[], Any], tmp_path: Path
) -> Iterator[tuple[Path, Command]]:
    """A copy elsewhere of the folder in which `good` is the champion, version 2."""
    promoted()
    folder = tmp_path / "elsewhere"
    shutil.copytree(place, folder)
    hidden = place.rename(place.with_name("hidden"))
    yield folder, type_in(folder)
    hidden.rename(place)


@pytest.mark.slow
def test_command_that_was_killed_between_its_two_moves_is_brought_to_its_end(
    moved: tuple[Path, Command],
) -> None:
    folder, run = moved
    words = ["task=promote", "run_id=models:/digits/1", NAME, "gpu=cpu"]
    words += ["task.force=true"]
    args = [sys.executable, "-c", KILLED, *words]
    killed = run_to_the_end(args, cwd=folder, timeout=240)
    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    client = open_registry(folder)
    assert read_aliases(client) == {"champion": "2", "previous": "2"}

    done = run(*words)

    assert "champion     version 1; previous is version 2" in done.stdout
    assert read_aliases(client) == {"champion": "1", "previous": "2"}
    assert len(client.search_model_versions("name='digits'")) == 2
    reason = client.get_model_version("digits", "1").tags["reason"]
    assert reason.startswith("Forced. Worse than version 2")


@pytest.mark.slow
def test_champion_whose_files_are_gone_stays_until_it_is_forced_out(
    moved: tuple[Path, Command],
) -> None:
    folder, run = moved
    done = run("task=promote", "run_id=good", NAME, "gpu=cpu")
    assert "Version 2, of the same weights, is the champion." in done.stdout
    client = open_registry(folder)
    location = client.get_model_version_download_uri("digits", "2")
    assert location.startswith(folder.as_uri())
    shutil.rmtree(location.removeprefix("file://"))

    done = run("task=promote", "run_id=good", NAME, "gpu=cpu", code=1)

    assert "Version 2 cannot be asked." in done.stdout
    assert read_aliases(client) == {"champion": "2", "previous": "1"}
    assert "version      3 of digits, registered now" in done.stdout
    run("task=promote", "run_id=good", NAME, "gpu=cpu", "task.force=true")
    assert read_aliases(client) == {"champion": "3", "previous": "2"}
    run("task=evaluate", "run_id=models:/digits@champion", "gpu=cpu")


@pytest.mark.slow
def test_name_without_a_champion_that_has_versions_gets_one(
    moved: tuple[Path, Command],
) -> None:
    folder, run = moved
    run("task=list")  # which puts right where files are
    client = open_registry(folder)
    client.delete_model_version("digits", "2")
    assert "champion" not in read_aliases(client)
    done = run("task=promote", "run_id=good", NAME, "gpu=cpu")
    assert "There was no champion to beat among 1 other version." in done.stdout
    assert read_aliases(client)["champion"] == "3"


@pytest.mark.slow
def test_model_of_others_under_the_name_is_neither_loaded_nor_replaced(
    moved: tuple[Path, Command], tmp_path: Path
) -> None:
    folder, run = moved
    run("task=list")
    client = open_registry(folder)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "MLmodel").write_text("flavors: {sklearn: {pickled_model: model.pkl}}")
    (theirs / "model.pkl").write_bytes(b"cos\nsystem\n(S'touch loaded'\ntR.")
    client.create_registered_model("theirs")
    client.create_model_version("theirs", theirs.as_uri())
    client.set_registered_model_alias("theirs", "champion", "1")

    words = ["task=promote", "run_id=good", "registered_name=theirs", "gpu=cpu"]
    done = run(*words, code=1)

    assert "Version 1 cannot be asked." in done.stdout
    assert "holds no Keras model" in done.stdout
    assert read_aliases(client, "theirs") == {"champion": "1"}
    assert not list(folder.rglob("loaded"))
    assert client.get_registered_model("theirs").description in (None, "")


@pytest.mark.slow
def test_champion_of_another_division_is_asked_and_doubted(
    moved: tuple[Path, Command],
) -> None:
    folder, run = moved
    short = ["trainer.max_steps_per_epoch=5", "trainer.epochs=1"]
    run(*NETWORK, *short, "dataset.split_seed=7", "name=divided")
    done = run("task=promote", "run_id=divided", NAME, "gpu=cpu", code=1)
    assert "Worse than version 2 by" in done.stdout
    doubt = "Whether version 2 was trained on some of these images is not known"
    assert doubt in done.stdout
    assert read_aliases(open_registry(folder)) == {"champion": "2", "previous": "1"}


@pytest.mark.slow
def test_model_of_other_classes_takes_nobodys_place(
    moved: tuple[Path, Command],
) -> None:
    folder, run = moved
    short = ["dataset=synthetic_small", "dataset.image_size=16", "trainer.epochs=1"]
    run(*NETWORK, *short, "trainer.max_steps_per_epoch=2", "name=other")
    done = run("task=promote", "run_id=other", NAME, "gpu=cpu", code=1)
    assert "The classes are others than those of version 2" in done.stdout
    assert read_aliases(open_registry(folder)) == {"champion": "2", "previous": "1"}


def test_server_that_is_away_is_one_sentence(place: Path, run: Command) -> None:
    server = ["tracking=server", "tracking.uri=http://127.0.0.1:9"]
    done = run("task=promote", "run_id=good", NAME, *server, "gpu=cpu", code=1)
    (told,) = done.stderr.splitlines()
    assert told.startswith("tracking.uri: no server answers at http://127.0.0.1:9 (")
