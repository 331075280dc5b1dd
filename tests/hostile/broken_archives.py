"""Published data sets that were damaged, or made to do harm, by recipe.

`python -m tests.hostile.broken_archives FOLDER` makes each one in the folder, reads it
and writes what happened as a line of JSON: in a process of its own, because it may die.
"""

import gzip
import importlib
import io
import json
import os
import pickle
import pickletools
import struct
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import numpy as np

from tests.hostile.memory import peak_megabytes

CLASSES = 10
MNIST = {
    "x_train": np.arange(100 * 28 * 28, dtype=np.uint32).reshape(100, 28, 28) % 256,
    "y_train": np.arange(100) % CLASSES,
    "x_test": np.zeros((10, 28, 28), np.uint8),
    "y_test": np.arange(10),
}
MNIST["x_train"] = MNIST["x_train"].astype(np.uint8)
OPTIONS = {
    "image_size": None,
    "mean": None,
    "std": None,
    "validation_fraction": 0.1,
    "split_seed": 0,
    "cache": "auto",
    "decode_threads": None,
}
# Compressed, a MB of them unfolds to a GB.
ZEROS = 2**30


def npz(**changes):
    stream = io.BytesIO()
    arrays = {k: v for k, v in {**MNIST, **changes}.items() if v is not None}
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def npz_of_members(**members):
    """Returns an .npz file in which some members have any bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for name, array in MNIST.items():
            file.writestr(f"{name}.npy", members.get(name, npy(array)))
    return stream.getvalue()


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def npy_header(text, version=b"\x01\x00"):
    length = struct.pack("<H" if version == b"\x01\x00" else "<I", len(text))
    return b"\x93NUMPY" + version + length + text


def declare(shape, kind="|u1"):
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n"
    return npy_header(text.encode())


def npz_bomb():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        with file.open("x_train.npy", "w", force_zip64=True) as member:
            member.write(declare((100, 28, 28)))
            for _ in range(ZEROS // 2**24):
                member.write(bytes(2**24))
        for name in ("y_train", "x_test", "y_test"):
            file.writestr(f"{name}.npy", npy(MNIST[name]))
    return stream.getvalue()


def encrypted():
    content = bytearray(npz())
    for start in (content.find(b"PK\x03\x04") + 6, content.find(b"PK\x01\x02") + 8):
        content[start] |= 1
    return bytes(content)


def idx(shape, data=None, magic=b"\x00\x00\x08"):
    data = bytes(int(np.prod(shape))) if data is None else data
    rank = bytes([len(shape)])
    return magic + rank + struct.pack(f">{len(shape)}I", *shape) + data


def idx_folder(**changes):
    files = {
        "train-images-idx3-ubyte": idx((100, 28, 28)),
        "train-labels-idx1-ubyte": idx((100,), bytes(range(10)) * 10),
        "t10k-images-idx3-ubyte": idx((10, 28, 28)),
        "t10k-labels-idx1-ubyte": idx((10,), bytes(range(10))),
    }
    names = {"images": 0, "labels": 1, "test_images": 2, "test_labels": 3}
    for key, content in changes.items():
        name = list(files)[names[key]]
        if content is None:
            del files[name]
        else:
            files[name] = content
    return files


def gzip_bomb():
    return gzip.compress(bytes(2**24)) * (ZEROS // 2**24)


def batch(count=20, **changes):
    content = {
        b"data": np.zeros((count, 3072), np.uint8),
        b"labels": [number % CLASSES for number in range(count)],
    }
    return pickle.dumps({**content, **changes}, 2)


def cifar(content=None, **changes):
    """Returns CIFAR-10's folder with one batch in place of its first."""
    files = {f"data_batch_{number}": batch() for number in range(1, 6)}
    files["test_batch"] = batch()
    if content is not None:
        files["data_batch_1"] = content
    return files | changes


def batch_of(changes):
    content = {
        b"data": np.zeros((20, 3072), np.uint8),
        b"labels": [number % CLASSES for number in range(20)],
    }
    for key, value in changes.items():
        content[key.encode()] = value
    return pickle.dumps(content, 2)


def tar(files, mode="w:gz", member=None):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        if member is not None:
            archive.addfile(member)
    return stream.getvalue()


