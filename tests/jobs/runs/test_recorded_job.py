"""A record that somebody changed: it may ask for nothing that the command lacks."""

import copy
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from omegaconf import OmegaConf

from experiments.config.validation import resolve
from experiments.errors import ConfigError
from experiments.jobs.job import Job
from experiments.jobs.runs import recorded_job as module
from experiments.jobs.runs.recorded_job import (
    as_recorded,
    best_of_search,
    read_recorded,
)
from experiments.redaction import redact_data
from experiments.tasks.reproduce import reproduce, suggest_command
from experiments.tracking.recorded import RecordedRun, Tags
from tests.tiny import TINY

OWN = ["experiments", "keras.optimizers", "keras.callbacks"]


@pytest.fixture
def job(check: Any, tmp_path: Path) -> Callable[..., Job]:
    """Describes a job of a command that names a run."""

    def job(*words: str) -> Job:
        plan = check(*TINY, f"output_dir={tmp_path / 'outputs'}", *words)
        resolved = resolve(plan.config)
        return Job(
            resolved=resolved, output_dir=tmp_path, name="again", overrides=words
        )

    return job


@pytest.fixture
def recorded(job: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., RecordedRun]:
    """Lets the tracker hold a run of a config that has these values, and no others."""

    def record(values: dict[str, Any]) -> RecordedRun:
        config: dict[str, Any] = copy.deepcopy(dict(job().resolved))
        for key, value in values.items():
            *groups, name = key.split(".")
            node = config
            for group in groups:
                node = node[group]
            node[name] = value
        run = RecordedRun(
            run_id="a" * 32,
            name="first",
            config=config,
            choices={},
            changed={},
            origin={},
            metrics={},
        )
        monkeypatch.setattr(module, "read_run", lambda *_, **__: run)
        tags = Tags("b" * 32, {"search.best_run_id": run.run_id})
        monkeypatch.setattr(module, "read_tags", lambda *_, **__: tags)
        return run

    return record


def command(target: str, canary: Path) -> dict[str, Any]:
    return {"_target_": target, "cmd": f"touch {canary}"}


ATTACKS = [
    "subprocess.getoutput",
    "os.system",
    "builtins.eval",
    "experiments.launch.command_line.os.system",
    "experiments.jobs.folder.os.system",
    "keras.saving.load_model",
    "keras.callbacks.CSVLogger",
    "keras.callbacks.ModelCheckpoint",
    "keras.callbacks.BackupAndRestore",
    "guest.nets.build",
]


@pytest.mark.parametrize("run", [reproduce, best_of_search])
@pytest.mark.parametrize("place", ["callbacks.x", "model.head", "augment.parts"])
@pytest.mark.parametrize("target", ATTACKS)
def test_record_grants_itself_nothing(
    job: Any, recorded: Any, tmp_path: Path, target: str, place: str, run: Any
) -> None:
    canary = tmp_path / "canary"
    node: Any = command(target, canary)
    if place == "augment.parts":
        node = [[node]]
    root = target.partition(".")[0]
    recorded({place: node, "allowed_targets": [*OWN, root, target]})
    names = {"run_id": "a" * 32}
    words = ["task=reproduce", "run_id=" + names["run_id"]]
    if run is best_of_search:
        words = ["from_search=" + names["run_id"]]
    with pytest.raises(ConfigError) as error:
        run(job(*words))
    assert str(error.value).startswith(f"The record of run {names['run_id']} has ")
    told = {problem.key: problem.message for problem in error.value.problems}
    (key,) = [key for key in told if key.startswith(place)]
    assert key.endswith("._target_")
    assert repr(target) in told[key]
    assert not canary.exists()


@pytest.mark.parametrize(
    ("target", "allow"),
    [
        ("guest.nets.build", "guest"),
        ("keras.callbacks.CSVLogger", "keras.callbacks.CSVLogger"),
    ],
)
def test_what_it_lacks_is_named_with_the_override_that_allows_it(
    job: Any, recorded: Any, target: str, allow: str
) -> None:
    recorded({"callbacks.x": {"_target_": target}})
    with pytest.raises(ConfigError) as error:
        read_recorded(job(), "a")
    (problem,) = error.value.problems
    typed = f"allowed_targets='[{','.join([*OWN, allow])}]'"
    assert typed in problem.hint
    word = typed.replace("'", "")
    assert read_recorded(job(word), "a").config["callbacks"]["x"]["_target_"] == target
    words = ["task=reproduce", "run_id=a", word]  # used by the task, so accepted
    assert job(*words).run.allowed_targets[-1] == allow


@pytest.mark.parametrize(
    "key",
    ["allowed_targets", "output_dir", "max_disk_gb", "tracking", "gpu", "resume"],
)
def test_where_it_runs_and_what_it_may_run_is_the_commands(
    job: Any, recorded: Any, key: str
) -> None:
    present = job()
    value = {"allowed_targets": ["os"], "tracking": {"uri": "http://evil"}}
    run = recorded({key: value.get(key, "/elsewhere")})
    again = as_recorded(present, run, name="again", tags={})
    assert again.resolved[key] == present.resolved[key]


