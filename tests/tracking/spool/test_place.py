import pytest

from experiments.tracking.spool.place import (
    FOLDER,
    OUTPUT_DIR,
    Place,
    describe_place,
    read_place,
)
from experiments.tracking.spool.process import HOST


@pytest.fixture
def out(tmp_path):
    (tmp_path / "out" / "runs" / "x").mkdir(parents=True)
    return tmp_path / "out"


def test_folder_is_told_relative_to_the_output_folder(out):
    tags = describe_place(out / "runs" / "x", out)
    assert tags == {FOLDER: "runs/x", OUTPUT_DIR: str(out)}


@pytest.mark.parametrize("linked", ["folder", "output folder"])
def test_folder_that_is_reached_by_a_link_is_told_relative_too(out, tmp_path, linked):
    (tmp_path / "link").symlink_to(out)
    one, other = tmp_path / "link", out
    job, root = (one, other) if linked == "folder" else (other, one)
    assert describe_place(job / "runs" / "x", root)[FOLDER] == "runs/x"


def test_folder_outside_is_told_whole(out, tmp_path):
    assert describe_place(tmp_path / "x", out)[FOLDER] == str(tmp_path / "x")


def place(folder, output_dir="/home/anna/outputs"):
    return Place(folder=folder, output_dir=output_dir, host="box3")


def test_place_is_one_below_the_output_folder_that_is_named(out):
    assert place("runs/x").below(out) == out / "runs" / "x"


@pytest.mark.parametrize("folder", ["/etc", "../x", "runs/../../x", "", ".", "a\0b"])
def test_place_outside_is_none(out, folder):
    assert place(folder).below(out) is None


def test_place_behind_a_link_that_leads_out_is_none(out, tmp_path):
    (out / "runs" / "y").symlink_to(tmp_path)
    assert place("runs/y").below(out) is None


def test_place_is_told_with_its_machine():
    assert str(place("runs/x")) == "/home/anna/outputs/runs/x on box3"
    assert str(place("/mnt/x")) == "/mnt/x on box3"
    assert str(place("a\x1b[2J")) == r"/home/anna/outputs/a\x1b[2J on box3"


def test_machine_is_told_by_the_tag_of_an_earlier_release_too():
    told = {"experiments.job_folder": "x", "experiments.output_dir": "/o"}
    assert read_place({**told, "process.host": "box3"}) == place("x", "/o")
    later = {"process.host": "box3", "experiments.process.host": "box4"}
    assert read_place({**told, **later}).host == "box4"


@pytest.mark.parametrize("absent", [FOLDER, OUTPUT_DIR, HOST])
def test_run_of_an_earlier_release_says_nothing(absent):
    tags = {FOLDER: "runs/x", OUTPUT_DIR: "/out", HOST: "box3"}
    assert read_place(tags) == Place(folder="runs/x", output_dir="/out", host="box3")
    assert read_place({k: v for k, v in tags.items() if k != absent}) is None