def long_header_bomb():
    """Returns a compressed tar file whose first header asks for a GB of names."""
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, ZEROS
    return gzip.compress(info.tobuf()) + gzip_bomb()


def link(target):
    info = tarfile.TarInfo("data_batch_1")
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info


def sparse():
    info = tarfile.TarInfo("cifar-10-batches-py/data_batch_1")
    info.type = tarfile.GNUTYPE_SPARSE
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[483:495] = b"%011o\x00" % (2**32)
    header[148:156] = b"        "
    header[148:156] = b"%06o\x00 " % sum(header)
    files = cifar()
    del files["data_batch_1"]
    return bytes(header) + tar(files, "w")


def many_members():
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for number in range(10_001):
            archive.addfile(tarfile.TarInfo(str(number)))
    return stream.getvalue()


def calls(module, name):
    return f"c{module}\n{name}\n(tR.".encode()


def deep_key():
    """Returns a pickle whose key is a tuple in a tuple in ..., to be hashed."""
    tuples = pickle.EMPTY_TUPLE + pickle.TUPLE1 * 1_000_000
    return b"\x80\x02" + pickle.EMPTY_DICT + tuples + b"K\x01s."


def nested_labels():
    """Returns a batch whose labels are a list in a list twice in a list twice in ..."""
    labels = [0]
    for _ in range(40):
        labels = [labels, labels]
    return batch_of({"labels": labels})


def repeated_shape():
    """Returns an array whose shape would be multiplied to a list of 8 GB."""
    text = pickle.dumps({b"data": np.zeros(3072, np.uint8), b"labels": [0]}, 2)
    whole = pickle.dumps((3072,), 2)[2:-1]
    huge = b"J\x00\xca\x9a\x3b]K\x00a\x86"
    return text.replace(whole[: whole.rindex(b"\x85") + 1], huge)


def opcodes(*names):
    return b"\x80\x04" + b"".join(code(name) for name in names)


def code(name):
    return next(op.code for op in pickletools.opcodes if op.name == name).encode(
        "latin-1"
    )


def set_state_of_a_function():
    return (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nN}U\x0c__defaults__K\x01s\x86b."
    )


