import re

import pytest

from experiments.data.files.folders.class_folders import list_classes, list_files
from experiments.data.files.folders.layout import read_layout
from experiments.errors import DataError


def make(root, tree):
    """Makes empty files and links from a text such as `train/cat/a.jpg dog->/gone`."""
    for word in tree.split():
        name, _, target = word.partition("->")
        path = root / name.replace("%", " ")
        path.parent.mkdir(parents=True, exist_ok=True)
        if target:
            path.symlink_to(target)
        elif name.endswith("/"):
            path.mkdir(exist_ok=True)
        else:
            path.write_bytes(b"")


def read(root, splits=None, classes=None):
    return read_layout(root, splits=splits, classes=classes)


def class_files(*folders):
    return " ".join(f"{folder}/cat/a.jpg {folder}/dog/b.jpg" for folder in folders)


class TestUnderstood:
    @pytest.mark.parametrize(
        ("folders", "splits"),
        [
            ("train", {"train": "train"}),
            ("Training Testing", {"train": "Training", "test": "Testing"}),
            ("Train Val", {"train": "Train", "validation": "Val"}),
            ("train dev", {"train": "train", "validation": "dev"}),
            ("TRAIN TEST", {"train": "TRAIN", "test": "TEST"}),
            (
                "training_set validation_set test_set",
                {
                    "train": "training_set",
                    "validation": "validation_set",
                    "test": "test_set",
                },
            ),
            ("train2017 val2017", {"train": "train2017", "validation": "val2017"}),
            (
                "train eval test",
                {"train": "train", "validation": "eval", "test": "test"},
            ),
            ("train dev eval", {"train": "train", "validation": "dev", "test": "eval"}),
            (
                "training_set/training_set test_set/test_set",
                {"train": "training_set/training_set", "test": "test_set/test_set"},
            ),
            ("Train/train Val", {"train": "Train/train", "validation": "Val"}),
        ],
    )
    def test_split_folders_by_their_usual_names(self, tmp_path, folders, splits):
        make(tmp_path, class_files(*folders.split()))

        layout = read(tmp_path)

        assert layout.splits == splits
        assert layout.class_names == ["cat", "dog"]
        assert layout.unused == []
        assert {s: files.names for s, files in layout.files.items()} == {
            split: [f"{folder}/cat/a.jpg", f"{folder}/dog/b.jpg"]
            for split, folder in splits.items()
        }

    @pytest.mark.parametrize(
        ("tree", "classes"),
        [
            ("cat/a.jpg dog/b.jpg", "cat dog"),
            # A class called train, with what tools leave in it and beside it.
            ("train/a.jpg bus/b.jpg car/c.jpg", "bus car train"),
            ("train/a.jpg bus/b.jpg train/.ipynb_checkpoints/a.jpg", "bus train"),
            ("train/a.jpg bus/b.jpg .git/x .ipynb_checkpoints/a.jpg", "bus train"),
            ("train/a.jpg bus/b.jpg __MACOSX/bus/b.jpg", "bus train"),
            ("valid/a.jpg invalid/b.jpg", "invalid valid"),
            ("cat/deep/deeper/a.jpg dog/b.jpg", "cat dog"),
            ("bullet_train/a.jpg test_tube/b.jpg cat/c.jpg", None),
            ("bullet_train/a.jpg cat/c.jpg", "bullet_train cat"),
        ],
    )
    def test_class_folders_without_splits(self, tmp_path, tree, classes):
        make(tmp_path, tree)
        if classes is None:
            with pytest.raises(DataError, match="splits or classes"):
                read(tmp_path)
            return

        layout = read(tmp_path)

        assert layout.class_names == classes.split()
        assert layout.splits == {}
        assert layout.unused == []

    def test_links_to_folders_are_folders(self, tmp_path):
        make(tmp_path, class_files("data/Training", "data/Testing") + " set/")
        for name in ("Training", "Testing"):
            (tmp_path / "set" / name).symlink_to(tmp_path / "data" / name)

        assert read(tmp_path / "set").splits == {"train": "Training", "test": "Testing"}

    def test_what_is_not_used_is_named(self, tmp_path):
        make(tmp_path, class_files("train", "test"))
        make(tmp_path, "extra/a.jpg notes.txt Pred/cat/a.jpg a.PNG b.jpg .git/x")
        make(tmp_path, "train/loose.jpg train/README.md gone->/no/where")
        make(tmp_path, f"linked->{tmp_path / 'extra'}")

        assert read(tmp_path).unused == [
            "Pred",
            "extra",
            "linked (a link)",
            "gone (a link that leads nowhere)",
            "2 loose images (a.PNG)",
            "1 loose image in train (loose.jpg)",
        ]

    def test_folders_that_are_no_classes_do_not_make_train_one(self, tmp_path):
        make(tmp_path, class_files("train"))
        make(tmp_path, "docs/a.md scripts/b.py extra/a.jpg more/cat/a.jpg")

        assert read(tmp_path).unused == ["docs", "extra", "more", "scripts"]

    def test_loose_images_beside_class_folders_are_named(self, tmp_path):
        make(tmp_path, "cat/a.jpg dog/b.jpg c.webp labels.csv")

        assert read(tmp_path).unused == ["1 loose image (c.webp)"]


