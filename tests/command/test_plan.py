import sys
from pathlib import Path
from typing import Any

import pytest

from experiments.errors import ConfigError
from tests.conftest import CONF


def problems(error: pytest.ExceptionInfo[ConfigError]) -> list[str]:
    return [str(problem) for problem in error.value.problems]


def test_good_command_line_gives_a_plan(check: Any) -> None:
    plan = check("model=resnet18", "optimizer.lr=1e-3", "+tags.note=first")
    assert plan.run.model.depth == 18
    assert plan.run.optimizer.lr == 1e-3
    assert plan.run.tags == {"note": "first"}
    assert plan.folder.is_absolute()
    assert plan.jobs == (("model=resnet18", "optimizer.lr=1e-3", "+tags.note=first"),)


def test_sweep_lists_its_jobs_and_what_varies(check: Any) -> None:
    plan = check("model=resnet18,resnet50", "seed=range(0,2)", multirun=True)
    assert plan.swept_keys == ("model", "seed")
    assert [list(job) for job in plan.jobs] == [
        ["model=resnet18", "seed=0"],
        ["model=resnet18", "seed=1"],
        ["model=resnet50", "seed=0"],
        ["model=resnet50", "seed=1"],
    ]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "model.dept=3",
            "model.dept is not a key of this configuration. Did you mean "
            "`model.depth=3`?",
        ),
        (
            "+model.dept=3",
            "model.dept is not a key of this configuration. Did you mean "
            "`model.depth=3`?",
        ),
        (
            "++trainer.epoch=3",
            "trainer.epoch is not a key of this configuration. Did you",
        ),
        (
            "modle=resnet18",
            "modle is not a key of this configuration. Did you mean `model=resnet18`?",
        ),
        ("model=resnet51", "model must be one of "),
        ("experiment=notebok", "experiment must be one of "),
        ("optimizer.lr=fast", "optimizer.lr must be a number > 0. Received: 'fast'."),
        ("optimizer.lr=-1", "optimizer.lr must be a number > 0. Received: -1."),
        ("optimizer.momentum=0.9", "optimizer.momentum is not a key of optimizer=adam"),
        ("dataset=folder", "dataset.path is missing. Set it: dataset.path=..."),
        ("trainer.monitor=val_acuracy", "trainer.monitor must be one of val_loss"),
        ("trainer.monitor_mode=min", "trainer.monitor_mode must be max for val_acc"),
        (
            "callbacks.checkpoint.monitor=val_acuracy",
            "callbacks.checkpoint.monitor must be one of val_loss",
        ),
        (
            "callbacks.early_stopping.mode=min",
            "callbacks.early_stopping.mode must be max for val_accuracy.",
        ),
        (
            "trainer.monitor=val_top5_accuracy",
            "trainer.monitor needs 11 classes or more, and the data set has 10.",
        ),
        (
            "schedule.warmup_epochs=99",
            "schedule.warmup_epochs must be less than trainer",
        ),
        ("gpu=[0,0]", "gpu names a GPU twice."),
        ("gpu=gpu0", "gpu must be one of auto, cpu, all or an integer >= 0 or a list"),
        (
            "model._target_=os.system",
            "model._target_ must begin with one of experiments",
        ),
        ("model.depth=51", "model.depth must be "),
        (
            "tags.note=x",
            "tags.note is not a key of this configuration. To add it, type +",
        ),
        ("model=resnet18,resnet50", "model takes one value in a single run."),
        ("optimizer.lr=", "optimizer.lr must be a number > 0. Received: ''."),
        ("seed=${sed}", "seed cannot be resolved"),
        ("output_dir=", "output_dir must not be empty."),
        (
            "trainer.threads=10000",
            "trainer.threads must be an integer >= 1 and <= 1024",
        ),
        ("+seed=3", "seed is set already. Drop the +: seed=3"),
        ("optimizer.lr=inf", "optimizer.lr must be a number > 0. Received: inf."),
    ],
)
def test_mistake_is_answered_with_its_key(
    check: Any, override: str, message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        check(override)
    assert len(error.value.problems) == 1, problems(error)
    assert problems(error)[0].startswith(message)
    assert error.value.exit_code == 2


def test_all_mistakes_come_in_one_message(check: Any) -> None:
    with pytest.raises(ConfigError) as error:
        check("model=resnet51", "modle=1", "optimizer.lr=0", "trainer.epochs=0.5")
    keys = [problem.key for problem in error.value.problems]
    assert keys == ["model", "modle", "optimizer.lr", "trainer.epochs"]


def test_one_bad_job_refuses_the_whole_sweep_and_is_named(check: Any) -> None:
    with pytest.raises(ConfigError) as error:
        check("seed=0,1", "optimizer.lr=1e-3,0", multirun=True)
    assert str(error.value).startswith("The sweep of 4 jobs has 1 problem:")
    assert "(in 2 of 4 jobs, first in job 2: seed=0 optimizer.lr=0)" in str(error.value)


def test_folder_follows_the_output_dir(check: Any, tmp_path: Path) -> None:
    plan = check(f"output_dir={tmp_path}")
    assert plan.folder.is_relative_to(tmp_path / "runs")


def test_syntax_error_of_an_override_is_one_problem(check: Any) -> None:
    with pytest.raises(ConfigError) as error:
        check("optimizer.lr=[1,")
    assert len(error.value.problems) == 1


def test_config_dir_of_the_user_adds_options(check: Any, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    option = tmp_path / "model" / "mine.yaml"
    option.write_text("defaults: [resnet, _self_]\nwidth: 8\n")
    plan = check("model=mine", extra_config_dir=tmp_path)
    assert plan.flags == ("--config-dir", str(tmp_path))
    assert plan.run.model.width == 8
    with pytest.raises(ConfigError, match="config-dir must be a folder"):
        check(extra_config_dir=tmp_path / "nowhere")


def test_nothing_heavy_is_imported_to_check_a_command_line() -> None:
    import subprocess

    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from experiments.command.plan import check_command_line\n"
        f"check_command_line(['model=resnet18'], config_dir=Path({str(CONF)!r}))\n"
        "heavy = {'tensorflow', 'keras', 'mlflow', 'keras_tuner', 'numpy', 'jax'}\n"
        # What is read once something is wrong.
        "heavy |= {'experiments.command.' + name for name in ('suggestion', "
        "'mistyped_words', 'mistyped_flags')} | {'experiments.config.synonyms'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    shown = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert shown.strip() == "[]"


def test_sweep_that_matches_nothing_is_told(check: Any) -> None:
    with pytest.raises(ConfigError, match=r"model=glob\(nope\*\) matches nothing"):
        check("model=glob(nope*)", multirun=True)


def test_sweep_that_runs_a_job_twice_is_refused(check: Any) -> None:
    with pytest.raises(ConfigError) as error:
        check("seed=1,2,1", multirun=True)
    assert problems(error) == ["seed=1 is the same job as another one of this sweep."]


def test_long_list_of_values_is_not_written_out_twice(check: Any) -> None:
    with pytest.raises(ConfigError) as error:
        check(f"model={','.join(['resnet18'] * 1000)}")
    (problem,) = problems(error)
    assert problem.endswith("or quote it to pass a text.")
    assert len(problem) < 2000


@pytest.mark.parametrize("word", ["hydra.mode", "seed", "+tags.x"])
def test_long_value_that_no_grammar_reads_is_not_written_out(
    check: Any, word: str
) -> None:
    with pytest.raises(ConfigError) as error:
        check(f"{word}={'1,' * 3000}")
    assert len(str(error.value)) < 2000


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["optimizer.lr=-1", "seed=range(0,6)"], ["Received: -1. (in 6 of 6 jobs)"]),
        (["trainer.epochs=range(-5,0)"], ["Received: -5. (in 5 of 5 jobs)"]),
        (
            ["trainer.epochs=range(-2,3)", "schedule=constant"],
            ["Received: -2. (in 3 of 5 jobs, first in job 1: trainer.epochs=-2)"],
        ),
        (["seed=0,1,-1"], ["Received: -1. (job 3: seed=-1)"]),
    ],
)
def test_jobs_with_one_cause_are_one_line_with_their_count(
    check: Any, words: list[str], told: list[str]
) -> None:
    with pytest.raises(ConfigError) as error:
        check(*words, multirun=True)
    found = problems(error)
    assert len(found) == len(told)
    assert all(map(str.endswith, found, told)), found


