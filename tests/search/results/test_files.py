import csv
import io

import pytest
import yaml

from experiments.config.kinds.objective import Objective
from experiments.search.results.files import format_csv, format_markdown, summarise
from experiments.search.trials.trial import Outcome, Proposal, Trial


def trial(number, objective=None, values=None, *, parent=None, overrides=(), **more):
    end = "complete" if objective is not None else "failed"
    return Trial(
        proposal=Proposal(number=number, values=values or {}, parent=parent),
        overrides=overrides,
        outcome=Outcome(**{"end": end, "objective": objective, **more}),
    )


RUNNING = Trial(proposal=Proposal(number=9, values={"lr": 0.5}))
TRIALS = [
    trial(2, 0.75, {"lr": 0.1, "nesterov": True}, epochs=4, seconds=61.4, run_id="abc"),
    trial(0, 1 / 3, {"lr": 1e-05, "name": 'a,"b"|<c>'}, overrides=("lr=1e-05", "x=1")),
    trial(
        1, None, {"lr": 3}, failure="oom", reason="out of | memory\nat 3", attempts=2
    ),
    trial(3, 0.5, {"lr": 0.2}, end="pruned", reason="hopeless", epochs=1),
]


def read(trials, direction="max"):
    text = format_csv(trials, Objective("val_accuracy", direction))
    return list(csv.DictReader(io.StringIO(text)))


def summary(trials, direction="max", best_overrides=()):
    return summarise(
        trials,
        objective=Objective("val_accuracy", direction),
        oracle="random",
        best_overrides=best_overrides,
    )


def test_csv_rows_are_in_the_order_of_the_numbers():
    assert [row["number"] for row in read(TRIALS)] == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    ("direction", "ranks"),
    [("max", ["3", "", "1", "2"]), ("min", ["1", "", "3", "2"])],
)
def test_csv_ranks_by_direction_and_leaves_the_failed_unranked(direction, ranks):
    assert [row["rank"] for row in read(TRIALS, direction)] == ranks


def test_csv_keeps_full_precision_and_quotes_texts():
    first = read(TRIALS)[0]
    assert float(first["objective (val_accuracy)"]) == 1 / 3
    assert float(first["lr"]) == 1e-05
    assert first["name"] == 'a,"b"|<c>'
    assert first["overrides"] == "lr=1e-05 x=1"


def test_csv_tells_how_a_trial_failed():
    failed = read(TRIALS)[1]
    assert failed["state"] == "failed (oom)"
    assert failed["objective (val_accuracy)"] == ""
    assert failed["reason"] == "out of | memory\nat 3"
    assert failed["attempts"] == "2"


def test_csv_has_a_column_for_each_parameter_in_first_seen_order():
    assert list(read(TRIALS)[0]) == [
        "number",
        "rank",
        "state",
        "objective (val_accuracy)",
        "lr",
        "name",
        "nesterov",
        "epochs",
        "seconds",
        "attempts",
        "reason",
        "run_id",
        "overrides",
    ]
    assert [row["nesterov"] for row in read(TRIALS)] == ["", "", "true", ""]


def test_csv_gives_mean_deviation_and_count_of_repeats():
    first, second, third = read(
        [
            trial(0, 0.5, repeats=(0.25, 0.5, 0.75)),
            trial(1, 0.5, repeats=(0.5,)),
            trial(2),
        ]
    )
    names = ["repeats_mean", "repeats_std", "repeats_count"]
    assert [first[name] for name in names] == ["0.5", "0.25", "3"]
    assert [second[name] for name in names] == ["0.5", "", "1"]
    assert [third[name] for name in names] == ["", "", ""]


def test_parameter_named_like_another_column_keeps_both():
    (row,) = read([trial(0, 1.0, {"epochs": 90}, epochs=2)])
    assert row["parameter epochs"] == "90"
    assert row["epochs"] == "2"


def test_running_trial_has_a_row_without_a_result():
    (row,) = read([RUNNING])
    assert (row["state"], row["rank"], row["lr"]) == ("unfinished", "", "0.5")