# Name -> data set, content of the file or of the folder's files, and what the sentence
# says. `None` where the archive is whole.
RECIPES = {
    "whole_npz": ("mnist", npz, None),
    "whole_idx": ("mnist", idx_folder, None),
    "whole_idx_gz": (
        "mnist",
        lambda: idx_folder(images=gzip.compress(idx((100, 28, 28)))),
        None,
    ),
    "whole_cifar": ("cifar10", cifar, None),
    "whole_tar": ("cifar10", lambda: tar(cifar()), None),
    "whole_plain_tar": ("cifar10", lambda: tar(cifar(), "w"), None),
    "whole_bzip_tar": ("cifar10", lambda: tar(cifar(), "w:bz2"), None),
    "columns_first": (
        "mnist",
        lambda: npz(x_train=np.asfortranarray(MNIST["x_train"])),
        None,
    ),
    # .npz
    "npz_empty": ("mnist", lambda: b"", "must be an .npz"),
    "npz_text": ("mnist", lambda: b"hello", "must be an .npz"),
    "npz_zeros": ("mnist", lambda: bytes(100_000), "must be an .npz"),
    "npz_cut": ("mnist", lambda: npz()[:-200], "must be an .npz"),
    "npz_garbage": ("mnist", lambda: npz()[:300] + bytes(200) + npz()[500:], "damaged"),
    "npz_encrypted": ("mnist", encrypted, "damaged: .*encrypted"),
    "npz_lacks": ("mnist", lambda: npz(y_test=None), "lacks the arrays y_test"),
    "npz_no_arrays": (
        "mnist",
        lambda: npz_of_members(x_train=b"text"),
        "x_train without a header",
    ),
    "npz_huge": (
        "mnist",
        lambda: npz_of_members(x_train=declare((10**12, 28, 28))),
        "more than 536,870,912 bytes in x_train, which declares uint8",
    ),
    "npz_overflow": (
        "mnist",
        lambda: npz_of_members(x_train=declare((2**62, 4, 2))),
        "more than 536,870,912 bytes",
    ),
    "npz_wide_items": (
        "mnist",
        lambda: npz_of_members(x_train=declare((100, 28, 28), "<U100000000")),
        "more than 536,870,912 bytes",
    ),
    "npz_negative": (
        "mnist",
        lambda: npz_of_members(x_train=declare((-1, 28, 28))),
        "none of images or labels",
    ),
    "npz_too_few": (
        "mnist",
        lambda: npz_of_members(x_train=declare((100, 28, 28)) + bytes(99)),
        "less data",
    ),
    "npz_too_many": (
        "mnist",
        lambda: npz_of_members(y_test=npy(np.arange(10)) + bytes(9)),
        "more data",
    ),
    "npz_bomb": ("mnist", npz_bomb, "and more data"),
    "npz_header_bomb": (
        "mnist",
        lambda: npz_of_members(x_train=npy_header(b" " * 2**26, b"\x02\x00")),
        "x_train without a header",
    ),
    "npz_header_code": (
        "mnist",
        lambda: npz_of_members(x_train=npy_header(b"__import__('os').abort()\n")),
        "x_train without a header",
    ),
    "npz_header_nested": (
        "mnist",
        lambda: npz_of_members(x_train=npy_header(b"(" * 9000 + b"\n")),
        "x_train without a header",
    ),
    "npz_version": (
        "mnist",
        lambda: npz_of_members(x_train=npy_header(b"", b"\x09\x00")),
        "x_train without a header",
    ),
    "npz_objects": (
        "mnist",
        lambda: npz(x_train=np.array([object()] * 100, object)),
        "Python objects, which are not read",
    ),
    "npz_records": (
        "mnist",
        lambda: npz(x_train=np.zeros(100, [("a", "u1"), ("b", "f4")])),
        "none of images or labels",
    ),
    "npz_axes": (
        "mnist",
        lambda: npz(x_train=np.zeros((1,) * 32, np.uint8)),
        "none of images or labels",
    ),
    "images_of_floats": (
        "mnist",
        lambda: npz(x_train=np.full((100, 28, 28), np.nan)),
        r"must be uint8 of shape \(N, 28, 28, 1\). Received: float64",
    ),
    "images_too_large": (
        "mnist",
        lambda: npz(x_train=np.zeros((100, 32, 32), np.uint8)),
        r"must be uint8 of shape \(N, 28, 28, 1\)",
    ),
    "images_flat": (
        "mnist",
        lambda: npz(x_train=np.zeros((100, 784), np.uint8)),
        r"must be uint8 of shape \(N, 28, 28, 1\)",
    ),
    "images_none": (
        "mnist",
        lambda: npz(x_train=np.zeros((0, 28, 28), np.uint8), y_train=np.zeros(0, int)),
        "mnist must have images",
    ),
    "images_one": (
        "mnist",
        lambda: npz(x_train=MNIST["x_train"][:1], y_train=MNIST["y_train"][:1]),
        "Class 0 has 1 image",
    ),
    "images_scalar": ("mnist", lambda: npz(x_train=np.uint8(3)), "must be uint8"),
    "test_none": (
        "mnist",
        lambda: npz(x_test=np.zeros((0, 28, 28), np.uint8), y_test=np.zeros(0, int)),
        "mnist must have images",
    ),
    "labels_too_high": ("mnist", lambda: npz(y_train=MNIST["y_train"] + 1), r"0\.\.9"),
    "labels_negative": ("mnist", lambda: npz(y_train=MNIST["y_train"] - 1), r"0\.\.9"),
    "labels_wrapped": (
        "mnist",
        lambda: npz(y_train=MNIST["y_train"].astype(np.int64) + 2**32),
        "32-bit integers",
    ),
    "labels_unsigned": (
        "mnist",
        lambda: npz(y_train=np.full(100, 2**64 - 1, np.uint64)),
        "32-bit integers",
    ),
    "labels_floats": (
        "mnist",
        lambda: npz(y_train=MNIST["y_train"] / 1),
        "one integer label an image. Received: float64",
    ),
    "labels_texts": (
        "mnist",
        lambda: npz(y_train=MNIST["y_train"].astype(str)),
        "one integer label an image. Received: <U",
    ),
    "labels_too_few": (
        "mnist",
        lambda: npz(y_train=MNIST["y_train"][:99]),
        "one integer label an image",
    ),
    "labels_one_hot": (
        "mnist",
        lambda: npz(y_train=np.eye(10, dtype=int)[MNIST["y_train"]]),
        "one integer label an image",
    ),
    "labels_of_one_class": (
        "mnist",
        lambda: npz(y_train=np.zeros(100, int)),
        "no image of 9 of its 10 classes",
    ),
    # IDX
    "idx_cut": (
        "mnist",
        lambda: idx_folder(images=idx((100, 28, 28))[:-1]),
        "declares 100 x 28 x 28 bytes and holds 78,399",
    ),
    "idx_too_long": (
        "mnist",
        lambda: idx_folder(images=idx((100, 28, 28)) + b"a"),
        "holds 78,401",
    ),
    "idx_header_cut": ("mnist", lambda: idx_folder(images=b"\0\0\x08\x03\0"), "no IDX"),
    "idx_empty": ("mnist", lambda: idx_folder(images=b""), "no IDX file of bytes"),
    "idx_magic": (
        "mnist",
        lambda: idx_folder(images=idx((100, 28, 28), magic=b"\0\0\x0d")),
        "no IDX file of bytes",
    ),
    "idx_huge": (
        "mnist",
        lambda: idx_folder(images=idx((2**32 - 1,) * 3, b"a")),
        "more than 536,870,912 bytes in train-images",
    ),
    "idx_minus_one": (
        "mnist",
        lambda: idx_folder(images=idx((2**32 - 1, 28, 28), bytes(78_400))),
        "more than 536,870,912 bytes",
    ),
    "idx_rank": ("mnist", lambda: idx_folder(images=idx((), b"")), "declares no bytes"),
    "idx_lacks": ("mnist", lambda: idx_folder(labels=None), "lacks train-labels"),
    "idx_gzip_cut": (
        "mnist",
        lambda: idx_folder(images=gzip.compress(idx((100, 28, 28)))[:-9]),
        "damaged",
    ),
    "idx_gzip_bomb": (
        "mnist",
        lambda: idx_folder(images=gzip_bomb()),
        "more than 536,870,912 bytes in train-images",
    ),
    "idx_counts": (
        "mnist",
        lambda: idx_folder(labels=idx((99,))),
        "one integer label an image",
    ),
    "idx_others": ("mnist", lambda: {"readme.txt": b"hello"}, "must be an .npz"),
    # CIFAR
    "cifar_list": ("cifar10", lambda: cifar(pickle.dumps([1])), "holds a list"),
    "cifar_number": ("cifar10", lambda: cifar(pickle.dumps(7)), "holds a int"),
    "cifar_text": ("cifar10", lambda: cifar(b"hello"), "data_batch_1"),
    "cifar_empty": ("cifar10", lambda: cifar(b""), "cut off, in its file data_batch_1"),
    "cifar_cut": ("cifar10", lambda: cifar(batch()[:-100]), "data_batch_1"),
    "cifar_no_data": (
        "cifar10",
        lambda: cifar(pickle.dumps({b"labels": [1]}, 2)),
        "data_batch_1 without `data`",
    ),
    "cifar_texts": (
        "cifar10",
        lambda: cifar(batch_of({"data": "text"})),
        "data_batch_1 without `data`",
    ),
    "cifar_floats": (
        "cifar10",
        lambda: cifar(batch_of({"data": np.zeros((20, 3072))})),
        "cut off or not of bytes",
    ),
    "cifar_rows": (
        "cifar10",
        lambda: cifar(batch_of({"data": np.zeros((20, 3071), np.uint8)})),
        "data_batch_1 without `data`, an array of 3,072 bytes an image",
    ),
    "cifar_objects": (
        "cifar10",
        lambda: cifar(batch_of({"data": np.array([1, 2], object)})),
        "cut off or not of bytes",
    ),
    "cifar_labels_floats": (
        "cifar10",
        lambda: cifar(batch_of({"labels": [0.5] * 20})),
        "an opcode BINFLOAT",
    ),
    "cifar_labels_few": (
        "cifar10",
        lambda: cifar(batch_of({"labels": [1]})),
        "without `labels`, a list of 20 integers",
    ),
    "cifar_labels_high": (
        "cifar10",
        lambda: cifar(batch_of({"labels": [10] * 20})),
        r"must lie in 0\.\.9",
    ),
    "cifar_labels_huge": (
        "cifar10",
        lambda: cifar(batch_of({"labels": [2**70] * 20})),
        "without `labels`",
    ),
    "cifar_labels_unfold": ("cifar10", lambda: cifar(nested_labels()), "`labels`"),
    "cifar_shape_unfolds": ("cifar10", lambda: cifar(repeated_shape()), "data_batch_1"),
    "cifar_command": (
        "cifar10",
        lambda: cifar(b"cos\nsystem\n(S'touch $CANARY'\ntR."),
        "it asks to call os.system",
    ),
    "cifar_memo": (
        "cifar10",
        lambda: cifar(b"\x80\x02}r\xff\xff\xff\x7f."),
        "more memory than its size needs",
    ),
    "cifar_memo_text": (
        "cifar10",
        lambda: cifar(b"}p4294967295\n."),
        "more memory than its size needs",
    ),
    "cifar_long_bytes": (
        "cifar10",
        lambda: cifar(b"\x80\x04\x8e" + b"\xff" * 7 + b"\x0fa."),
        "data_batch_1",
    ),
    "cifar_deep": ("cifar10", lambda: cifar(deep_key()), "too many tuples"),
    "cifar_extension": ("cifar10", lambda: cifar(b"\x82\x01."), "an opcode EXT1"),
    "cifar_persistent": ("cifar10", lambda: cifar(b"Pa\n."), "an opcode PERSID"),
    "cifar_state": ("cifar10", lambda: cifar(set_state_of_a_function()), "damaged"),
    "cifar_lacks": (
        "cifar10",
        lambda: {"data_batch_1": batch(), "test_batch": batch()},
        "lacks data_batch_2",
    ),
    # tar
    "tar_cut": ("cifar10", lambda: tar(cifar())[:-20], "damaged"),
    "tar_empty": ("cifar10", lambda: tar({}), "must be an .npz"),
    "tar_bomb": ("cifar10", gzip_bomb, "more than 536,870,912 bytes in its files"),
    "tar_header_bomb": ("cifar10", long_header_bomb, "more than 536,870,912 bytes"),
    "tar_link": (
        "cifar10",
        lambda: tar({"x": b""}, member=link("/etc/passwd")),
        "must be an .npz",
    ),
    "tar_sparse": ("cifar10", sparse, "must be an .npz"),
    "tar_many": ("cifar10", many_members, "more than 10,000 files"),
    "tar_other_kind": ("cifar10", lambda: tar(cifar(), "w:xz"), "must be an .npz"),
}
# Made in place, for they are no files.
SPECIAL = {"pipe": os.mkfifo, "device": lambda path: path.symlink_to("/dev/zero")}


