from pathlib import Path
from typing import Any

import pytest

from experiments.errors import ConfigError
from tests.conftest import CONF


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["hydra.run.dir=x"], "hydra.run.dir cannot be set: a folder is named after"),
        (["+hydra.run.dir=x"], "hydra.run.dir cannot be set"),
        (["hydra.sweep.dir=x"], "hydra.sweep.dir cannot be set"),
        (["hydra.sweep.subdir=x"], "hydra.sweep.subdir cannot be set"),
        (["hydra.job.name=x"], "hydra.job.name is not used. To name the run: name="),
        (["hydra.job.num=3"], "hydra.job.num cannot be set: Hydra fills it in."),
        (["hydra.runtime.cwd=/"], "hydra.runtime.cwd cannot be set"),
        (["hydra.overrides.task=[a]"], "hydra.overrides.task cannot be set"),
        (["hydra.help.template=x"], "hydra.help.template is not used: --help shows"),
        (["hydra={job: {chdir: true}}"], "hydra must be set key by key."),
        (["~hydra"], "hydra must be set key by key."),
        (["hydra.verbose=3"], "hydra.verbose must be true, false or the name of a"),
        (["hydra.verbose=[a,1]"], "hydra.verbose must be true, false or the name of"),
        (["hydra.job.env_copy=[NO_SUCH]"], "hydra.job.env_copy must name variables"),
        (
            ["hydra.searchpath=[file:///nowhere]"],
            "command line: hydra.searchpath names",
        ),
        (["hydra.searchpath=3"], "command line: hydra.searchpath must be a list of"),
        (
            ["hydra.mode=NOPE"],
            "hydra.mode is refused: Invalid value 'NOPE', expected one of ",
        ),
        (["hydra.nope=1"], "hydra.nope is not a key of this configuration."),
        (["+hydra.nope=1"], "hydra.nope is not a key of this configuration."),
        (
            ["++hydra.job.chdri=true"],
            "hydra.job.chdri is not a key of this configurati",
        ),
        (["hydra/job_logging=nope"], "hydra/job_logging must be one of default, disab"),
        (["=3"], "=3 names no key. Type key=value."),
        (["model={dept: 18}"], "model.dept is not a key of this configuration. Did yo"),
        (["tags={a: 1}"], "tags.a is not a key of this configuration. To add it, type"),
        (["~seed=1"], "seed is refused: Could not delete from config. The value of 's"),
        (["~nope"], "nope is not a key of this configuration."),
        (["+optimizer=sgd"], "optimizer has a file already, and takes another in its"),
        (["++optimizer=sgd"], "command line: force-add of config groups is not suppor"),
        (["model@x=resnet18"], "command line: Could not override 'model@x'."),
        (["model=3"], "model must be one of "),
        (["model=null"], "model is missing."),
        (["optimizer=[sgd,nope]"], "optimizer takes one file. Received: [sgd, nope]."),
        (["seed=${hydra:runtime.nope}"], "seed must be an integer"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_key_is_honoured_or_refused_in_a_sentence(
    check: Any, words: list[str], message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        check(*words)
    (problem,) = error.value.problems
    assert str(problem).startswith(message)
    assert "\n" not in str(problem)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["hydra.mode=RUN"], "hydra.mode must be MULTIRUN with -m. Received: RUN."),
        (["hydra/launcher=null"], "hydra/launcher must not be null in a sweep."),
        (["hydra.sweeper.params={seed: '1,2'}"], "hydra.sweeper.params is null"),
        (["hydra.sweeper.max_batch_size=0"], "hydra.sweeper.max_batch_size must be nu"),
        (
            ["hydra.verbose=true,false"],
            "hydra.verbose takes one value, in a sweep too.",
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_key_of_a_sweep_is_honoured_or_refused_in_a_sentence(
    check: Any, words: list[str], message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        check("seed=1,2", *words, multirun=True)
    (problem,) = error.value.problems
    assert str(problem).startswith(message)


@pytest.mark.parametrize(
    "words",
    [
        ["hydra.verbose=true"],
        ["hydra.verbose=[a,b]"],
        ["hydra.job.chdir=true"],
        ["hydra.output_subdir=null"],
        ["hydra/job_logging=default"],
        ["+hydra.job.env_set.A=1"],
        ["hydra.job.config.override_dirname.kv_sep=:"],
        ["hydra.mode=RUN"],
        ["+hydra.callbacks.a._target_=hydra.experimental.callback.Callback"],
        ["output_dir=${hydra:runtime.cwd}/x"],
    ],
    ids=" ".join,
)
def test_good_keys_of_hydra_change_nothing_of_what_the_job_is(
    check: Any, words: list[str]
) -> None:
    assert check(*words).folder.name == check().folder.name


def test_mode_may_be_typed_instead_of_the_flag(check: Any) -> None:
    typed = check("seed=1,2", "hydra.mode=MULTIRUN")
    flag = check("seed=1,2", multirun=True)
    assert typed.multirun
    assert (typed.jobs, typed.folder) == (flag.jobs, flag.folder)


@pytest.mark.parametrize(
    ("node", "multirun", "message"),
    [
        ("run: {dir: results}", False, "hydra.run.dir must end in /${hydra.job.name},"),
        ("sweep: {dir: results}", True, "hydra.sweep.dir must end in /${hydra.job.nam"),
        ("sweep: {subdir: x}", True, "hydra.sweep.subdir cannot be set: a folder is"),
        ("mode: MULTIRUN", False, "hydra.mode must be RUN without -m."),
    ],
)
def test_file_of_the_users_own_is_held_to_the_same(
    check: Any, tmp_path: Path, node: str, multirun: bool, message: str
) -> None:
    (tmp_path / "experiment").mkdir()
    text = f"# @package _global_\nhydra: {{{node}}}\n"
    (tmp_path / "experiment" / "mine.yaml").write_text(text)
    with pytest.raises(ConfigError) as error:
        check("experiment=mine", extra_config_dir=tmp_path, multirun=multirun)
    assert str(error.value.problems[0]).startswith(message)


def test_file_of_the_project_comes_before_one_of_the_same_name(
    check: Any, tmp_path: Path
) -> None:
    (tmp_path / "optimizer").mkdir()
    (tmp_path / "optimizer" / "adam.yaml").write_text("lr: 77\n")
    assert check(extra_config_dir=tmp_path).run.optimizer.lr == check().run.optimizer.lr


def test_folder_of_the_search_path_stays_with_the_command(
    check: Any, tmp_path: Path
) -> None:
    (tmp_path / "model").mkdir()
    text = "defaults: [resnet18, _self_]\nwidth: 24\n"
    (tmp_path / "model" / "found.yaml").write_text(text)
    word = f"hydra.searchpath=[file://{tmp_path}]"
    plan = check("model=found", word)
    assert plan.run.model.width == 24
    assert plan.flags == (word,)
    assert plan.overrides == ("model=found",)


@pytest.mark.parametrize(
    ("typed", "swept"),
    [
        ([], ["optimizer.lr"]),
        (["seed=1,2"], ["optimizer.lr", "seed"]),
        (["optimizer.lr=1,2"], ["optimizer.lr"]),
        (["optimizer.lr=1", "seed=1,2"], ["seed"]),
    ],
    ids=str,
)
def test_what_a_file_sweeps_is_swept_as_if_it_were_typed(
    check: Any, tmp_path: Path, typed: list[str], swept: list[str]
) -> None:
    (tmp_path / "hydra" / "sweeper").mkdir(parents=True)
    target = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"
    text = f"{{_target_: {target}, max_batch_size: null, params: {{LR: '1e-3,1e-2'}}}}"
    file = tmp_path / "hydra" / "sweeper" / "mine.yaml"
    file.write_text(text.replace("LR", "optimizer.lr"))
    words = ("hydra/sweeper=mine", *typed)
    plan = check(*words, extra_config_dir=tmp_path, multirun=True)
    assert set(plan.swept_keys) == {*swept}
    given = any(word.startswith("optimizer.lr=") for word in typed)
    from_file = [] if given else ["optimizer.lr=1e-3,1e-2"]
    all_typed = check(*from_file, *typed, multirun=True)
    assert plan.jobs == all_typed.jobs
    assert set(plan.job_folders) == set(all_typed.job_folders)


def test_key_that_only_the_swept_choices_have_is_no_mistake(check: Any) -> None:
    plan = check("optimizer=sgd,rmsprop", "optimizer.momentum=0.5", multirun=True)
    assert len(plan.jobs) == 2
    with pytest.raises(ConfigError, match=r"optimizer.momentum is not a key"):
        check("optimizer=sgd,adam", "optimizer.momentum=0.5", multirun=True)


@pytest.mark.usefixtures("unshared_files")
def test_many_jobs_need_the_list_of_files_once(
    check: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from experiments.command.composing import loader

    listed: list[Any] = []
    plain = loader.create_defaults_list

    def create(**given: Any) -> Any:
        listed.append(given)
        return plain(**given)

    monkeypatch.setattr(loader, "create_defaults_list", create)
    check("trainer.epochs=41,42,43", "optimizer=sgd,adam", multirun=True)
    assert len(listed) <= 3  # what is varied, and each choice
    assert CONF.is_dir()
