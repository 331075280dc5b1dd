from experiments.tracking.spool.flatten import as_param, batches, flatten_config


def test_leaves_are_named_by_their_dotted_path():
    config = {"optimizer": {"lr": 1e-4, "nesterov": True}, "seed": 0, "name": None}
    assert flatten_config(config) == {
        "optimizer.lr": "0.0001",
        "optimizer.nesterov": "true",
        "seed": "0",
        "name": "null",
    }


def test_list_is_one_parameter():
    assert flatten_config({"blocks": [3, 4, 6, 3]}) == {"blocks": "[3, 4, 6, 3]"}


def test_empty_mapping_is_kept():
    assert flatten_config({"tags": {}, "seed": 1}) == {"tags": "{}", "seed": "1"}


def test_text_is_kept_as_it_is():
    assert as_param("a 'text'") == "a 'text'"


def test_long_value_is_cut_and_says_so():
    text = as_param("x" * 6001)
    assert len(text) == 6000
    assert text.endswith("(cut; the whole is in the run's config file)")


def test_value_at_the_limit_is_not_cut():
    assert as_param("x" * 6000) == "x" * 6000


def test_names_that_mlflow_refuses_are_replaced_without_loss():
    assert flatten_config({"tags": {"a@b": 1, "a!b": 2}}) == {
        "tags.a_b": "1",
        "tags.a_b_2": "2",
    }


def test_batches_hold_a_hundred():
    params = {f"p{i}": str(i) for i in range(250)}
    parts = list(batches(params))
    assert [len(part) for part in parts] == [100, 100, 50]
    assert {key: text for part in parts for key, text in part.items()} == params
