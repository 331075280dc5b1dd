from experiments.config.reading.leaves import list_leaves


def test_each_leaf_has_its_dotted_key_in_the_order_of_the_config() -> None:
    config = {"b": {"lr": 0.1, "sizes": [1, {"x": 2}]}, "a": None, "tags": {}}
    assert list(list_leaves(config)) == [
        ("b.lr", 0.1),
        ("b.sizes", [1, {"x": 2}]),
        ("a", None),
        ("tags", {}),
    ]


def test_key_of_a_part_goes_before_those_in_it() -> None:
    assert list(list_leaves({"lr": {"max": 1}}, "optimizer")) == [
        ("optimizer.lr.max", 1)
    ]
    assert list(list_leaves(3, "seed")) == [("seed", 3)]
