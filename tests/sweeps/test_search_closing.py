"""The end of a search, in a real tracking database."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from experiments import job_files
from experiments.errors import ConfigError, TrackingError
from experiments.records import OutsideError
from experiments.search.trials.journal import (
    ASKED,
    TOLD,
    format_answer,
    format_question,
)
from experiments.search.trials.trial import Outcome, Proposal, Trial
from experiments.sweeps.closing import open_sweep
from experiments.sweeps.search_closing import close_search
from experiments.tracking.spool.journal import Journal
from tests.tiny import TINY

SEARCH = (
    "hydra/sweeper=keras_tuner",
    "optimizer.lr=tag(log,interval(1e-5,1e-2))",
    "optimizer=adam,sgd",
)
OUTCOMES = (
    Outcome(end="complete", objective=0.5, epochs=3, run_id="a"),
    Outcome(end="failed", failure="oom", reason="too large"),
    Outcome(end="complete", objective=0.75, epochs=3, run_id="c"),
    Outcome(end="pruned", objective=0.25, epochs=1, run_id="d", reason="below 0.5"),
)


@pytest.fixture
def plan(check: Any, tmp_path: Path) -> Any:
    """A checked search whose trials have ended."""
    typed = check(*SEARCH, *TINY, f"output_dir={tmp_path / 'outputs'}", multirun=True)
    return replace(typed, flags=("--config-dir", "my conf"))


def write_trials(plan: Any, outcomes: Any) -> None:
    journal = Journal(plan.folder / job_files.SEARCH / job_files.TRIALS)
    for number, outcome in enumerate(outcomes):
        values = {"optimizer.lr": 10.0 ** -(2 + number % 3), "optimizer": "adam"}
        trial = Trial(
            proposal=Proposal(number=number, values=values),
            overrides=plan.search.space.as_overrides(values),
        )
        journal.append(ASKED, format_question(trial))
        journal.append(TOLD, format_answer(number, outcome))
    journal.close()


@pytest.fixture
def client(tmp_path: Path) -> Any:
    from experiments.tracking.store.mlflow_import import import_mlflow

    path = tmp_path / "outputs" / "mlflow.db"
    return lambda: import_mlflow().MlflowClient(f"sqlite:///{path}")


def close(plan: Any, **options: Any) -> tuple[int, str]:
    parent = open_sweep(plan)
    code = close_search(parent, plan, **options)
    assert parent.run_id is not None
    return code, parent.run_id


def test_the_parent_run_holds_what_was_tried_and_what_was_best(
    plan: Any, client: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [str(plan.folder / f"best-seed_{seed}") for seed in range(2)]
    best = replace(OUTCOMES[2], folders=folders)
    write_trials(plan, [*OUTCOMES[:2], best, OUTCOMES[3]])
    code, run_id = close(plan)
    run = client().get_run(run_id)
    assert (code, run.info.status) == (0, "FINISHED")
    tags = run.data.tags
    assert tags["run.kind"] == "search"
    assert tags["search.oracle"] == "random"
    assert tags["search.best_run_id"] == "c"
    assert tags["search.best_folder"] == f"sweeps/{plan.folder.name}/best-seed_0"
    assert tags["search.best_run"] == "optimizer.lr=0.0001 optimizer=adam"
    assert tags["best.optimizer.lr"] == "0.0001"
    assert run.data.params == {
        "optimizer.lr": "1e-05 to 0.01, log",
        "optimizer": "adam, sgd",
    }
    sentence, table, *pictures = tags["mlflow.note.content"].split("\n\n")
    assert sentence == (
        "Search of 4 trials by the oracle `random`. "
        "The best `val_accuracy`, **0.7500**, is that of **trial 2**."
    )
    assert table.split("\n")[2].startswith(
        "| 1 | &emsp;2 | &emsp;0.7500 | &emsp;0.0001 | "
    )
    names = [f"path=search/{name}.png)" for name in ("history", "parallel")]
    assert [text.rpartition("&")[2] for text in pictures] == names
    history = client().get_metric_history(run_id, "best_val_accuracy")
    assert [(p.step, p.value) for p in history] == [
        (0, 0.5),
        (1, 0.5),
        (2, 0.75),
        (3, 0.75),
    ]
    files = {file.path for file in client().list_artifacts(run_id, "search")}
    assert files == {
        f"search/{name}"
        for name in (
            "trials.csv",
            "results.md",
            "search.html",
            "space.yaml",
            "trials.jsonl",
            "history.png",
            "parallel.png",
        )
    }
    path = client().download_artifacts(
        run_id, "optimization_results.yaml", str(tmp_path)
    )
    summary = yaml.safe_load(Path(path).read_text())
    assert summary["best"]["objective"] == 0.75
    assert summary["best"]["overrides"][-2:] == [
        "optimizer.lr=0.0001",
        "optimizer=adam",
    ]
    shown = capsys.readouterr().out
    assert "0.7500" in shown
    assert "too large" in shown
    for folder in folders:
        assert f"\nIts checkpoints: {folder}/checkpoints\n" in shown
    here = f"  cd {Path.cwd()} && {sys.executable} run.py"
    assert f"{here} --config-dir 'my conf' model=resnet" in shown
    place = f"output_dir={tmp_path / 'outputs'} --config-dir 'my conf'"
    assert f"{here} task=train from_search={run_id} {place}\n" in shown
    assert (plan.folder / "search.html").stat().st_size > 1e6


@pytest.mark.parametrize(
    ("outcomes", "stopped_by", "code", "status"),
    [
        (OUTCOMES[1:2], None, 1, "FAILED"),
        ((), None, 1, "FAILED"),
        (OUTCOMES[:1], "stopped by Ctrl-C", 0, "KILLED"),
    ],
)
def test_the_parent_run_ends_as_the_search_did(
    plan: Any, client: Any, outcomes: Any, stopped_by: Any, code: int, status: str
) -> None:
    write_trials(plan, outcomes)
    found, run_id = close(plan, stopped_by=stopped_by)
    assert (found, client().get_run(run_id).info.status) == (code, status)


def test_the_best_trial_of_a_search_is_trained_by_its_own_config(
    plan: Any, run_job: Any, client: Any
) -> None:
    trial = run_job(
        *TINY, "optimizer.lr=3e-3", "trainer.until_epoch=1", "trainer.epochs=2"
    )
    write_trials(plan, [Outcome(end="paused", objective=0.5, run_id=trial.run_id)])
    _, run_id = close(plan)
    best = run_job(f"from_search={run_id}")
    run = client().get_run(best.run_id)
    assert run.data.params["optimizer.lr"] == "0.003"
    assert (best.end, best.epochs) == ("complete", 2)
    assert run.data.tags["from_search"] == run_id
    assert run.info.run_name == "best: test"


def test_best_trial_that_mlflow_did_not_have_yet_is_found_by_its_folder(
    plan: Any, run_job: Any, client: Any
) -> None:
    words = [*TINY, "optimizer.lr=3e-3", "trainer.epochs=2"]
    trial = run_job(*words, folder=plan.folder / "trial")
    unsent = Outcome(end="complete", objective=0.5, folders=[trial.output_dir])
    write_trials(plan, [unsent])
    _, run_id = close(plan)
    assert client().get_run(run_id).data.tags["search.best_run_id"] == ""
    best = run_job(f'from_search="{run_id[:10]}"')
    run = client().get_run(best.run_id)
    assert run.data.params["optimizer.lr"] == "0.003"
    assert run.data.tags["from_search"] == run_id


@pytest.mark.parametrize("folder", ["/etc", "../job", "outputs/../../job"])
def test_search_names_no_folder_outside_of_the_output_folder(
    plan: Any, run_job: Any, client: Any, folder: str, tmp_path: Path
) -> None:
    write_trials(plan, [Outcome(end="complete", objective=0.5)])
    _, run_id = close(plan)
    client().set_tag(run_id, "search.best_folder", folder)
    (tmp_path / "job").mkdir()
    with pytest.raises(OutsideError, match="lies outside of"):
        run_job(f"from_search={run_id}")


def test_what_is_typed_beside_the_search_is_laid_over_its_best_trial(
    plan: Any, run_job: Any, client: Any
) -> None:
    typed = ["optimizer.lr=3e-3", "trainer.batch_size=8", "seed=4"]
    trial = run_job(*TINY, *typed, "trainer.until_epoch=1", "trainer.epochs=2")
    write_trials(plan, [Outcome(end="paused", objective=0.5, run_id=trial.run_id)])
    _, run_id = close(plan)
    best = run_job(f"from_search={run_id}", "trainer.epochs=3", "optimizer=sgd")
    run = client().get_run(best.run_id)
    params = run.data.params
    # By hand: the trial's config but for the group and the key that were typed.
    assert (best.end, best.epochs) == ("complete", 3)
    assert params["optimizer"] == "sgd"
    assert "optimizer.beta_1" not in params
    assert (params["trainer.batch_size"], params["seed"]) == ("8", "4")
    assert run.info.run_name == "best: test trainer.epochs=3 optimizer=sgd"
    assert run.data.tags["choice.optimizer"] == "sgd"
    assert run.data.tags["choice.model"] == "resnet"


def test_a_key_of_the_best_trials_optimizer_is_typed_without_choosing_that(
    plan: Any, run_job: Any, client: Any
) -> None:
    trial = run_job(*TINY, "optimizer=sgd", "trainer.epochs=2")
    write_trials(plan, [Outcome(end="complete", objective=0.5, run_id=trial.run_id)])
    _, run_id = close(plan)
    best = run_job(f"from_search={run_id}", "optimizer.momentum=0.5")
    params = client().get_run(best.run_id).data.params
    assert params["optimizer"] == "sgd"
    assert params["optimizer.momentum"] == "0.5"
    with pytest.raises(ConfigError) as error:
        run_job(f"from_search={run_id}", "optimizer.beta_1=0.5")
    assert "optimizer.beta_1 is not a key of this" in str(error.value)


def test_what_does_not_fit_the_best_trial_is_told_before_it_is_trained(
    plan: Any, run_job: Any, client: Any
) -> None:
    trial = run_job(*TINY, "trainer.epochs=2")
    write_trials(plan, [Outcome(end="complete", objective=0.5, run_id=trial.run_id)])
    _, run_id = close(plan)
    with pytest.raises(ConfigError) as error:
        run_job(f"from_search={run_id}", "schedule.warmup_epochs=2")
    assert str(error.value).splitlines() == [
        "The best trial with schedule.warmup_epochs=2 has 1 problem:",
        "  - schedule.warmup_epochs must be less than trainer.epochs=2. Received: 2. "
        "Type schedule.warmup_epochs=0, or train longer: trainer.epochs=3.",
    ]


def test_a_run_that_is_no_search_has_no_best_trial(run_job: Any) -> None:
    trial = run_job(*TINY, "trainer.epochs=2")
    with pytest.raises(TrackingError, match="search that has a best trial"):
        run_job(f"from_search={trial.run_id}")


LR, SEED = "optimizer.lr", "seed"


def write_seeds(plan: Any, *found: tuple[dict[str, Any], Outcome]) -> None:
    """Writes trials by their values."""
    journal = Journal(plan.folder / job_files.SEARCH / job_files.TRIALS)
    for number, (values, outcome) in enumerate(found):
        words = [f"{key}={value}" for key, value in values.items()]
        trial = Trial(
            proposal=Proposal(number=number, values=values), overrides=tuple(words)
        )
        journal.append(ASKED, format_question(trial))
        journal.append(TOLD, format_answer(number, outcome, plan.folder))
    journal.close()


@pytest.mark.parametrize("noted", ["first", "last"])  # the latter by format 1 and 2
def test_search_with_two_seeds_takes_the_best_mean_and_not_the_luckiest_seed(
    plan: Any, run_job: Any, client: Any, noted: str
) -> None:
    """By hand: means of 0.75 and 0.7; the luckiest seed, 0.9, is of the worse one."""
    jobs = {
        (lr, seed): run_job(
            *(*TINY, "trainer.epochs=2", f"seed={seed}", f"optimizer.lr={lr}"),
            folder=plan.folder / f"{lr}-{seed}",
        )
        for lr in (3e-3, 4e-3)
        for seed in (0, 1)
    }
    for job in jobs.values():
        job.save()

    def combined(lr: float, *values: float) -> tuple[dict[str, Any], Outcome]:
        runs = [jobs[lr, seed] for seed in (0, 1)]
        outcome = Outcome(
            end="complete",
            objective=sum(values) / 2,
            repeats=values,
            run_id=runs[0 if noted == "first" else 1].run_id,
            folders=[run.output_dir for run in runs],
        )
        return {LR: lr}, outcome

    write_seeds(plan, combined(4e-3, 0.9, 0.5), combined(3e-3, 0.7, 0.8))
    _, run_id = close(plan)
    best = run_job(f"from_search={run_id}")
    params = client().get_run(best.run_id).data.params
    assert (params[LR], params[SEED]) == ("0.003", "0")


def test_seed_that_is_searched_makes_no_proposal_of_its_own(
    plan: Any, client: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    values = {(1e-3, 0): 0.9, (1e-3, 1): 0.5, (1e-4, 0): 0.7, (1e-4, 1): 0.8}
    write_seeds(
        plan,
        *(
            ({LR: lr, SEED: seed}, Outcome(end="complete", objective=v, run_id=f"{v}"))
            for (lr, seed), v in values.items()
        ),
    )
    _, run_id = close(plan)
    tags = client().get_run(run_id).data.tags
    assert tags["search.best_run_id"] == "0.7"
    shown = capsys.readouterr().out
    first = next(line for line in shown.splitlines() if line.startswith("| 1 |"))
    assert "0.7000 (mean 0.7500)" in first
    command = next(line for line in shown.splitlines() if line.startswith("  cd "))
    assert command.endswith("optimizer.lr=0.0001 seed=0")
    history = client().get_metric_history(run_id, "best_val_accuracy")
    assert [point.value for point in history] == pytest.approx([0.9, 0.7, 0.7, 0.75])
