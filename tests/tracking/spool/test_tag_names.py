from experiments.records import FORMAT
from experiments.tracking.spool.tag_names import former_name, name_as_today


def test_tags_of_an_earlier_release_are_read_by_their_names_of_today() -> None:
    told = {"git.branch": "main", "seed": "0", "process.pid": "7"}
    assert name_as_today(told) == {
        "experiments.git.branch": "main",
        "seed": "0",
        "experiments.process.pid": "7",
    }


def test_name_that_a_person_chose_stays_beside_that_of_today() -> None:
    told = {"python": "rocks", "experiments.python": "3.11.2"}
    assert name_as_today(told) == told
    assert name_as_today({"python": "rocks"}, FORMAT) == {"python": "rocks"}


def test_former_name_lacks_the_prefix() -> None:
    assert former_name("experiments.process.host") == "process.host"