@pytest.mark.parametrize("text", ["${oc.env:HOME}", "a ${seed} b"])
def test_recorded_text_is_not_resolved_here(job: Any, recorded: Any, text: str) -> None:
    """It would put the environment of whoever runs it into the new run's record."""
    recorded({"tags.note": text})
    with pytest.raises(ConfigError, match=r"tags\.note must be recorded as a value"):
        read_recorded(job(), "a")


@pytest.mark.parametrize("content", ["text", ["a"], None, {}, {"tags": 3}])
def test_record_that_is_no_config_is_told(
    job: Any, recorded: Any, monkeypatch: pytest.MonkeyPatch, content: Any
) -> None:
    run = dataclasses.replace(recorded({}), config=content)
    monkeypatch.setattr(module, "read_run", lambda *_, **__: run)
    with pytest.raises(ConfigError, match=r"The record of run a+ has 1 problem"):
        read_recorded(job(), "a")


@pytest.mark.parametrize("key", ["hydra", "os", "job_logging"])
def test_key_that_no_config_has_is_refused(job: Any, recorded: Any, key: str) -> None:
    run = recorded({key: {"searchpath": ["pkg://evil"]}})
    with pytest.raises(ConfigError, match=f"{key} is not a key"):
        as_recorded(job(), run, name="again", tags={})


def test_artifact_that_was_changed_runs_nothing(
    run_job: Any, check: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same from the file that MLflow keeps, and in the command that is offered."""
    words = [*TINY, "debug=one_step"]
    first = run_job(*words)
    root = tmp_path / "outputs" / "artifacts"
    (config,) = root.rglob(f"{first.run_id}/artifacts/config/config.yaml")
    content = yaml.safe_load(config.read_text())
    canary = tmp_path / "canary"
    content["callbacks"]["x"] = command("subprocess.getoutput", canary)
    content["allowed_targets"].append("subprocess")
    config.write_text(yaml.safe_dump(content))
    typed = {"overrides": [*words, "allowed_targets=[os]", "+hydra.callbacks.a=b"]}
    config.with_name("overrides.yaml").write_text(yaml.safe_dump(typed))
    where = f"output_dir={tmp_path / 'outputs'}"
    plan = check("task=reproduce", f"run_id={first.run_id}", where, "gpu=cpu")
    again = Job(resolved=resolve(plan.config), output_dir=tmp_path, name="again")
    with pytest.raises(ConfigError, match=r"callbacks\.x\._target_ must begin with"):
        reproduce(again)
    assert not canary.exists()
    command_line = suggest_command(plan, [])
    assert "allowed_targets" not in command_line
    assert "hydra" not in command_line


@pytest.fixture
def secretive(check: Any, tmp_path: Path) -> Job:
    plan = check("dataset=synthetic_small", "+tags.token=Kx7qCanary92")
    resolved: Any = OmegaConf.to_container(plan.config, resolve=True)
    return Job(resolved=resolved, output_dir=tmp_path, name="a")


def hide(config: Any) -> RecordedRun:
    return RecordedRun(
        run_id="1",
        name="a",
        config=redact_data(config),
        choices={},
        changed={},
        origin={},
        metrics={},
    )


def test_secret_that_the_result_does_not_need_is_left_out(secretive: Job) -> None:
    again = dataclasses.replace(secretive, resolved={**secretive.resolved, "tags": {}})
    made = as_recorded(again, hide(secretive.resolved), name="again", tags={})
    assert made.run.tags == {"token": "***"}


def test_secret_that_the_result_needs_is_missed(secretive: Job) -> None:
    dataset = {**secretive.resolved["dataset"], "access": [{"token": "Kx7qCanary92"}]}
    recorded = hide({**secretive.resolved, "dataset": dataset})
    with pytest.raises(ConfigError, match=r"dataset\.access was a secret"):
        as_recorded(secretive, recorded, name="again", tags={})


def test_best_of_a_search_over_folds_is_trained_on_the_whole_split(
    job: Any, recorded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = recorded({"dataset.folds": 3, "dataset.fold": 1})
    words = ["from_search=" + "b" * 32]
    # A search on one of the folds is another matter.
    assert best_of_search(job(*words)).resolved["dataset"]["fold"] == 1
    tags = Tags("b" * 32, {"search.best_run_id": run.run_id, "search.folds": "3"})
    monkeypatch.setattr(module, "read_tags", lambda *_, **__: tags)
    named = dataclasses.replace(run, name="optimizer.lr=0.1 dataset.fold=1")
    monkeypatch.setattr(module, "read_run", lambda *_, **__: named)
    best = best_of_search(job(*words))
    assert best.name == "best: optimizer.lr=0.1"
    whole = best.resolved["dataset"]
    assert [whole["folds"], whole["fold"]] == [None, None]
    words += ["dataset.folds=4", "dataset.fold=2"]
    typed = best_of_search(job(*words)).resolved["dataset"]
    assert [typed["folds"], typed["fold"]] == [4, 2]