def test_csv_of_no_trial_is_its_head():
    text = format_csv([], Objective("loss", "min"))
    assert text == (
        "number,rank,state,objective (loss),epochs,seconds,attempts,reason,run_id,"
        "overrides\n"
    )


def test_markdown_has_the_best_first_and_failures_last_with_their_reason():
    lines = format_markdown(TRIALS, Objective("val_accuracy", "max")).splitlines()
    assert lines == [
        "| # | trial | val_accuracy | lr | name | nesterov | epochs | time | state |",
        "| --: | --: | --: | --: | --: | --: | --: | --: | :-- |",
        "| 1 | 2 | 0.7500 | 0.1 | - | true | 4 | 0:01:01 | complete |",
        "| 2 | 3 | 0.5000 | 0.2 | - | - | 1 | 0:00:00 | pruned: hopeless |",
        '| 3 | 0 | 0.3333 | 1e-05 | a,"b"\\|<c> | - | 0 | 0:00:00 | complete |',
        "| - | 1 | - | 3 | - | - | 0 | 0:00:00 "
        "| failed (oom): out of \\| memory at 3 |",
    ]


def test_markdown_shows_the_spread_of_repeats():
    table = format_markdown(
        [trial(0, 0.5, repeats=(0.25, 0.75))], Objective("loss", "min")
    )
    assert "| 0.5000 ± 0.3536 (2) |" in table


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.2345e-05, "1.234e-05"),
        (0.0, "0.0000"),
        (2.5e30, "2.5e+30"),
        (-1.5, "-1.5000"),
    ],
)
def test_objective_of_any_size_can_be_read(value, text):
    assert f"| {text} |" in format_markdown([trial(0, value)], Objective("loss", "min"))


def test_markdown_of_no_trial_is_its_head():
    lines = format_markdown([], Objective("loss", "min")).splitlines()
    assert lines[0] == "| # | trial | loss | epochs | time | state |"
    assert len(lines) == 2


def test_summary_names_the_best_and_how_to_get_it_again():
    best = summary(TRIALS, best_overrides=("lr=0.1", "seed=1"))["best"]
    assert best == {
        "number": 2,
        "objective": 0.75,
        "values": {"lr": 0.1, "nesterov": True},
        "overrides": ["lr=0.1", "seed=1"],
        "run_id": "abc",
        "epochs": 4,
    }


def test_summary_counts_states_epochs_and_seconds():
    result = summary([*TRIALS, RUNNING])
    assert result["oracle"] == "random"
    assert result["objective"] == {"name": "val_accuracy", "direction": "max"}
    assert result["trials"] == {
        "complete": 2,
        "failed (oom)": 1,
        "pruned": 1,
        "unfinished": 1,
    }
    assert result["epochs"] == 5
    assert result["seconds"] == 61.4


def test_epochs_of_a_continued_trial_are_counted_once():
    trials = [
        trial(0, 0.5, end="paused", epochs=3),
        trial(1, 0.6, parent=0, epochs=9),
        trial(2, parent=0, epochs=0),
    ]
    assert summary(trials)["epochs"] == 9


def test_summary_has_the_five_best_in_order():
    trials = [trial(n, float(n)) for n in range(7)]
    assert [t["number"] for t in summary(trials)["top"]] == [6, 5, 4, 3, 2]
    assert [t["number"] for t in summary(trials, "min")["top"]] == [0, 1, 2, 3, 4]


def test_summary_has_the_importances_of_enough_trials():
    """Ten a parameter, as on the page."""
    trials = [trial(n, float(n), {"lr": n, "width": 1}) for n in range(20)]
    assert summary(trials)["importances"] == {"lr": 1.0, "width": 0.0}
    assert summary(trials[1:])["importances"] == {}


@pytest.mark.parametrize(
    "trials", [[], [trial(0, failure="error", reason="bad")], [RUNNING], TRIALS]
)
def test_summary_is_plain_yaml_whatever_happened(trials):
    result = summary(trials)
    assert yaml.safe_load(yaml.safe_dump(result)) == result


def test_summary_without_any_result_has_no_best():
    result = summary([trial(0)], best_overrides=("lr=1",))
    assert result["best"] is None
    assert result["top"] == []
    assert result["importances"] == {}