class TestTyped:
    def test_no_splits_makes_every_folder_a_class(self, tmp_path):
        make(tmp_path, class_files("Training", "Testing"))

        layout = read(tmp_path, splits={})

        assert layout.class_names == ["Testing", "Training"]
        assert len(layout.files["train"].names) == 4

    def test_folders_of_any_name_and_depth_can_be_the_splits(self, tmp_path):
        make(tmp_path, class_files("set/set", "new%photos", "old"))

        layout = read(tmp_path, splits={"test": "new photos", "train": "set/set"})

        assert list(layout.files) == ["train", "test"]
        assert layout.files["test"].names[0] == "new photos/cat/a.jpg"
        assert layout.unused == ["old"]

    def test_a_split_folder_that_is_not_there_is_named(self, tmp_path):
        make(tmp_path, class_files("Training"))

        with pytest.raises(DataError, match=r"dataset\.splits\.test does not exist"):
            read(tmp_path, splits={"train": "Training", "test": "Testing"})


@pytest.mark.parametrize(
    ("tree", "offered"),
    [(class_files("test"), False), (class_files("test", "pets"), True)],
)
def test_taking_folders_for_classes_is_offered_where_there_are_two(
    tmp_path, tree, offered
):
    make(tmp_path, tree)

    with pytest.raises(DataError, match="no training split") as caught:
        read(tmp_path)

    assert ("dataset.splits={}" in str(caught.value)) is offered


QUESTIONS = [
    # Splits without class folders: not two classes called train and test.
    ("train/a.jpg test/b.jpg", "one folder a class; if every .* dataset.splits={}"),
    ("cat/a.jpg dog/b.jpg test/c.jpg", "test, named like splits, with images directly"),
    ("cat/a.jpg dog/b.jpg test/cat/c.jpg test/dog/d.jpg", "no training split"),
    ("Val/cat/a.jpg Testing/cat/b.jpg", "no training split"),
    # Which of two readings.
    ("train/cat/a.jpg train/dog/a.jpg eval/cat/a.jpg eval/dog/a.jpg", "eval can be"),
    ("train/steam/a.jpg bus/b.jpg", "the training split, or a class"),
    ("train/old/a.jpg train/new/a.jpg bus/b.jpg car/c.jpg", "or a class"),
    ("seg_train/cat/a.jpg seg_test/cat/b.jpg", "are they splits or classes"),
    ("cat/train/a.jpg cat/test/b.jpg dog/train/c.jpg dog/test/d.jpg", "holds splits"),
    # More than one folder, or one without class folders.
    (class_files("train", "Training"), "more than one training folder: Train.*, train"),
    (class_files("train", "val", "dev"), "more than one validation folder: dev, val"),
    (class_files("train", "test", "Testing"), "more than one test folder"),
    (class_files("train") + " test/a.jpg", "test is named like a test split and holds"),
    (class_files("train") + " val/", "holds no class folders"),
    (class_files("pets"), "Did you mean .*pets, which holds 2 folders"),
    # Links that lead nowhere would drop a class or a split.
    ("cat/a.jpg dog/b.jpg bird->/gone/bird", "bird is a link to /gone/bird, which is"),
    (class_files("train") + " val->/gone/val", "val is a link to /gone/val"),
    (class_files("train") + " Test->Test", "Test is a link to Test"),
    (class_files("train") + " train/bird->/gone", "train/bird is a link to /gone"),
    (class_files("train", "val") + " val/bird->/gone", "val/bird is a link to /gone"),
    ("train/cat->/gone train/dog->/gone", "train/cat is a link to /gone"),
    # Names that a reader cannot tell apart.
    ("cat/a.jpg Cat/b.jpg dog/c.jpg", "'Cat' and 'cat'.*dataset.classes=3"),
    ("cat/a.jpg cat%/b.jpg dog/c.jpg", "'cat' and 'cat '"),
    ("big%cat/a.jpg big%%cat/b.jpg dog/c.jpg", "'big  cat' and 'big cat'"),
    ("train/cat/a train/dog/b val/Cat/a val/dog/b", "'Cat' is 'cat' in the training"),
]


