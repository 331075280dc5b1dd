from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hydra._internal.utils import create_config_search_path

from experiments.command.composing.loader import open_hydra
from experiments.command.config_folders.permission import Permission, read_raw
from experiments.command.plan import check as check_with
from experiments.errors import ConfigError
from tests.conftest import CONF

OWN = "experiments,keras.optimizers,keras.callbacks"
WIDER = f"allowed_targets=[{OWN},guest]"


@pytest.fixture
def guests(tmp_path: Path) -> Callable[[str], Path]:
    """Writes an experiment into a folder that is not the project's."""

    def write(text: str, name: str = "experiment/theirs") -> Path:
        file = tmp_path / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"# @package _global_\n{text}\n")
        return tmp_path

    return write


def refusal(check: Any, *words: str, **options: Any) -> Any:
    with pytest.raises(ConfigError) as error:
        check(*words, **options)
    (problem,) = error.value.problems
    return problem


@pytest.mark.parametrize("flag", ["--config-dir", "hydra.searchpath"])
def test_folder_of_somebody_does_not_say_whose_code_may_run(
    check: Any, guests: Any, flag: str
) -> None:
    folder = guests(f"allowed_targets: [{OWN}, guest]")
    words = ["experiment=theirs"]
    options = {"extra_config_dir": folder}
    if flag != "--config-dir":
        words, options = [*words, f"hydra.searchpath=['file://{folder}']"], {}
    problem = refusal(check, *words, **options)
    assert problem.key == "allowed_targets"
    assert f"from {folder}/experiment/theirs.yaml: guest." in problem.message
    assert problem.hint == (
        f"If you trust that code, type: allowed_targets='[{OWN},guest]'"
    )
    # The override works as it is printed.
    plan = check(*words, problem.hint.rpartition(": ")[2].replace("'", ""), **options)
    assert plan.run.allowed_targets[-1] == "guest"


def test_folder_that_takes_the_place_of_the_projects_does_not_either(
    guests: Any, tmp_path: Path
) -> None:
    guests(f"allowed_targets: [{OWN}, guest]", "theirs")

    def check(*words: str) -> Any:
        search_path = create_config_search_path(str(tmp_path))
        own = {"own": f"file://{CONF}", "primary": "config"}
        with open_hydra(search_path, **own) as hydra:
            return check_with(words, hydra.config_loader, config_name="theirs")

    problem = refusal(check)
    assert problem.key == "allowed_targets"
    assert f"{tmp_path}/theirs.yaml: guest." in problem.message


def test_what_is_allowed_already_may_stand_there(check: Any, guests: Any) -> None:
    for names in ("experiments, keras.optimizers, keras.callbacks.CSVLogger", OWN):
        folder = guests(f"allowed_targets: [{names}]")
        words = ["experiment=theirs", "callbacks=[timing]"]
        assert check(*words, extra_config_dir=folder).run.allowed_targets


def test_files_of_the_project_say_it(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        "defaults: [_self_, experiment: mine]\nallowed_targets: [experiments]\n"
    )
    (tmp_path / "experiment").mkdir()
    file = tmp_path / "experiment" / "mine.yaml"
    file.write_text("# @package _global_\nallowed_targets: [experiments, mine]\n")
    with open_hydra(create_config_search_path(str(tmp_path))) as hydra:
        loader = hydra.config_loader
        config = hydra.compose_config("config", [], run_mode())
        assert list(loader.find_unauthorised(config)) == []


def run_mode() -> Any:
    from hydra.types import RunMode

    return RunMode.RUN


@pytest.mark.parametrize(
    "value", ["${oc.env:HOME}", "${tags.mine}", "[experiments,'${tags.mine}']"]
)
def test_what_may_run_is_written_out(check: Any, value: str) -> None:
    words = ["+tags.mine=experiments", f"allowed_targets={value}"]
    with pytest.raises(ConfigError, match="allowed_targets must be written out"):
        check(*words)


def test_sweep_of_a_file_does_not_say_it(check: Any, guests: Any) -> None:
    lists = f"'[{OWN}],[{OWN},guest]'"
    folder = guests(f"hydra: {{sweeper: {{params: {{allowed_targets: {lists}}}}}}}")
    options = {"extra_config_dir": folder, "multirun": True}
    problem = refusal(check, "experiment=theirs", **options)
    assert problem.key == "allowed_targets"
    assert "guest" in problem.message
    words = [f"allowed_targets=[{OWN}],[{OWN},guest]", "seed=0,1"]
    assert check(*words, multirun=True).run.allowed_targets


