from experiments.comparison.settings import list_differences, select_settings


def test_what_a_result_does_not_depend_on_is_no_setting() -> None:
    leaves = {
        "optimizer.lr": "0.1",
        "seed": "3",
        "gpu": "1",
        "backend": "jax",
        "tracking.uri": "x",
        "output_dir": "outputs",
        "task._target_": "a",
        "tags.note": "b",
        "name": "c",
        "callbacks.checkpoint.every": "1",
    }
    found = select_settings(leaves)
    assert found == {
        "optimizer.lr": "0.1",
        "seed": "3",
        "backend": "jax",
        "callbacks.checkpoint.every": "1",
    }


def test_keys_that_differ_are_listed_in_their_order() -> None:
    configs = [{"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"}, {"a": "1"}]
    assert list(list_differences(configs)) == [
        ("b", ("2", "3", "-")),
        ("c", ("-", "4", "-")),
    ]
    assert list(list_differences([])) == []
