"""What the arrays of a layer are called."""

from typing import Any


def name_variables(layer: Any) -> list[str]:
    """Returns a name for each of a layer's weights, in their order.

    It is the variable's own, `kernel`. Where several are called alike, as in a layer
    that is made of layers, it is where they are: `query/kernel`.
    """
    names = [variable.name for variable in layer.weights]
    if len({*names}) == len(names):
        return names
    return [v.path.rpartition(f"{layer.name}/")[2] for v in layer.weights]