def test_job_that_a_sweeper_makes_later_is_held_to_what_was_typed() -> None:
    """A worker gets the loader, and overrides that nobody checked before."""
    import pickle

    with open_hydra(create_config_search_path(str(CONF))) as hydra:
        check_with(["seed=0,1"], hydra.config_loader, config_name="config", multirun=1)
        master = hydra.compose_config("config", ["seed=0,1"], multirun())
        worker = pickle.loads(pickle.dumps(hydra.config_loader))
        assert worker.load_sweep_config(master, ["seed=1"]).seed == 1
        for words in (
            ["allowed_targets=[os]"],
            ["+hydra.callbacks.a._target_=os.system"],
            ["hydra.job_logging.handlers.file.class=os.system"],
        ):
            with pytest.raises(ConfigError):
                worker.load_sweep_config(master, words)


def multirun() -> Any:
    from hydra.types import RunMode

    return RunMode.MULTIRUN


def test_environment_is_not_set_by_a_folder_of_somebody(
    check: Any, guests: Any
) -> None:
    folder = guests("hydra: {job: {env_set: {LD_PRELOAD: /tmp/x.so}}}")
    problem = refusal(check, "experiment=theirs", extra_config_dir=folder)
    assert problem.key == "hydra.job.env_set.LD_PRELOAD"
    typed = ["experiment=theirs", "hydra.job.env_set.LD_PRELOAD=/tmp/y.so"]
    assert check(*typed, extra_config_dir=folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("setup", "['touch /tmp/x']"),
        ("additional_parameters", "{wrap: touch /tmp/x}"),
        ("submitit_folder", "/tmp/x"),
        ("partition", '"gpu\\ntouch /tmp/x"'),
    ],
)
def test_commands_of_a_launcher_are_asked_for(
    check: Any, guests: Any, key: str, value: str
) -> None:
    text = f"defaults: [submitit_slurm]\n{key}: {value}\n"
    folder = guests("", "hydra/launcher/cluster")
    (folder / "hydra" / "launcher" / "cluster.yaml").write_text(text)
    guests("defaults: [override /hydra/launcher: cluster]")
    options = {"extra_config_dir": folder, "multirun": True}
    words = ["experiment=theirs", "seed=0,1"]
    problem = refusal(check, *words, **options)
    assert problem.key == f"hydra.launcher.{key}"
    assert problem.hint.endswith("hydra/launcher=cluster")
    assert check(*words, "hydra/launcher=cluster", **options)


@pytest.mark.parametrize(
    "place", ["pkg://antigravity", "pkg://guest.conf", "pkg://os", "pkg://keras"]
)
def test_package_is_not_imported_to_look_for_configs(
    check: Any, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    from importlib import resources

    monkeypatch.setattr(resources, "files", lambda name: pytest.fail(name))
    problem = refusal(check, f"hydra.searchpath=['{place}']")
    assert "to look into one is to import it" in problem.message


def test_own_folder_is_known_by_its_place(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(CONF)
    permission = Permission(own=f"file://{CONF}", primary="config")
    assert permission.is_own(f"file://{tmp_path}/link")
    assert permission.is_own("pkg://hydra.conf")
    assert not permission.is_own(f"file://{tmp_path}")
    assert not permission.is_own("pkg://guest.conf")


def test_config_without_the_key_is_read_too() -> None:
    """Hydra's own page is composed without a primary config."""
    with open_hydra(create_config_search_path(str(CONF))) as hydra:
        config = hydra.compose_config(None, [], run_mode())
        assert read_raw(config, "allowed_targets") is None
        assert list(hydra.config_loader.find_unauthorised(config)) == []


@pytest.mark.parametrize("target", ["keras.callbacks.BackupAndRestore", "${tags.t}"])
def test_callback_that_writes_where_it_is_told_is_not_brought_unasked(
    check: Any, guests: Any, target: str
) -> None:
    """`BackupAndRestore` removes the folder that it is given."""
    tags = "tags: {t: keras.callbacks.BackupAndRestore}"
    folder = guests(
        f"{tags}\ncallbacks: {{x: {{_target_: '{target}', backup_dir: /a}}}}"
    )
    words = ["experiment=theirs"]
    problem = refusal(check, *words, extra_config_dir=folder)
    assert problem.key == "callbacks.x._target_"
    allow = problem.hint.rpartition(": ")[2].replace("'", "")
    assert allow.endswith("keras.callbacks,keras.callbacks.BackupAndRestore]")
    assert check(*words, allow, extra_config_dir=folder)
    typed = "callbacks.x._target_=keras.callbacks.BackupAndRestore"
    assert check(*words, typed, extra_config_dir=folder)
