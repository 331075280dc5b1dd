import itertools
import os
import re
import shutil
import socket

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from experiments.data.augment.flip_crop import FlipCrop
from experiments.data.augment.inception_crop import InceptionCrop
from experiments.data.datasets.folder import load_folder
from experiments.data.pipeline.pipeline import build_pipeline
from experiments.errors import DataError
from tests.data.datasets.small_files import SMALL_FILES
from tests.data.pictures import all_forms, encode, photograph


def write_images(folder, count, start=0):
    """Writes small PNG files, every one with another content."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(start, start + count):
        image = photograph(20 + number % 5, 16)
        image.putpixel((0, 0), (number % 256, number // 256, len(folder.name)))
        kind = ("PNG", "JPEG")[number % 2]
        content = encode(image, kind, **({"quality": 95} if kind == "JPEG" else {}))
        path = folder / f"{number:03}.{kind.lower()}"
        path.write_bytes(content + bytes(number % 7 if kind == "JPEG" else 0))


@pytest.fixture
def flat(tmp_path):
    root = tmp_path / "pets"
    for name in ("cat", "puppy"):
        write_images(root / name, 30)
    return root


@pytest.fixture
def divided(tmp_path):
    root = tmp_path / "pets"
    for split, count in (("train", 8), ("val", 3), ("test", 2)):
        for name in ("cat", "puppy"):
            write_images(root / split / name, count)
    return root


def load(root, **changes):
    arguments = {
        **SMALL_FILES,
        "path": str(root),
        "splits": None,
    }
    return load_folder(**{**arguments, **changes})


def sizes(data):
    return {name: len(split) for name, split in data.splits.items()}


def split_of_files(data):
    return {path: name for name, split in data.splits.items() for path in split.paths}


def read(data, split="train", **changes):
    arguments = {
        "image_shape": data.image_shape,
        "batch_size": 4,
        "seed": 5,
        "shuffle": True,
        "epochs": 2,
        "drop_remainder": True,
    }
    pipeline = build_pipeline(data.splits[split], **{**arguments, **changes})
    return [(images.numpy(), labels.numpy()) for images, labels in pipeline]


def assert_same(left, right):
    assert len(left) == len(right)
    for (images, labels), (other_images, other_labels) in zip(left, right, strict=True):
        np.testing.assert_array_equal(images, other_images)
        np.testing.assert_array_equal(labels, other_labels)


class TestLayouts:
    def test_train_val_and_test_folders_are_the_splits(self, divided):
        data = load(divided)

        assert sizes(data) == {"train": 16, "validation": 6, "test": 4}
        assert data.class_names == ("cat", "puppy")
        assert data.name == "pets"
        assert all("/val/" in path for path in data.validation.paths)

    def test_without_val_the_validation_split_comes_from_train(self, divided):
        for file in [*(divided / "val").rglob("*.*")]:
            file.unlink()
        for folder in ("val/cat", "val/puppy", "val"):
            (divided / folder).rmdir()

        data = load(divided)

        assert len(data.train) + len(data.validation) == 16
        assert all("/train/" in path for path in data.validation.paths)
        assert all("/test/" in path for path in data.test.paths)

    def test_train_and_val_alone_have_no_test_split(self, tmp_path):
        for split in ("train", "valid"):
            for name in ("cat", "puppy"):
                write_images(tmp_path / split / name, 2)

        data = load(tmp_path)

        assert data.test is None
        assert len(data.validation) == 4

    def test_a_flat_folder_is_divided_near_the_fractions(self, flat):
        counts = sizes(load(flat))

        assert sum(counts.values()) == 60
        assert 20 <= counts["train"] <= 40
        assert 7 <= counts["validation"] <= 25

    def test_no_test_fraction_means_no_test_split(self, flat):
        assert load(flat, test_fraction=0.0).test is None

    def test_nested_folders_belong_to_their_class(self, flat):
        write_images(flat / "cat" / "more" / "deep", 2, start=50)

        assert sum(sizes(load(flat)).values()) == 62

    def test_hidden_files_are_not_looked_at(self, flat):
        (flat / "cat" / ".DS_Store").write_bytes(b"x")
        (flat / ".git").mkdir()

        assert sum(sizes(load(flat)).values()) == 60


class TestFindings:
    @pytest.fixture
    def different(self, tmp_path):
        """Split folders of images that are all different."""
        noise = np.random.RandomState(0)
        for split, count in (("Training", 8), ("Val", 3), ("Testing", 3)):
            for name in ("cat", "puppy"):
                folder = tmp_path / "pets" / split / name
                folder.mkdir(parents=True)
                for number in range(count):
                    pixels = noise.randint(0, 256, (8, 8, 3)).astype(np.uint8)
                    content = encode(Image.fromarray(pixels), "PNG")
                    (folder / f"{number}.png").write_bytes(content)
        return tmp_path / "pets"

    def test_training_and_testing_are_splits_and_validation_is_by_hash(self, different):
        shutil.rmtree(different / "Val")

        data = load(different, verify="header")

        assert data.class_names == ("cat", "puppy")
        assert len(data.train) + len(data.validation) == 16
        assert all("/Training/" in path for path in data.validation.paths)
        assert {path.split("/")[-3] for path in data.test.paths} == {"Testing"}
        assert data.findings == {}

    def test_what_is_not_used_is_a_warning_and_recorded(self, divided, caplog):
        write_images(divided / "extra" / "cat", 1)

        data = load(divided, verify="header")

        assert data.findings["unused"] == ["extra"]
        assert f"Not used in {divided}: extra." in caplog.text

    def test_images_in_two_splits_or_classes_are_a_warning_with_a_list(
        self, different, caplog
    ):
        for number in range(7):
            source = different / "Training" / "cat" / f"{number}.png"
            copy = different / "Testing" / "cat" / f"copy{number}.png"
            copy.write_bytes(source.read_bytes())
        source = different / "Val" / "cat" / "0.png"
        (different / "Val" / "puppy" / "same.png").write_bytes(source.read_bytes())

        data = load(different, verify="header")

        assert data.findings == {
            "in_several_splits": [
                [f"Testing/cat/copy{n}.png", f"Training/cat/{n}.png"] for n in range(7)
            ],
            "under_several_labels": [["Val/cat/0.png", "Val/puppy/same.png"]],
        }
        assert "7 images are in several splits, which makes scores" in caplog.text
        assert "Testing/cat/copy0.png = Training/cat/0.png; " in caplog.text
        assert "; and 2 more." in caplog.text
        assert "1 image is in several classes" in caplog.text

    def test_nobody_knows_of_copies_where_no_file_is_opened(self, different):
        source = different / "Training" / "cat" / "0.png"
        (different / "Testing" / "cat" / "copy.png").write_bytes(source.read_bytes())

        assert load(different, verify="off", split_by="path").findings == {}


class TestHashSplit:
    @pytest.mark.parametrize("seed", range(5))
    @pytest.mark.parametrize("split_by", ["path", "content"])
    def test_a_class_of_three_images_has_one_in_each_split(self, flat, split_by, seed):
        write_images(flat / "bird", 3)

        data = load(flat, split_by=split_by, split_seed=seed, verify="header")

        for split in data.splits.values():
            assert np.count_nonzero(split.labels == 0) == 1

    @pytest.mark.parametrize("split_by", ["path", "content"])
    def test_an_added_file_moves_no_other_file(self, flat, split_by):
        before = split_of_files(load(flat, split_by=split_by))

        write_images(flat / "cat", 25, start=100)
        after = split_of_files(load(flat, split_by=split_by))

        assert len(after) == 85
        assert before.items() <= after.items()

    def test_copies_stay_in_one_split_when_the_content_decides(self, flat):
        original = flat / "cat" / "000.png"
        for number in range(12):
            copy = flat / "puppy" / f"copy_{number}.png"
            copy.write_bytes(original.read_bytes())

        splits = split_of_files(load(flat, split_by="content"))

        copies = {name for path, name in splits.items() if "copy" in path}
        assert copies == {splits[str(original)]}

    def test_a_moved_folder_keeps_its_split_and_fingerprint(self, flat, tmp_path):
        before = load(flat)

        after = load(flat.rename(tmp_path / "elsewhere"))

        assert after.fingerprint == before.fingerprint

    def test_another_seed_divides_otherwise(self, flat):
        before, after = load(flat), load(flat, split_seed=1)

        assert split_of_files(before) != split_of_files(after)
        assert before.fingerprint.content == after.fingerprint.content


class TestFaults:
    def test_a_missing_folder_is_named_with_its_nearest_parent(self, flat):
        with pytest.raises(DataError) as caught:
            load(flat / "cat" / "no" / "such")

        assert f"{flat}/cat/no/such" in str(caught.value)
        assert f"does is {flat}/cat." in str(caught.value)

    def test_a_file_in_place_of_the_folder_is_named(self, flat):
        with pytest.raises(DataError, match=r"must be a folder.*000\.png"):
            load(flat / "cat" / "000.png")

    def test_an_empty_path_is_not_the_current_folder(self):
        with pytest.raises(DataError, match=r"dataset\.path must name a folder"):
            load("")

    @pytest.mark.parametrize(
        ("path", "message"),
        [
            ("/" + "a" * 5000, r"^/a{199}\.\.\. cannot be read: File name too long"),
            ("~no_such_user/images", "Could not determine home directory"),
        ],
    )
    def test_a_path_that_the_system_refuses_is_one_sentence(self, path, message):
        with pytest.raises(DataError, match=message):
            load(path)

    @pytest.mark.parametrize("closed", ["", "cat", "cat/more"])
    def test_a_folder_that_may_not_be_read_is_named(self, flat, closed, monkeypatch):
        write_images(flat / "cat" / "more", 1, start=50)
        scandir = os.scandir

        def refuse(path):
            if str(path) == str(flat / closed):
                raise PermissionError(13, "Permission denied", str(path))
            return scandir(path)

        monkeypatch.setattr(os, "scandir", refuse)

        with pytest.raises(DataError, match=f"{closed} cannot be read: Permission"):
            load(flat)

    def test_a_link_to_a_folder_above_is_refused(self, flat):
        (flat / "cat" / "all").symlink_to(flat)

        with pytest.raises(DataError, match="cat/all is a link to a folder"):
            load(flat)

    @pytest.mark.parametrize("verify", ["full", "header", "off"])
    def test_a_pipe_is_named_and_not_waited_for(self, flat, verify):
        os.mkfifo(flat / "cat" / "pipe.jpg")

        with pytest.raises(DataError, match=r"pipe\.jpg is a pipe"):
            load(flat, verify=verify)

    def test_a_name_that_is_no_text_is_shown_and_skipped_on_request(self, flat):
        source = flat / "cat" / "000.png"
        source.rename(os.fsdecode(os.fsencode(flat / "cat") + b"/\xff.png"))

        with pytest.raises(DataError, match=r"\\xff\.png has a name that is not UTF-8"):
            load(flat)
        data = load(flat, on_corrupt="skip")

        assert sum(sizes(data).values()) == 59
        assert [file.path for file in data.skipped_files] == [rf"{flat}/cat/\xff.png"]
        assert read(data)

    def test_a_folder_without_class_folders_is_refused(self, flat):
        with pytest.raises(DataError, match="Received: 0 folders and 30 files"):
            load(flat / "cat")

    def test_an_empty_class_folder_is_named(self, flat):
        (flat / "bird").mkdir()

        with pytest.raises(DataError, match="pets/bird has no files"):
            load(flat)

    def test_a_class_that_a_split_lacks_is_named(self, divided):
        write_images(divided / "train" / "bird", 3)

        with pytest.raises(DataError, match=r"val lacks 1 of 3 class folders: bird"):
            load(divided)

    def test_a_class_that_only_validation_has_is_named(self, divided):
        write_images(divided / "val" / "bird", 3)

        with pytest.raises(DataError, match=r"val has 1 class folder that.*bird"):
            load(divided)

    def test_two_validation_folders_are_refused(self, divided):
        write_images(divided / "valid" / "cat", 1)

        with pytest.raises(DataError, match="more than one validation folder"):
            load(divided)

    def test_another_number_of_classes_than_asked_is_refused(self, flat):
        with pytest.raises(DataError, match=r"dataset.classes is 3.*has 2 classes"):
            load(flat, classes=3)

    def test_a_class_that_hashing_left_out_of_a_split_is_named(self, flat):
        write_images(flat / "bird", 1)

        with pytest.raises(
            DataError, match=r"has no image of 1 of its 3 classes: bird"
        ):
            load(flat)

    def test_an_unusable_file_is_an_error_that_names_it(self, flat):
        (flat / "cat" / "notes.txt").write_text("hello")

        with pytest.raises(DataError, match=r"cat/notes\.txt is no image"):
            load(flat)

    def test_unusable_files_are_skipped_on_request_and_counted(self, flat):
        jpeg = encode(photograph(), "JPEG")
        (flat / "cat" / "cut.jpg").write_bytes(jpeg[: len(jpeg) // 2])
        (flat / "puppy" / "empty.png").write_bytes(b"")

        data = load(flat, on_corrupt="skip")

        assert sum(sizes(data).values()) == 60
        assert [(f.path, f.reason) for f in data.skipped_files] == [
            (str(flat / "cat" / "cut.jpg"), "is a JPEG that is cut off"),
            (str(flat / "puppy" / "empty.png"), "is empty"),
        ]

    def test_a_class_of_unusable_files_only_is_named(self, flat):
        (flat / "bird").mkdir()
        (flat / "bird" / "a.jpg").write_bytes(b"nothing")

        with pytest.raises(DataError, match="3 classes: bird"):
            load(flat, on_corrupt="skip")

    def test_no_usable_image_at_all_is_refused(self, tmp_path):
        for name in ("cat", "puppy"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "a.jpg").write_bytes(b"nothing")

        with pytest.raises(DataError, match="no usable images"):
            load(tmp_path, on_corrupt="skip")

    def test_fewer_images_than_a_batch_are_refused(self, flat):
        data = load(flat)

        with pytest.raises(DataError, match="fewer than one batch of 64"):
            read(data, batch_size=64)


class TestPipeline:
    @pytest.mark.parametrize("channels", [1, 3])
    def test_every_form_of_image_goes_through(self, tmp_path, channels):
        for name in ("cat", "puppy"):
            for split in ("train", "val"):
                (tmp_path / split / name).mkdir(parents=True)
                for form, content in all_forms().items():
                    # The name lies about the content.
                    file = tmp_path / split / name / f"{form}.jpg"
                    file.write_bytes(content)
        data = load(tmp_path, channels=channels)

        batches = read(data, "validation", epochs=1, drop_remainder=False, cache="none")

        images = np.concatenate([images for images, _ in batches])
        assert images.shape == (2 * len(all_forms()), 16, 16, channels)
        assert images.dtype == np.uint8
        assert len(data.mean) == channels

    @pytest.mark.parametrize("drop_remainder", [True, False])
    @pytest.mark.parametrize("cache", ["none", "memory"])
    def test_starting_at_a_step_continues_the_uninterrupted_run(
        self, divided, drop_remainder, cache
    ):
        data = load(divided)
        changes = {
            "batch_size": 5,
            "cache": cache,
            "augment": [InceptionCrop(area=[0.2, 1], ratio=[0.75, 1.33], flip=True)],
            "drop_remainder": drop_remainder,
        }

        whole = read(data, **changes)

        assert [len(labels) for _, labels in whole[:4]] == (
            [5, 5, 5, 5] if drop_remainder else [5, 5, 5, 1]
        )
        assert_same(read(data, start_step=3, **changes), whole[3:])

    @pytest.mark.parametrize("threads", [1, 3])
    def test_parallelism_changes_nothing(self, divided, threads):
        data = load(divided)
        augment = [InceptionCrop(area=[0.2, 1], ratio=[0.75, 1.33], flip=True)]

        assert_same(
            read(data, augment=augment, parallelism=threads),
            read(data, augment=augment),
        )

    def test_keeping_images_in_memory_changes_none_of_them(self, divided):
        data = load(divided)
        augment = [FlipCrop(pad=2, flip=True)]

        assert_same(
            read(data, augment=augment, cache="auto"),
            read(data, augment=augment, cache="none"),
        )

    def test_every_image_is_seen_once_an_epoch(self, divided):
        data = load(divided)
        expected = read(data, shuffle=False, epochs=1)

        seen = read(data, batch_size=3, epochs=1, drop_remainder=False, cache="none")

        images = np.concatenate([images for images, _ in seen])
        original = np.concatenate([images for images, _ in expected])
        assert sorted(map(bytes, images)) == sorted(map(bytes, original))

    def test_batches_have_a_static_shape(self, divided):
        data = load(divided)

        pipeline = build_pipeline(
            data.train,
            image_shape=data.image_shape,
            batch_size=4,
            seed=0,
            shuffle=True,
            epochs=None,
            drop_remainder=True,
            cache="none",
        )

        assert pipeline.element_spec[0] == tf.TensorSpec((4, 16, 16, 3), tf.uint8)
        assert pipeline.element_spec[1] == tf.TensorSpec((4,), tf.int32)


def test_folders_that_link_to_one_another_are_refused(flat):
    (flat / "cat" / "more").symlink_to(flat / "puppy")
    (flat / "puppy" / "more").symlink_to(flat / "cat")

    with pytest.raises(DataError, match=r"cat/more/more.* Remove the link"):
        load(flat)


def test_a_million_ways_through_a_few_folders_are_not_walked(flat, tmp_path):
    places = [tmp_path / "hall" / str(number) for number in range(30)]
    for place in places:
        place.mkdir(parents=True)
    for place, following in itertools.pairwise(places):
        (place / "left").symlink_to(following)
        (place / "right").symlink_to(following)
    (flat / "cat" / "more").symlink_to(places[0])

    with pytest.raises(DataError, match="are the same folder, to which a link leads"):
        load(flat)


def test_a_folder_of_two_classes_is_read_for_each(flat, tmp_path):
    write_images(tmp_path / "more", 3)
    for name in ("cat", "puppy"):
        (flat / name / "more").symlink_to(tmp_path / "more")

    data = load(flat, verify="header")

    groups = data.findings["under_several_labels"]
    named = {name for group in groups for name in group}
    assert {"cat/more/001.jpeg", "puppy/more/001.jpeg"} <= named


def test_a_class_that_would_be_a_terminals_command_is_refused(flat):
    write_images(flat / "\x1b[31mred", 3)

    told = re.escape(r"control characters in its name: \x1b[31mred. Rename it.")
    with pytest.raises(DataError, match=told):
        load(flat)


@pytest.mark.parametrize("verify", ["full", "header", "off"])
def test_what_is_no_file_is_named_and_not_opened(flat, monkeypatch, verify):
    os.mkfifo(flat / "cat" / "pipe.png")
    (flat / "cat" / "device.png").symlink_to("/dev/zero")
    monkeypatch.chdir(flat / "cat")  # a socket's path is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.png")

        with pytest.raises(DataError) as raised:
            load(flat, verify=verify)

    for name in ("pipe", "device", "socket"):
        assert f"cat/{name}.png is a pipe, a socket or a device" in str(raised.value)


def test_links_to_one_another_are_named_as_files_that_cannot_be_read(flat):
    (flat / "cat" / "x.png").symlink_to("y.png")
    (flat / "cat" / "y.png").symlink_to("x.png")

    with pytest.raises(DataError, match=r"x\.png cannot be read \(Too many levels"):
        load(flat)


def test_of_many_copies_some_are_named(flat, caplog):
    for number in range(40):
        (flat / "cat" / f"copy{number}.png").symlink_to(flat / "cat" / "000.png")

    data = load(flat, verify="header")

    (told,) = [m for m in caplog.messages if "in several splits" in m]
    assert "cat/copy11.png = and " in told
    assert "copy39" not in told
    assert "cat/copy39.png" in str(data.findings)


def names(split):
    return {os.path.relpath(path, split.root) for path in split.paths}


def test_folds_test_each_file_once_and_leave_the_test_split_alone(flat):
    whole = load(flat, verify="header")
    folds = [load(flat, folds=3, fold=n, verify="header") for n in (1, 2, 3)]
    tested = [name for fold in folds for name in names(fold.test)]

    assert len(tested) == len(set(tested))
    assert set(tested) == names(whole.train) | names(whole.validation)
    for fold in folds:
        used = set().union(*map(names, fold.splits.values()))
        assert not used & names(whole.test)
        assert fold.fingerprint.content == whole.fingerprint.content
    assert len({fold.fingerprint.split for fold in folds}) == 3


def test_folds_are_made_of_the_folders_of_training_and_validation(divided):
    folds = [load(divided, folds=3, fold=n, verify="header") for n in (1, 2, 3)]
    tested = [name for fold in folds for name in names(fold.test)]

    assert len(tested) == len(set(tested)) == 2 * (8 + 3)
    assert {name.partition("/")[0] for name in tested} == {"train", "val"}
    whole = load(divided, verify="header").fingerprint
    assert {fold.fingerprint.content for fold in folds} == {whole.content}


@pytest.mark.parametrize("folds", [None, 4])
def test_files_of_a_group_are_in_one_split(flat, folds):
    """Each group has one file of either class."""
    fold = None if folds is None else 2
    data = load(flat, group=r"/\d(\d\d)\.", folds=folds, fold=fold, verify="header")

    groups = [
        {name[-7:].partition(".")[0][-2:] for name in names(split)}
        for split in data.splits.values()
    ]
    assert all(not a & b for a, b in itertools.combinations(groups, 2))


def test_copies_are_in_one_fold(flat):
    for number in range(10):
        shutil.copy(flat / "cat" / "000.png", flat / "cat" / f"copy{number}.png")
    options = {"folds": 3, "verify": "header", "test_fraction": 0.0}
    tested = [names(load(flat, fold=n, **options).test) for n in (1, 2, 3)]
    copies = {"cat/000.png", *(f"cat/copy{n}.png" for n in range(10))}

    assert sorted(len(found & copies) for found in tested) == [0, 0, 11]


def test_parent_folder_that_is_the_class_is_one_group(flat):
    with pytest.raises(
        DataError, match="needs at least 3 groups of each class, and cat"
    ):
        load(flat, group="parent", folds=3, fold=1, test_fraction=0.0)
