import gzip
import pickle
import tarfile
import warnings

import numpy as np
import pytest

from experiments.data.arrays.archive_files import read_archive
from experiments.errors import DataError

RANDOM = np.random.RandomState(0)
IMAGES = RANDOM.randint(0, 256, (10, 32, 32, 3)).astype(np.uint8)
LABELS = list(range(10))


def planes(images):
    return images.transpose(0, 3, 1, 2).reshape(len(images), -1)


def write_cifar10(folder):
    folder.mkdir()
    for number in range(1, 6):
        part = slice(2 * number - 2, 2 * number)
        content = {b"data": planes(IMAGES[part]), b"labels": LABELS[part]}
        # Protocol 2 is what the published files have.
        (folder / f"data_batch_{number}").write_bytes(pickle.dumps(content, 2))
    content = {b"data": planes(IMAGES[:3]), b"labels": LABELS[:3]}
    (folder / "test_batch").write_bytes(pickle.dumps(content, 2))
    return folder


def write_idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    content = header + array.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def assert_arrays(arrays, images, labels, test_count):
    np.testing.assert_array_equal(arrays.x_train, images)
    np.testing.assert_array_equal(arrays.y_train, labels)
    np.testing.assert_array_equal(arrays.x_test, images[:test_count])
    np.testing.assert_array_equal(arrays.y_test, labels[:test_count])


def test_the_extracted_cifar10_folder_is_read(tmp_path):
    folder = write_cifar10(tmp_path / "cifar-10-batches-py")

    assert_arrays(read_archive(folder), IMAGES, LABELS, 3)


def test_the_cifar10_archive_is_read_without_being_extracted(tmp_path):
    folder = write_cifar10(tmp_path / "cifar-10-batches-py")
    archive = tmp_path / "any_name"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, folder.name)

    assert_arrays(read_archive(archive), IMAGES, LABELS, 3)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "any_name",
        "cifar-10-batches-py",
    ]


def test_the_fine_labels_of_cifar100_are_read(tmp_path):
    for name, count in (("train", 10), ("test", 3)):
        content = {
            b"data": planes(IMAGES[:count]),
            b"fine_labels": LABELS[:count],
            b"coarse_labels": [0] * count,
        }
        (tmp_path / name).write_bytes(pickle.dumps(content, 2))

    assert_arrays(read_archive(tmp_path), IMAGES, LABELS, 3)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx_files_are_read(tmp_path, suffix):
    grey, labels = IMAGES[..., 0], np.array(LABELS, np.uint8)
    write_idx(tmp_path / f"train-images-idx3-ubyte{suffix}", grey)
    write_idx(tmp_path / f"train-labels-idx1-ubyte{suffix}", labels)
    write_idx(tmp_path / f"t10k-images-idx3-ubyte{suffix}", grey[:3])
    write_idx(tmp_path / f"t10k-labels-idx1-ubyte{suffix}", labels[:3])

    assert_arrays(read_archive(tmp_path), grey, LABELS, 3)


def test_an_npz_file_is_read(tmp_path):
    np.savez(
        tmp_path / "own.npz",
        x_train=IMAGES,
        y_train=LABELS,
        x_test=IMAGES[:3],
        y_test=LABELS[:3],
    )

    assert_arrays(read_archive(tmp_path / "own.npz"), IMAGES, LABELS, 3)


def test_pickles_of_python_2_are_read_without_a_warning(tmp_path):
    # As numpy 1 under Python 2 wrote it: text keys, module numpy.core, flags 0 and 1.
    array = IMAGES[:1].reshape(1, -1)
    written = pickle.dumps({"data": array, "fine_labels": [7]}, 0)
    written = written.replace(b"numpy._core", b"numpy.core")
    for name in ("train", "test"):
        (tmp_path / name).write_bytes(
            written.replace(b"Vdata", b"S'data'").replace(
                b"Vfine_labels", b"S'fine_labels'"
            )
        )

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        arrays = read_archive(tmp_path)

    assert arrays.y_train.tolist() == [7]
    np.testing.assert_array_equal(planes(arrays.x_train), array)


def test_a_pickle_that_would_run_a_command_is_refused(tmp_path):
    class Command:
        def __reduce__(self):
            return print, ("executed",)

    for name in ("train", "test"):
        (tmp_path / name).write_bytes(pickle.dumps(Command(), 2))

    with pytest.raises(DataError, match=r"damaged: it asks to call .*print"):
        read_archive(tmp_path)


def test_missing_arrays_of_an_npz_file_are_named(tmp_path):
    np.savez(tmp_path / "own.npz", x_train=IMAGES, y_train=LABELS)

    with pytest.raises(DataError, match=r"own.npz lacks the arrays x_test, y_test"):
        read_archive(tmp_path / "own.npz")


def test_missing_batches_are_named(tmp_path):
    folder = write_cifar10(tmp_path / "cifar")
    (folder / "data_batch_4").unlink()

    with pytest.raises(DataError, match=r"cifar lacks data_batch_4"):
        read_archive(folder)


@pytest.mark.parametrize("name", ["own.npz", "cifar.tar.gz"])
def test_a_damaged_archive_is_named(tmp_path, name):
    whole = tmp_path / name
    if name.endswith("npz"):
        np.savez(whole, x_train=IMAGES, y_train=LABELS, x_test=IMAGES, y_test=LABELS)
        content = bytearray(whole.read_bytes())
        content[2000:3000] = bytes(1000)
    else:
        with tarfile.open(whole, "w:gz") as tar:
            tar.add(write_cifar10(tmp_path / "cifar"), "cifar")
        content = whole.read_bytes()[:-5000]
    whole.write_bytes(content)

    with pytest.raises(DataError, match=f"{name} is damaged"):
        read_archive(whole)


def test_another_kind_of_file_is_refused_with_what_is_accepted(tmp_path):
    (tmp_path / "cifar.txt").write_text("hello")

    with pytest.raises(DataError, match=r"cifar.txt must be an .npz file"):
        read_archive(tmp_path / "cifar.txt")
