from experiments.pictures.image_sizes import draw_image_sizes


def test_each_file_is_a_dot_and_counts_by_its_shorter_side() -> None:
    each, shorter = draw_image_sizes([(60, 40), (30, 90)], needed=35).axes
    dots = each.collections[0].get_offsets()
    assert dots.tolist() == [[60, 40], [30, 90]]
    heights = [bar.get_height() for bar in shorter.patches]
    assert (heights[0], heights[-1], sum(heights)) == (1, 1, 2)  # 30 and 40
    assert list(shorter.lines[0].get_xdata()) == [35, 35]
