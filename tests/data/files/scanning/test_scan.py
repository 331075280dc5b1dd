import os
import tracemalloc
from pathlib import Path

import pytest

from experiments.data.files.scanning import scan as scan_module
from experiments.data.files.scanning.scan import scan_files, show_name
from tests.data.pictures import all_forms, encode, photograph

LEVELS = ["full", "header", "off"]


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    return folder


def write(root, **contents):
    for name, content in contents.items():
        (root / name).write_bytes(content)
    return sorted(contents)


@pytest.mark.parametrize("verify", LEVELS)
def test_usable_images_have_no_fault(root, verify):
    names = write(root, **all_forms())

    files = scan_files(root, names, verify=verify)

    assert [file.name for file in files] == names
    assert {file.fault for file in files} == {None}


def test_each_level_notices_what_it_promises(root):
    jpeg = encode(photograph(200, 200), "JPEG")
    middle = jpeg[:600] + bytes(600) + jpeg[1200:]
    png = encode(photograph(), "PNG")
    broken_png = png[:2000] + bytes(100) + png[2100:]
    names = write(
        root, a=b"", b=b"text", c=jpeg[: len(jpeg) // 2], d=middle, e=broken_png, f=jpeg
    )

    faults = {
        level: "".join(f.name for f in scan_files(root, names, verify=level) if f.fault)
        for level in LEVELS
    }

    assert faults["off"] == "a"
    assert faults["header"] == "abc"
    assert faults["full"] == "abcde"


@pytest.mark.parametrize("verify", LEVELS)
@pytest.mark.parametrize("rest", [bytes(9000), b"ftypmp42" * 2000])
def test_kilobytes_behind_the_end_are_no_fault(root, verify, rest):
    names = write(root, **{k: v + rest for k, v in all_forms().items()})

    files = scan_files(root, names, verify=verify)

    assert {file.fault for file in files} == {None}


@pytest.mark.parametrize("verify", ["full", "header"])
def test_a_cut_off_file_with_kilobytes_of_zeros_behind_it_is_a_fault(root, verify):
    jpeg = encode(photograph(200, 200), "JPEG")
    names = write(root, a=jpeg[: len(jpeg) // 2] + bytes(9000))

    (file,) = scan_files(root, names, verify=verify)

    assert file.fault == "is a JPEG that is cut off"


def test_a_png_of_which_ten_bytes_are_zeroed_is_found_by_decoding_it(root):
    png = encode(photograph(), "PNG")
    names = write(root, a=png[:400] + bytes(10) + png[410:])

    (file,) = scan_files(root, names, verify="full")

    assert file.fault == "is damaged: it does not decode"


@pytest.mark.parametrize("verify", ["full", "header", "off"])
def test_an_unreadable_file_is_a_fault_and_no_crash(root, verify):
    (root / "link").symlink_to(root / "nowhere")

    link, gone = scan_files(root, ["link", "gone"], verify=verify)

    assert link.fault == "is a link that leads nowhere"
    assert gone.fault == "cannot be read (No such file or directory)"


@pytest.mark.parametrize("verify", ["full", "header"])
def test_the_digest_is_of_the_content_and_not_of_the_name(root, verify):
    one, two = encode(photograph(), "PNG"), encode(photograph(61, 40), "PNG")
    names = write(root, a=one, b=one, c=two)

    a, b, c = (file.digest for file in scan_files(root, names, verify=verify))

    assert a == b != c


def test_full_and_header_give_the_same_digest(root):
    names = write(root, large=encode(photograph(300, 300), "PNG"))
    assert (root / "large").stat().st_size > 8192

    digests = {
        scan_files(root, names, verify=level)[0].digest for level in ("full", "header")
    }

    assert len(digests) == 1


class TestRemembering:
    @pytest.fixture
    def looked_at(self, monkeypatch):
        names = []
        original = scan_module.find_fault

        def record(head, tail, size):
            names.append(size)
            return original(head, tail, size)

        monkeypatch.setattr(scan_module, "find_fault", record)
        return names

    def test_unchanged_files_are_not_opened_again(self, root, tmp_path, looked_at):
        names = write(root, a=encode(photograph(), "PNG"), b=b"text")
        first = scan_files(root, names, verify="full", cache_folder=tmp_path / "cache")
        looked_at.clear()

        again = scan_files(root, names, verify="full", cache_folder=tmp_path / "cache")

        assert again == first
        assert looked_at == []

    def test_a_changed_file_is_looked_at_again(self, root, tmp_path, looked_at):
        names = write(root, a=encode(photograph(), "PNG"), b=b"text")
        scan_files(root, names, verify="header", cache_folder=tmp_path / "cache")
        looked_at.clear()
        os.utime(root / "b", ns=(1, 1))

        scan_files(root, names, verify="header", cache_folder=tmp_path / "cache")

        assert looked_at == [4]

    @pytest.mark.parametrize(
        ("before", "now", "again"), [("header", "full", 1), ("full", "header", 0)]
    )
    def test_asking_for_more_looks_again_and_asking_for_less_does_not(
        self, root, tmp_path, looked_at, before, now, again
    ):
        names = write(root, a=encode(photograph(), "PNG"))
        scan_files(root, names, verify=before, cache_folder=tmp_path / "cache")
        looked_at.clear()

        scan_files(root, names, verify=now, cache_folder=tmp_path / "cache")

        assert len(looked_at) == again

    def test_a_damaged_memory_is_made_anew(self, root, tmp_path, caplog):
        names = write(root, a=encode(photograph(), "PNG"))
        first = scan_files(root, names, verify="full", cache_folder=tmp_path / "cache")
        (file,) = (tmp_path / "cache").iterdir()
        file.write_text("{")

        again = scan_files(root, names, verify="full", cache_folder=tmp_path / "cache")

        assert again == first
        assert "damaged" in caplog.text

    def test_a_memory_that_cannot_be_written_is_a_warning(self, root, tmp_path, caplog):
        names = write(root, a=encode(photograph(), "PNG"))
        (tmp_path / "file").write_text("")

        scan_files(root, names, verify="full", cache_folder=tmp_path / "file" / "x")

        assert "dataset.scan_cache" in caplog.text


HALF = encode(photograph(200, 200), "JPEG")
HALF = HALF[: len(HALF) // 2] + b"\xff\xd9"


@pytest.mark.parametrize("verify", ["header", "decodable"])
def test_what_decoders_warn_of_is_a_fault_of_full_alone(root, verify):
    names = write(root, a=HALF)

    (lenient,) = scan_files(root, names, verify=verify)
    (strict,) = scan_files(root, names, verify="full")

    assert lenient.fault is None
    assert "premature end of data" in strict.fault


@pytest.mark.parametrize("verify", ["full", "header"])
@pytest.mark.parametrize("form", all_forms())
def test_too_large_an_image_is_named_and_not_decoded(root, monkeypatch, verify, form):
    names = write(root, a=all_forms()[form])
    monkeypatch.setattr(scan_module, "_find_damage", None)

    (file,) = scan_files(root, names, verify=verify, max_pixels=60 * 40 - 1)

    assert file.fault == (
        "has 2,400 pixels, more than dataset.max_pixels (2,399) allows to decode"
    )


def test_the_limit_is_asked_anew_of_what_was_verified(root, tmp_path):
    names = write(root, a=all_forms()["png"])

    def scan(limit):
        (file,) = scan_files(
            root, names, verify="full", max_pixels=limit, cache_folder=tmp_path / "seen"
        )
        return file.fault

    assert scan(2400) is None
    assert "2,400 pixels" in scan(2399)
    assert scan(2400) is None


def test_what_was_too_large_to_decode_is_decoded_under_a_higher_limit(root, tmp_path):
    names = write(root, a=HALF)
    faults = [
        scan_files(
            root, names, verify="full", max_pixels=limit, cache_folder=tmp_path / "seen"
        )[0].fault
        for limit in (39_999, 40_000)
    ]

    assert "40,000 pixels" in faults[0]
    assert "premature end of data" in faults[1]


@pytest.mark.parametrize("verify", LEVELS)
def test_a_file_of_many_gigabytes_is_not_read(root, verify):
    with (root / "a").open("wb") as file:
        file.write(all_forms()["jpeg"])
        file.truncate(2**40)

    (file,) = scan_files(root, ["a"], verify=verify)

    assert file.fault == (
        "has 1,099,511,627,776 bytes, more than an image may have (2,147,483,648)"
    )


@pytest.mark.parametrize("verify", ["full", "header"])
def test_a_header_without_a_size_is_a_fault(root, verify):
    names = write(root, a=b"\xff\xd8\xff\xda\x00\x02\xff\xd9")

    (file,) = scan_files(root, names, verify=verify)

    assert file.fault == "is damaged: its header states no size"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("flower 1.jpg", "flower 1.jpg"),
        ("Größe \u200d.jpg", "Größe \u200d.jpg"),
        ("a\nb\r\x1b[2J.jpg", r"a\nb\r\x1b[2J.jpg"),
        ("a\u2028\u202eb", r"a\u2028\u202eb"),
        ("a\udcffb", r"a\xffb"),
    ],
)
def test_a_name_is_shown_in_one_line(name, shown):
    assert show_name(name) == shown


def test_a_name_with_a_line_break_is_no_fault(root):
    names = write(root, **{"a\nb.jpg": all_forms()["jpeg"]})

    (file,) = scan_files(root, names, verify="full")

    assert file.fault is None


@pytest.mark.parametrize("verify", ["full", "header"])
@pytest.mark.parametrize("change", [lambda p: p.unlink(), lambda p: p.write_bytes(b"")])
def test_a_file_that_changes_while_it_is_looked_at_is_named(
    root, monkeypatch, verify, change
):
    names = write(root, a=encode(photograph(200, 200), "PNG"))

    # Between the question for its size and the opening of it.
    def find(cache, name, **_):
        change(root / name)

    monkeypatch.setattr(scan_module.ScanCache, "find", find)
    (file,) = scan_files(root, names, verify=verify)

    assert file.fault.startswith("cannot be read (")


def test_a_file_that_may_not_be_read_is_named(root, monkeypatch):
    names = write(root, a=all_forms()["png"])

    def refuse(path, *_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    (file,) = scan_files(root, names, verify="full")

    assert file.fault == "cannot be read (Permission denied)"


def test_small_file_takes_little_memory(root):
    (name,) = write(root, a=encode(photograph(), "PNG"))
    scan_files(root, [name], verify="full", threads=1)
    tracemalloc.start()
    try:
        scan_files(root, [name], verify="full", threads=1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20e6


def test_folder_is_told_for_what_it_is(root):
    (root / "dir.jpg").mkdir()
    (file,) = scan_files(root, ["dir.jpg"], verify="full")
    assert file.fault == "is a folder"