@pytest.mark.parametrize(("tree", "sentence"), QUESTIONS)
def test_what_can_be_meant_in_two_ways_is_a_question(tmp_path, tree, sentence):
    make(tmp_path, tree)

    with pytest.raises(DataError) as caught:
        read(tmp_path)

    assert re.search(sentence, str(caught.value)), caught.value
    assert str(tmp_path) in str(caught.value)


def command(error):
    """Returns the splits of the first command that an error offers."""
    pairs = re.search(r"'dataset\.splits={(.+?)}'", str(error))[1].split(", ")
    return {key: name.strip('"') for key, name in (p.split(": ") for p in pairs)}


@pytest.mark.parametrize(
    "tree",
    [
        class_files("train", "eval"),
        class_files("train", "Training", "test%set"),
        class_files("train") + " test/a.jpg",
        class_files("seg_train", "seg_test"),
        class_files("seg_train/seg_train", "seg_test/seg_test"),
        "train/old/a.jpg train/new/a.jpg bus/b.jpg car/c.jpg",
    ],
)
def test_the_command_that_is_offered_settles_the_question(tmp_path, tree):
    make(tmp_path, tree)
    with pytest.raises(DataError) as caught:
        read(tmp_path)

    splits = command(caught.value)

    layout = read(tmp_path, splits=splits)
    assert [name.split("/")[0] for name in layout.splits.values()] == [*splits.values()]
    assert len(layout.class_names) == 2


class TestNames:
    COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"

    def test_two_spellings_of_a_letter_are_one_class(self, tmp_path):
        make(tmp_path, f"{self.COMPOSED}/a.jpg {self.DECOMPOSED}/b.jpg tea/c.jpg")

        layout = read(tmp_path)

        assert layout.class_names == [self.COMPOSED, "tea"]
        assert layout.files["train"].labels == [0, 0, 1]

    def test_splits_of_two_systems_have_the_same_classes(self, tmp_path):
        make(tmp_path, f"train/{self.COMPOSED}/a.jpg train/tea/b.jpg")
        make(tmp_path, f"val/{self.DECOMPOSED}/a.jpg val/tea/b.jpg")

        layout = read(tmp_path)

        assert layout.files["validation"].labels == [0, 1]

    def test_the_number_of_classes_confirms_that_names_differ_in_case(self, tmp_path):
        make(tmp_path, "A/1.jpg a/1.jpg B/1.jpg")

        assert read(tmp_path, classes=3).class_names == ["A", "B", "a"]
        with pytest.raises(DataError, match="'A' and 'a'"):
            read(tmp_path, classes=2)

    def test_thumbnails_that_a_system_leaves_are_no_images(self, tmp_path):
        make(tmp_path, "cat/a.jpg cat/@eaDir/a.jpg/thumb.jpg dog/b.jpg @eaDir/x.jpg")

        names = list_files(tmp_path, tmp_path, list_classes(tmp_path)).names

        assert names == ["cat/a.jpg", "dog/b.jpg"]

    def test_what_windows_and_macos_keep_beside_images_is_hidden(self, tmp_path):
        make(tmp_path, "cat/a.jpg cat/Thumbs.db cat/.DS_Store dog/b.jpg")
        make(tmp_path, "cat/desktop.ini dog/ehthumbs.db dog/THUMBS.DB")

        names = list_files(tmp_path, tmp_path, list_classes(tmp_path)).names

        assert names == ["cat/a.jpg", "dog/b.jpg"]
