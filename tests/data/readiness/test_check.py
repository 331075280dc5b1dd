import os
import sys
from pathlib import Path
from typing import Any

import pytest

from experiments.data.readiness import check as module
from experiments.data.readiness.check import check_data
from experiments.errors import ConfigError, DataError
from tests.data.pictures import encode, photograph

pytestmark = pytest.mark.usefixtures("forgotten")


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets no test know what another one has looked at."""
    monkeypatch.setattr(module, "_fine", set())


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders that were looked at, in order."""
    seen: list[str] = []
    look = module._look

    def record(dataset: Any, batch_size: int) -> Any:
        seen.append(Path(dataset.path).name)
        return look(dataset, batch_size)

    monkeypatch.setattr(module, "_look", record)
    return seen


def make(root: Path, images: int = 40) -> Path:
    for name in ("cat", "dog"):
        (root / name).mkdir(parents=True)
        for number in range(images // 2):
            image = photograph(8, 8)
            image.putpixel((0, 0), (number, len(name), name == "cat"))
            (root / name / f"{number}.png").write_bytes(encode(image, "PNG"))
    return root


def folder(path: Path | str, *words: str) -> list[str]:
    return ["dataset=folder", f"dataset.path={path}", *words]


def test_folder_that_can_be_trained_on_is_let_through(
    compose: Any, tmp_path: Path
) -> None:
    check_data([compose(*folder(make(tmp_path / "pets")))])


def test_weight_of_a_class_that_is_not_there_is_told(
    compose: Any, tmp_path: Path
) -> None:
    root = make(tmp_path / "pets")
    table = root / "labels.csv"
    rows = [f"{p.parent.name}/{p.name},{p.parent.name}" for p in root.rglob("*.png")]
    table.write_text("\n".join(["path,label", *rows]))
    for words in (folder(root), ["dataset=table", f"dataset.table={table}"]):
        right, wrong = "loss.class_weight={cat: 2}", "loss.class_weight={cats: 2}"
        check_data([compose(*words, right)])
        with pytest.raises(ConfigError) as caught:
            check_data([compose(*words, right), compose(*words, wrong)])
        (problem,) = caught.value.problems
        assert problem.key == "loss.class_weight.cats"
        assert problem.message.endswith("which has cat, dog.")


@pytest.mark.parametrize(
    "words",
    [
        ("task=sync", "dataset=folder", "dataset.path=/gone"),
        ("from_search=abc", "dataset=folder", "dataset.path=/gone"),
        ("dataset=cifar10",),
        ("dataset=digits",),
    ],
    ids=str,
)
def test_what_is_not_trained_on_here_is_not_looked_at(
    compose: Any, looks: list[str], words: tuple[str, ...]
) -> None:
    check_data([compose(*words)])
    assert looks == []


def test_all_that_is_wrong_is_told_at_once(compose: Any, tmp_path: Path) -> None:
    for place in ("train/cat", "train/dog", "train/bird", "val/cat", "val/cow"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "train" / "cat" / "a.heic").write_bytes(b"\0\0\0\x18ftypheic")
    config = compose(*folder(tmp_path, "dataset.classes=4"))
    with pytest.raises(ConfigError) as caught:
        check_data([config])
    told = "\n".join(map(str, caught.value.problems))
    assert "dataset.classes is 4" in told
    assert "val lacks 2 of 3 class folders: bird, dog" in told
    assert "val has 1 class folder that the training split lacks: cow" in told
    assert "has 4 class folders without a file" in told
    assert "has a class folder without an image" in told
    assert "1 file (.heic)" in told


def test_jobs_of_a_sweep_look_at_each_folder_once(
    compose: Any, tmp_path: Path, looks: list[str]
) -> None:
    one, other = make(tmp_path / "one"), make(tmp_path / "other")
    jobs = [
        compose(*folder(path, f"trainer.batch_size={batch}", f"seed={seed}"))
        for path in (one, other)
        for batch in (4, 8)
        for seed in (0, 1)
    ]
    check_data(jobs)
    for job in jobs:  # each looks again where it runs
        check_data([job])
    assert looks[:2] == ["one", "other"]
    assert len(looks) == 2 + 4


def test_folder_that_was_mended_is_looked_at_again(
    compose: Any, tmp_path: Path
) -> None:
    config = compose(*folder(tmp_path / "pets"))
    with pytest.raises(ConfigError, match="does not exist"):
        check_data([config])
    make(tmp_path / "pets")
    check_data([config])


@pytest.mark.parametrize(("batch", "fits"), [(16, True), (32, False)])
def test_batch_that_no_epoch_has_images_for_is_refused(
    compose: Any, tmp_path: Path, batch: int, fits: bool
) -> None:
    words = folder(make(tmp_path / "pets"), f"trainer.batch_size={batch}")
    config = compose(*words)
    if fits:
        return check_data([config])
    with pytest.raises(ConfigError) as caught:
        check_data([config])
    (problem,) = caught.value.problems
    assert problem.key == "trainer.batch_size"
    assert "of 40 images" in problem.message
    assert problem.hint == "Type trainer.batch_size=16, or add images."
    check_data([compose(*words, "trainer.drop_remainder=false")])
    return None


def test_nothing_heavy_is_imported_for_it(run_command: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    trace = run_command("dataset=folder", "dataset.path=empty", cold=True)
    assert trace.returncode == 2
    assert "Received: 0 folders and 0 files" in trace.stderr
    assert not (tmp_path / "outputs").exists()


def test_the_modules_of_the_look_need_no_numpy(tmp_path: Path) -> None:
    import subprocess

    code = (
        "import sys, experiments.data.readiness.check\n"
        "print([m for m in ('numpy', 'tensorflow', 'keras', 'mlflow')"
        " if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert found.stdout.strip() == "[]", found.stderr


@pytest.mark.parametrize("words", [(), ("-m", "seed=0,1")], ids=str)
@pytest.mark.skipif(os.name != "posix", reason="paths of POSIX")
def test_command_is_refused_before_it_leaves_anything(
    run_command: Any, tmp_path: Path, words: tuple[str, ...]
) -> None:
    ended = run_command("dataset=folder", "dataset.path=gone", *words)
    assert ended.returncode == 2
    assert ended.stderr.startswith("The data set has 1 problem:\n  - dataset.path does")
    assert list(tmp_path.iterdir()) == []


def test_task_that_looks_at_files_is_told_what_it_lacks(
    check: Any, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as error:
        check_data([check("task=predict").run])
    assert [problem.key for problem in error.value.problems] == ["run_id", "input"]
    with pytest.raises(DataError, match="gone is not there"):
        check_data(
            [check("task=predict", "run_id=last", f"input={tmp_path / 'gone'}").run]
        )


def test_files_to_look_at_are_checked_without_a_data_set(
    check: Any, looks: list[str], tmp_path: Path
) -> None:
    (tmp_path / "a.jpg").touch()
    check_data([check("task=predict", "run_id=last", f"input={tmp_path}").run])
    assert looks == []


def test_class_of_fewer_images_than_folds_is_told(compose: Any, tmp_path: Path) -> None:
    path = make(tmp_path / "pets", images=8)
    run = compose(*folder(path, "dataset.folds=6", "dataset.fold=1"))
    with pytest.raises(ConfigError, match=r"one for each of 6 folds, test\."):
        check_data([run])


def test_class_whose_images_are_of_few_people_is_told(
    compose: Any, tmp_path: Path
) -> None:
    path = make(tmp_path / "pets")
    words = ["dataset.test_fraction=0", "dataset.folds=3", "dataset.fold=1"]
    run = compose(*folder(path, *words, "dataset.group='/(.)'"))
    told = r"dataset\.folds needs at least 3 groups of each class, and dog has 2"
    for name in range(2, 10):  # what is left begins with 0 or 1
        for file in path.glob(f"dog/{name}*"):
            file.unlink()
    with pytest.raises(ConfigError, match=told):
        check_data([run])


def test_file_without_a_group_is_told_before_anything_heavy(
    compose: Any, tmp_path: Path
) -> None:
    run = compose(*folder(make(tmp_path / "pets"), "dataset.group='person(.)'"))
    with pytest.raises(ConfigError, match=r"group must find a group in every path\."):
        check_data([run])


def test_folds_count_what_they_leave_to_train_on(compose: Any, tmp_path: Path) -> None:
    """Of forty images half are in the fold; of the others a fifth decides."""
    path = make(tmp_path / "pets")
    words = [
        "dataset.test_fraction=0",
        "dataset.validation_fraction=0.2",
        "dataset.folds=2",
        "dataset.fold=1",
    ]
    check_data([compose(*folder(path, *words, "trainer.batch_size=16"))])
    with pytest.raises(ConfigError, match=r"batch_size must be at most 16: so many of"):
        check_data([compose(*folder(path, *words, "trainer.batch_size=17"))])
