import contextlib
import dataclasses
import functools
import shlex
import sys
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from experiments.errors import ConfigError, RestartNeeded, TrackingError
from experiments.fitting.fitting import Fitting
from experiments.jobs.folder import choose_folder
from experiments.jobs.job import Job
from experiments.jobs.runs.recorded_job import as_recorded
from experiments.tasks import reproduce as module
from experiments.tasks.reproduce import reproduce, suggest_command
from experiments.tracking.spool.flatten import flatten_config
from experiments.tracking.store.mlflow_import import import_mlflow
from tests.tiny import TINY

FIRST = [*TINY, "debug=one_step", "seed=3", "optimizer.lr=0.02", "+tags.a=b"]


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all that is reproduced here is recorded."""
    return tmp_path_factory.mktemp("outputs")


@pytest.fixture(scope="module")
def run_job(run_job_in: Any, outputs: Path) -> Any:
    """Runs one training job in this process, as `run.py` would."""
    return functools.partial(run_job_in, outputs)


@pytest.fixture(scope="module")
def first(run_job: Any) -> Any:
    """The result of a run that most tests reproduce."""
    return run_job(*FIRST)


@pytest.fixture(scope="module")
def run_again(check: Any, outputs: Path) -> Any:
    """Runs `task=reproduce` in this process, as `run.py` would."""
    from omegaconf import OmegaConf

    def run_again(run_id: str | None, *overrides: str) -> Any:
        plan = check(
            "task=reproduce",
            f"run_id={run_id or 'null'}",
            f"output_dir={outputs}",
            "gpu=cpu",
            *overrides,
        )
        folder = choose_folder(plan.folder, fresh=True)
        folder.mkdir(parents=True)
        resolved: Any = OmegaConf.to_container(plan.config, resolve=True)
        return reproduce(
            Job(
                resolved=resolved,
                output_dir=folder,
                choices={"model": "resnet50", "task": "reproduce"},
                name="again",
            )
        )

    return run_again


@pytest.fixture(scope="module")
def repeated(first: Any, run_again: Any) -> tuple[Any, str]:
    """The first run once more, and what was on the screen, on one line."""
    screen = StringIO()
    with contextlib.redirect_stdout(screen):
        result = run_again(first.run_id, "name=twice", "+tags.c=d")
    return result, " ".join(screen.getvalue().split())


@pytest.fixture(scope="module")
def again(repeated: tuple[Any, str]) -> Any:
    return repeated[0]


def test_run_is_reproduced_from_its_record(
    first: Any, repeated: tuple[Any, str], outputs: Path
) -> None:
    again, shown = repeated
    client = import_mlflow().MlflowClient(f"sqlite:///{outputs}/mlflow.db")
    tags = client.get_run(again.run_id).data.tags
    # The choices are the recorded run's, not those of the command that repeats it.
    assert (tags["choice.model"], tags["choice.task"]) == ("resnet", "reproduce")
    assert again.status == "FINISHED"
    assert again.metrics == first.metrics
    assert again.state_sha256 == first.state_sha256
    assert again.run_id != first.run_id
    assert "data are those of the recorded run" in shown
    assert "Reproduced within 1e-06" in shown
    assert f"The files of the recorded run: {first.output_dir} " in shown


def test_other_result_is_told_metric_by_metric(
    first: Any,
    run_again: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    read = module.read_recorded

    def read_other(*given: Any, **named: Any) -> Any:
        recorded = read(*given, **named)
        metrics = {**recorded.metrics, "test_loss": recorded.metrics["test_loss"] + 1}
        origin = {**recorded.origin, "packages": {"keras": "0"}}
        return dataclasses.replace(recorded, metrics=metrics, origin=origin)

    monkeypatch.setattr(module, "read_recorded", read_other)
    again = run_again(first.run_id)
    shown = capsys.readouterr().out
    assert (again.status, again.exit_code) == ("FAILED", 1)
    assert again.reason == "differs by more than task.tolerance=1e-06: test_loss"
    assert "Changed since: " in shown
    assert "keras 0 -> " in shown


def test_run_that_took_smaller_parts_is_recorded_and_reproduced_so(
    run_job: Any,
    run_again: Any,
    outputs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The first process had other settings, which are in a tag and no parameters."""

    def exhaust(*_: Any) -> None:
        raise MemoryError

    options = [*TINY, "trainer.epochs=1", "schedule.warmup_epochs=0"]
    options += ["trainer.max_steps_per_epoch=2", "trainer.oom=accumulate"]
    folder = outputs / "job"
    with monkeypatch.context() as patch:
        patch.setattr(Fitting, "run", exhaust)
        with pytest.raises(RestartNeeded):
            run_job(*options, folder=folder)
    result = run_job(*options, folder=folder)
    store = import_mlflow().MlflowClient(f"sqlite:///{outputs}/mlflow.db")
    run = store.get_run(result.run_id)
    assert run.data.tags["changed.trainer.accumulate_steps"] == "1 -> 2"
    path = store.download_artifacts(result.run_id, "config/config.yaml", str(tmp_path))
    config = yaml.safe_load(Path(path).read_text())
    assert config["trainer"]["accumulate_steps"] == 2
    settings = flatten_config(config)
    recorded = {k: v for k, v in run.data.params.items() if k in settings}
    assert recorded == {k: settings[k] for k in recorded}
    assert recorded["trainer.accumulate_steps"] == "2"
    again = run_again(result.run_id)
    assert again.state_sha256 == result.state_sha256
    assert "changed while it ran: trainer.accumulate_steps 1 -> 2." in (
        capsys.readouterr().out
    )
    recorded = store.get_run(again.run_id).data
    assert recorded.params["trainer.accumulate_steps"] == "2"