def place(name, folder):
    path = folder / name
    if name in SPECIAL:
        SPECIAL[name](path)
        return "mnist", path
    data_set, make, _ = RECIPES[name]
    content = make()
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.mkdir()
        for inner, data in content.items():
            (path / inner).write_bytes(data)
    return data_set, path


def read(data_set, path):
    """Returns what became of an archive: a kind of error, and its words."""
    module = importlib.import_module(f"experiments.data.datasets.{data_set}")
    try:
        data = getattr(module, f"load_{data_set}")(path=str(path), **OPTIONS)
    except Exception as error:
        return type(error).__name__, str(error)
    return "", str({name: len(split) for name, split in data.splits.items()})


def main():
    folder = Path(sys.argv[1])
    for name in [*RECIPES, *SPECIAL]:
        data_set, path = place(name, folder)
        print(json.dumps({"name": name, "begins": True}), flush=True)
        # What was made here is no fault of the reader.
        before = peak_megabytes()
        start = time.process_time()
        kind, words = read(data_set, path)
        seconds = time.process_time() - start
        after = peak_megabytes()
        found = {"name": name, "kind": kind, "words": words, "seconds": seconds}
        print(json.dumps({**found, "megabytes": after - before}), flush=True)


if __name__ == "__main__":
    main()