def test_more_jobs_with_one_cause_than_may_differ_are_all_counted(check: Any) -> None:
    with pytest.raises(ConfigError, match=r"\(in 25 of 25 jobs\)$"):
        check("trainer.epochs=range(-25,0)", multirun=True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("seed=1,2 seed=3,4", "-m seed=1,2,3,4"),
        ("seed=1,2 seed=3", "-m seed=1,2,3"),
        (
            "model=resnet18 model=resnet34,resnet50",
            "-m model=resnet18,resnet34,resnet50",
        ),
    ],
)
def test_several_values_given_twice_are_told(check: Any, words: str, told: str) -> None:
    with pytest.raises(ConfigError) as error:
        check(*words.split(), multirun=True)
    key = words.partition("=")[0]
    reason = "is given 2 times, and only the last would count. To run all of them:"
    assert problems(error) == [f"{key} {reason} {told}"]
    assert check(*told.split()[1:], multirun=True).swept_keys == (key,)


def test_last_of_two_values_counts_in_a_single_run(check: Any) -> None:
    assert check("seed=1", "seed=2").run.seed == 2


@pytest.mark.parametrize(
    "words",
    [
        "experiment=search_resnet50,digits_resnet50",
        "experiment=digits_resnet50,search_resnet50 seed=1",
        "experiment=search_resnet50,search_again",
    ],
)
def test_search_is_no_job_of_a_sweep(check: Any, tmp_path: Path, words: str) -> None:
    (tmp_path / "experiment").mkdir()
    again = tmp_path / "experiment" / "search_again.yaml"
    again.write_text((CONF / "experiment" / "search_resnet50.yaml").read_text())
    with pytest.raises(ConfigError) as error:
        check(*words.split(), multirun=True, extra_config_dir=tmp_path)
    reason = "experiment cannot be one of several values: "
    assert all(problem.startswith(reason) for problem in problems(error))
    assert "Type it by itself: -m experiment=search_resnet50" in problems(error)[0]
    check("experiment=search_resnet50", multirun=True)


