import pickle

import numpy as np
import pytest

from experiments.data.arrays.array_pickle import load_arrays

ARRAY = np.arange(256, dtype=np.uint8).reshape(2, 128)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_lists_and_texts_come_back(protocol, order):
    content = {"data": np.asarray(ARRAY, order=order), "labels": [1, 300, 2**40]}

    loaded = load_arrays(pickle.dumps(content, protocol))

    np.testing.assert_array_equal(loaded["data"], ARRAY)
    assert loaded["labels"] == content["labels"]


def test_a_text_of_python_2_may_hold_any_byte():
    assert load_arrays(b"(dS'a'\nS'\\xff\\n'\ns.") == {b"a": b"\xff\n"}


def test_what_a_pickle_does_to_a_function_stays_in_it():
    name = b"cnumpy.core.multiarray\n_reconstruct\n"
    change = b"\x80\x02}K\x00" + name + b"N}X\x08\0\0\0__name__X\x01\0\0\0xs\x86bs."

    changed = load_arrays(change)[0]
    again = load_arrays(b"\x80\x02}K\x00" + name + b"s.")[0]

    assert changed.__name__ == "x"
    assert again.__name__ != "x"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "cut off"),
        (b"}", "cut off"),
        (b"\xff", "cut off"),
        (b"].", "holds a list"),
        (b"}r\xff\xff\xff\xff.", "more memory"),
        (b"}p99999\n.", "more memory"),
        (b"cos\nsystem\n.", "asks to call os.system"),
        (b"cnumpy\nload\n.", "asks to call numpy.load"),
        (b"\x80\x02}" + b")" + b"\x85" * 101 + b"K\x01s.", "too many tuples"),
        (b"\x8f.", "opcode EMPTY_SET"),
    ],
)
def test_anything_else_is_refused(content, reason):
    with pytest.raises(pickle.UnpicklingError, match=reason):
        load_arrays(content)


@pytest.mark.parametrize(
    "array", [ARRAY.astype(np.int16), np.array([None]), np.array(["a"]), np.float32(1)]
)
def test_an_array_of_other_than_bytes_is_refused(array):
    with pytest.raises(pickle.UnpicklingError, match=r"not of bytes|asks to call"):
        load_arrays(pickle.dumps({"data": array}, 2))