def test_run_whose_folder_is_gone_is_reproduced_and_that_is_told(
    run_job: Any, run_again: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    first = run_job(*TINY, "debug=one_step", "seed=4")
    moved = Path(first.output_dir).rename(Path(first.output_dir).parents[2] / "moved")
    assert run_again(f'"{first.run_id[:10]}"').metrics == first.metrics
    shown = capsys.readouterr().out
    assert f"The folder of the run {first.run_id} (test) is not below " in shown
    assert run_again(str(moved)).metrics == first.metrics


def test_runs_that_say_that_they_reproduce_each_other_end_the_search_for_the_first(
    run_job: Any, check: Any, outputs: Path
) -> None:
    first = run_job(*TINY, "debug=one_step", "seed=5")
    uri = f"sqlite:///{outputs}/mlflow.db"
    import_mlflow().MlflowClient(uri).set_tag(first.run_id, "reproduces", first.run_id)
    where = f"output_dir={outputs}"
    plan = check("task=reproduce", f'run_id="{first.run_id[:10]}"', where)
    assert "seed=5" in suggest_command(plan, [])


def test_last_run_is_known_in_the_command_that_is_told(
    run_job_in: Any, check: Any, tmp_path: Path
) -> None:
    run_job_in(tmp_path / "own", *TINY, "debug=one_step", "seed=6")
    place = [f"output_dir={tmp_path / 'own'}", "tracking.experiment=debug"]
    plan = check("task=reproduce", "run_id=last", *place)
    assert "seed=6" in suggest_command(plan, [])


def test_run_that_is_to_be_another_one_is_told_as_a_command(
    first: Any,
    again: Any,
    check: Any,
    outputs: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for run_id in (first.run_id, again.run_id):  # the second has no config typed
        where = f"output_dir={outputs}"
        plan = check("task=reproduce", f"run_id={run_id}", where)
        plan = dataclasses.replace(plan, flags=("--config-dir", "a b"))
        command = suggest_command(plan, ["trainer.epochs=2"])
        # From this folder the records are elsewhere than usual.
        typed = shlex.join([*FIRST, where, "trainer.epochs=2"])
        assert command.endswith(f" run.py --config-dir 'a b' {typed}")
    monkeypatch.setattr(sys, "argv", ["/a/run.py"])
    assert " /a/run.py --config-dir " in suggest_command(plan, [])


def test_again_has_the_name_and_the_tags_that_were_typed(
    again: Any, outputs: Path
) -> None:
    uri = f"sqlite:///{outputs / 'mlflow.db'}"
    run = import_mlflow().MlflowClient(uri).get_run(again.run_id)
    assert run.info.run_name == "twice"
    assert (run.data.tags["a"], run.data.tags["c"]) == ("b", "d")
    assert run.data.tags["choice.dataset"] == "synthetic_small"


@pytest.mark.usefixtures("first")
def test_missing_and_unknown_run_ids_are_told(run_again: Any) -> None:
    with pytest.raises(ConfigError, match="run_id is missing"):
        run_again(None)
    with pytest.raises(TrackingError, match="'nothing' names no run"):
        run_again("nothing")
    with pytest.raises(TrackingError, match="needs a tracker to read from"):
        run_again("nothing", "tracking=off")


def test_a_run_of_a_sweep_is_named_by_what_tells_it_from_the_others(
    check: Any, tmp_path: Path
) -> None:
    from omegaconf import OmegaConf

    config = OmegaConf.to_container(check().config, resolve=True)
    recorded: Any = SimpleNamespace(config=config, choices={})
    job = Job(
        resolved=config,  # type: ignore[arg-type]
        output_dir=tmp_path,
        name="run_id=abc seed=1",
        differing=("run_id=abc", "seed=1"),
    )
    named = as_recorded(job, recorded, name="again: first", tags={}).name
    assert named == "run_id=abc seed=1 (again: first)"
    alone = dataclasses.replace(job, differing=())
    assert as_recorded(alone, recorded, name="again: first", tags={}).name == (
        "again: first"
    )


@pytest.mark.timeout(900)  # four processes, one after the other
def test_last_run_is_reproduced_without_a_tracker_and_named_by_what_it_was(
    run_command: Any, tmp_path: Path
) -> None:
    trained = run_command(*TINY, "debug=one_step", "gpu=cpu", "tracking=off")
    assert trained.returncode == 0, trained.stderr
    (folder,) = (tmp_path / "outputs" / "runs").iterdir()
    words = ("task=reproduce", "run_id=last", "tracking=off", "gpu=cpu")
    again = run_command(*words)
    assert again.returncode == 0, again.stderr
    assert "run_id=last is resnet on synthetic_small (not in MLflow, " in again.stdout
    assert "Reproduced within 1e-06" in again.stdout
    assert f"The files of the recorded run: outputs/runs/{folder.name}" in again.stdout
    once_more = run_command(*words)  # what it was and not the reproduction of it
    assert "finished before, not run again" in once_more.stdout
