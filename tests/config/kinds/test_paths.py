import dataclasses
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hydra.core.hydra_config import HydraConfig

from experiments.config.identity import identify, name_job_folder
from experiments.config.kinds.paths import list_paths, locate
from experiments.config.reading.fields import is_path
from experiments.config.schema.datasets.dataset import (
    DATASETS,
    CustomDatasetConfig,
    FilesConfig,
)
from experiments.config.validation import resolve, validate
from experiments.errors import ConfigError


@pytest.fixture
def pets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, a link to it, and the folder beside it to be in."""
    folder = tmp_path / "data" / "pets"
    folder.mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "data")
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path / "here")
    return folder


SPELLINGS = [
    "../data/pets",
    "./../data/./pets/",
    "../here/../data/pets",
    "~/data/pets",
    "../link/pets",
    "~/link/pets",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_one_folder_by_two_spellings_is_one_job(
    compose: Any, pets: Path, spelling: str
) -> None:
    typed = compose("dataset=folder", f"dataset.path='{spelling}'")
    absolute = compose("dataset=folder", f"dataset.path={pets}")
    assert typed.dataset.path == str(pets)
    assert identify(typed) == identify(absolute)
    folders = [
        name_job_folder([f"dataset.path={path}"], run)
        for path, run in ((spelling, typed), (pets, absolute))
    ]
    assert folders[0].rpartition("-")[2] == folders[1].rpartition("-")[2]


def test_two_folders_by_one_spelling_are_two_jobs(
    compose: Any, pets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, here = (pets.parent / name for name in ("there", "here"))
    identities = set()
    for folder in (there, here):
        (folder / "pets").mkdir(parents=True)
        monkeypatch.chdir(folder)
        run = compose("dataset=folder", "dataset.path=pets")
        assert run.dataset.path == str(folder / "pets")
        identities.add(identify(run))
    assert len(identities) == 2


def test_sweep_that_decides_later_is_that_of_its_folder(
    check: Any, pets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["dataset=folder", "seed=1,2", "name=s"]
    names = [
        check(*options, f"dataset.path={path}", multirun=True).folder.name
        for path in ("../data/pets", str(pets), "../data")
    ]
    assert names[0] == names[1] != names[2]


def test_searched_folders_count_as_where_they_lead_to(
    check: Any, pets: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def name(*paths: str) -> str:
        words = ["dataset=folder", f"dataset.path={','.join(paths)}", "name=s"]
        plan = check(*words, "hydra/sweeper=keras_tuner", multirun=True)
        return str(plan.folder.name)

    here = name("../data/pets", "../data")
    assert here == name(f"{pets}", f"{pets.parent}")
    monkeypatch.chdir(pets)
    assert here != name("../data/pets", "../data")


def test_job_in_another_folder_means_the_path_where_it_was_typed(
    compose: Any, pets: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As with `hydra.job.chdir=true`, or in a worker that started elsewhere."""
    typed = compose("dataset=folder", "dataset.path=../data/pets")
    hydra = SimpleNamespace(hydra=SimpleNamespace(runtime=SimpleNamespace()))
    hydra.hydra.runtime.cwd = str(tmp_path / "work")
    monkeypatch.setattr(HydraConfig.instance(), "cfg", hydra)
    monkeypatch.chdir("/")
    assert locate("../data/pets") == typed.dataset.path == str(pets)


def test_recorded_config_names_the_folder_from_anywhere(
    compose: Any, pets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hydra import compose as hydra_compose

    config = hydra_compose("config", ["dataset=folder", "dataset.path=../data/pets"])
    recorded = resolve(config)
    assert recorded["dataset"]["path"] == str(pets)
    monkeypatch.chdir("/")
    again = validate(recorded)
    assert again.dataset.path == str(pets)  # type: ignore[attr-defined]
    assert resolve(recorded) == recorded


@pytest.mark.parametrize(
    "text", ["", "  ", "s3://bucket/pets", "https://example.org/pets.npz"]
)
def test_text_that_is_no_path_stays(text: str) -> None:
    assert locate(text) == text


def test_path_that_cannot_be_is_left_to_who_opens_it(pets: Path) -> None:
    (pets / "loop").symlink_to(pets / "loop")
    assert locate(str(pets / "loop")).endswith("loop")
    assert locate("/" + "a" * 5000) == "/" + "a" * 5000
    assert locate("~no_such_user/pets") == str(Path.cwd() / "~no_such_user" / "pets")


@pytest.mark.parametrize("dataset", ["mnist", "imagenet", "folder"])
def test_each_data_set_has_its_path_located(
    compose: Any, pets: Path, dataset: str
) -> None:
    run = compose(f"dataset={dataset}", "dataset.path=../data/pets")
    assert dict(list_paths(run))["dataset.path"] == str(pets)


def test_missing_and_null_paths_are_none(compose: Any) -> None:
    assert not dict(list_paths(compose("dataset=mnist")))


def test_path_of_a_data_set_of_ones_own_is_located(compose: Any, pets: Path) -> None:
    own = ["dataset._target_=mine.load", "allowed_targets=[experiments,mine,keras]"]
    run, other = (
        compose("dataset=folder", f"dataset.path={path}", *own)
        for path in ("../data/pets", pets)
    )
    assert isinstance(run.dataset, CustomDatasetConfig)
    assert run.dataset.arguments()["path"] == str(pets)
    assert identify(run) == identify(other)


@pytest.mark.parametrize("schema", [*dict.fromkeys(DATASETS.values()), FilesConfig])
def test_no_key_that_names_a_file_is_forgotten(schema: type) -> None:
    named = {
        field.name: is_path(field)
        for field in dataclasses.fields(schema)
        if field.name.endswith(("path", "cache", "dir", "folder", "file"))
        and "str" in str(field.type)
        and "Literal" not in str(field.type)
    }
    assert all(named.values()), named


def test_paths_have_one_name_where_the_home_is_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "home").symlink_to(tmp_path / "real")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert locate("~/pets") == os.path.join(tmp_path, "real", "pets")  # noqa: PTH118


