from types import SimpleNamespace

import numpy as np

from experiments.data.split import ArraySplit, FileSplit
from experiments.jobs.made_from.kept_splits import keep_splits


class Tracker:
    def __init__(self):
        self.files = []

    def log_file(self, path, artifact_dir=None):
        self.files.append((path.name, artifact_dir))


def keep(folder, splits):
    dataset = SimpleNamespace(splits=splits, class_names=("cat", "a, dog"))
    tracker = Tracker()
    keep_splits(SimpleNamespace(output_dir=folder), dataset, tracker)
    return tracker.files


def files(names, labels):
    paths = tuple(f"/pets/{name}" for name in names)
    return FileSplit(paths, np.array(labels), ("x",) * len(names), root="/pets")


def test_each_file_is_listed_with_class_and_split(tmp_path):
    splits = {"train": files(["b.jpg", "a.jpg"], [0, 1]), "test": files(["c.jpg"], [1])}

    kept = keep(tmp_path, splits)

    assert kept == [("splits.csv", "data")]
    assert (tmp_path / "splits.csv").read_text() == (
        'file,class,split\na.jpg,"a, dog",train\nb.jpg,cat,train\nc.jpg,"a, dog",test\n'
    )


def test_images_in_memory_have_no_list(tmp_path):
    images = ArraySplit(np.zeros((2, 4, 4, 1), np.uint8), np.array([0, 1]))

    assert keep(tmp_path, {"train": images}) == []
    assert not list(tmp_path.iterdir())
