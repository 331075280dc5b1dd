from experiments.pictures.results import draw_results


def test_each_job_has_a_dot_at_its_score_the_best_at_the_top() -> None:
    names = ["lr=$1$", "b", "c"]
    axes = draw_results(names, [0.9, 0.5, 0.7], metric="val_accuracy").axes[0]
    (dots,) = axes.collections
    places = [tuple(place) for place in dots.get_offsets()]
    assert places == [(0.9, 0), (0.5, 1), (0.7, 2)]
    low, high = axes.get_ylim()
    assert low > high  # row 0 is at the top
    assert [label.get_text() for label in axes.get_yticklabels()] == names
    assert axes.get_xlabel() == "val_accuracy"


def test_of_many_jobs_the_best_are_drawn_and_their_number_is_told() -> None:
    names = [str(n) for n in range(100)]
    figure = draw_results(names, [1.0] * 100, metric="loss")
    axes = figure.axes[0]
    assert len(axes.get_yticks()) == 30
    assert axes.get_title() == "the best 30 of 100"
