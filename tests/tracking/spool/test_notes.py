from experiments.tracking.spool.notes import (
    join_parts,
    link_pictures,
    replace_part,
    shorten_table,
    write_picture,
    write_plain,
    write_table,
)


def test_names_show_as_they_are() -> None:
    assert write_plain("a_b*c <img>\n[x](y)|z") == r"a\_b\*c \<img\> \[x\](y)\|z"


def test_table_keeps_what_would_end_a_cell_and_sets_columns_apart() -> None:
    table = write_table([["run", "score"], ["a|b", "0.5"]])
    assert table.split("\n") == [
        "| run | &emsp;score |",
        "| :-- | --: |",
        r"| a\|b | &emsp;0.5 |",
    ]


def test_long_table_says_how_much_more_there_is_and_where() -> None:
    rows = [f"| {number:08} | a_b \\| c |" for number in range(10)]
    table = "\n".join(["| # | run |", "| --: | :-- |", *rows]) + "\n"
    whole = shorten_table(table, room=1000, rest="a.md").split("\n")
    assert whole[:3] == [
        r"| \# | &emsp;run |",
        "| --: | :-- |",
        r"| 00000000 | &emsp;a\_b \| c |",
    ]
    assert len(whole) == 12
    short = shorten_table(table, room=100, rest="sweep/results.md").split("\n")
    assert short == [*whole[:4], "", "... and 8 more in `sweep/results.md`"]


def test_what_is_too_much_is_left_out_whole() -> None:
    fits, too_much = "é" * 3000, "x" * 2000  # a letter of two bytes
    assert join_parts(["a", fits, too_much, "b"]) == f"a\n\n{fits}"


def test_pictures_are_those_of_the_run_in_each_store() -> None:
    text = f"Words (with: marks).\n\n{write_picture('data/my images.png', 'Images')}"
    for run_id in ("c0ffee", "5eed"):
        address = f"get-artifact?run_uuid={run_id}&path=data/my%20images.png"
        assert link_pictures(text, run_id).endswith(f"![Images]({address})")


def test_a_part_of_a_description_is_replaced_and_all_else_stays():
    text = replace_part("mine", "a_b", "one")
    assert text == "mine\n\n#### a\\_b\n\none"
    text = replace_part(text, "c", "two")
    assert replace_part(text, "a_b", "three") == (
        "mine\n\n#### c\n\ntwo\n\n#### a\\_b\n\nthree"
    )


def test_of_too_many_parts_the_oldest_are_left_out():
    text = "mine"
    for number in range(30):
        text = replace_part(text, f"part {number}", "x" * 1000)
    assert len(text.encode()) < 8000
    assert text.startswith("mine\n\n#### part 2")
    assert "#### part 29\n" in text