@pytest.mark.parametrize("key", ["output_dir", "dataset.path"])
@pytest.mark.parametrize(
    ("path", "words"),
    [
        (r'"a\x00b"', "must not hold control characters"),
        (r'"a\nb"', "must not hold control characters"),
        ("a" * 256, "more than 255 bytes"),
        ("ü" * 128, "more than 255 bytes"),
        ("/".join(["a" * 250] * 17), "longer than 4095 bytes"),
        ("file:///tmp/a", "not an address"),
    ],
)
def test_text_that_can_be_no_path_is_refused_with_its_key(
    compose: Any, key: str, path: str, words: str
) -> None:
    import yaml

    value = yaml.safe_load(path) if path.startswith('"') else path
    config = dataclasses.asdict(compose("dataset=folder", "dataset.path=/data"))
    parent = config["dataset"] if key == "dataset.path" else config
    parent[key.rpartition(".")[2]] = value
    with pytest.raises(ConfigError) as error:
        validate(config)
    problems = [p for p in error.value.problems if p.key == key]
    assert any(words in str(p) for p in problems)
    assert len(str(error.value)) < 800


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("'~/outputs'", "must be typed out"),
        ("s3://bucket/a", "a folder of this machine"),
        ("' '", "must not be empty"),
    ],
)
def test_output_folder_is_one_of_this_machine(
    compose: Any, value: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        compose(f"output_dir={value}")


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_input_is_one_folder_by_two_spellings(
    compose: Any, pets: Path, spelling: str
) -> None:
    assert compose(f"input='{spelling}'").input == str(pets)
    assert compose(f"input=['{spelling}',b.jpg]").input == [
        str(pets),
        str(Path("b.jpg").absolute()),
    ]


def test_linked_photo_keeps_the_name_by_which_people_know_it(
    compose: Any, pets: Path
) -> None:
    (pets / "0a1b").touch()
    (pets / "cat.jpg").symlink_to("0a1b")
    assert compose("input=../link/pets/cat.jpg").input == str(pets / "cat.jpg")


@pytest.mark.parametrize("text", ["-", "https://example.org/a.jpg"])
def test_input_that_is_no_path_stays(compose: Any, text: str) -> None:
    assert compose(f"input={text}").input == text
    assert compose(f"input=[{text}]").input == [text]


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("input=photos (1)/*.jpg", "photos (1)/*.jpg"),
        ("input=./-", "-"),
        ("input=2024", "2024"),
        ("input=1e3.jpg", "1e3.jpg"),
        ("input=Fötos/größe ä.jpg", "Fötos/größe ä.jpg"),
        ("input=it's.jpg", "it's.jpg"),
        ("input=[photos (1)/a.jpg, it is.jpg]", ["photos (1)/a.jpg", "it is.jpg"]),
        ("input=[2024,1.jpg]", ["2024", "1.jpg"]),
    ],
)
def test_input_is_typed_without_quotes(
    check: Any, pets: Path, typed: str, names: str | list[str]
) -> None:
    located = check(typed).run.input
    absolute = [
        str(Path(name).absolute())
        for name in ([names] if isinstance(names, str) else names)
    ]
    assert located == (absolute[0] if isinstance(names, str) else absolute)


@pytest.mark.parametrize("typed", ["input=", "input=[]", "input=['']"])
def test_input_that_names_nothing_is_refused(compose: Any, typed: str) -> None:
    with pytest.raises(ConfigError, match="input"):
        compose(typed)


def test_each_input_of_a_list_has_to_be_a_possible_path(compose: Any) -> None:
    with pytest.raises(ConfigError, match=r"input\[1\] must be a path, not an address"):
        compose("input=[a.jpg,file:///tmp/b.jpg]")
