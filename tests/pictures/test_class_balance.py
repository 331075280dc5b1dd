from experiments.pictures.class_balance import draw_class_balance


def test_each_class_has_a_bar_of_its_splits() -> None:
    counts = {"train": [3, 5], "validation": [1, 2]}
    (axes,) = draw_class_balance(counts, ["$a$", "b"]).axes
    bars = [(bar.get_x(), bar.get_width()) for bar in axes.patches]
    assert bars == [(0, 3), (0, 5), (3, 1), (5, 2)]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["$a$", "b"]


def test_many_classes_are_a_curve_from_the_largest_on() -> None:
    counts = list(range(1, 101))
    (axes,) = draw_class_balance({"train": counts}, [str(n) for n in counts]).axes
    (curve,) = axes.lines
    assert list(curve.get_ydata()) == counts[::-1]
