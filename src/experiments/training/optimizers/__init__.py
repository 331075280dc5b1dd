"""Update rules by `lr`, and the averages of the weights that they keep."""