def test_key_that_follows_another_is_not_told_beside_it(check: Any) -> None:
    with pytest.raises(ConfigError) as error:
        check("trainer.batch_size=many")  # what counts the images follows it
    assert [problem.key for problem in error.value.problems] == ["trainer.batch_size"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("lr=0.1,0.2", "`optimizer.lr=0.1,0.2`? (in 2 of 2 jobs)"),
        ("scheduler=cosine,Step", "`schedule=cosine,step`? (in 2 of 2 jobs)"),
        ("experiment=search_resnet50 optimizer.lrr=1,2", "`optimizer.lr=1,2`? (such"),
    ],
)
def test_all_values_of_a_mistyped_key_are_suggested(
    check: Any, words: str, told: str
) -> None:
    with pytest.raises(ConfigError) as error:
        check(*words.split(), multirun=True)
    assert told in problems(error)[0]


def test_interval_of_a_search_that_is_given_again_replaces_the_former(
    check: Any,
) -> None:
    words = ["hydra/sweeper=keras_tuner", "optimizer.lr=interval(1e-4,1e-3)"]
    plan = check(*words, "optimizer.lr=interval(1e-4,1e-2)", multirun=True)
    (parameter,) = plan.search.space.parameters
    assert parameter.high == 1e-2


def test_key_that_nothing_has_is_told_in_a_sweep_of_one_job(check: Any) -> None:
    with pytest.raises(ConfigError, match=r"zzz is not a key of this configuration\."):
        check("zzz=1", multirun=True)
