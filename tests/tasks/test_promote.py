"""`task=promote` by its real command, with a good and a poor model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from experiments.config.destination import Destination
from experiments.tracking.store.client import connect
from tests.tasks.test_evaluate import Command, type_in

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
    planned = run("task=promote", "run_id=good", NAME, "plan=true", "gpu=cpu")
    told = "version 2 of digits would be registered, the alias champion would be moved"
    assert told in planned.stdout
    client = connect(Destination(output_dir=place / "outputs")).client
    assert len(client.search_model_versions("name='digits'")) == 1
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
