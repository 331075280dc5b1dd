"""Layer names: the format of the weight files."""

import string
from typing import Protocol


class LayerNames(Protocol):
    """Names each layer by its place; `None` leaves the name to Keras.

    Attributes:
        shortcut_first: Which operand of an addition comes first. It decides the order
            of the layers, and so of the weights, but no value.
    """

    shortcut_first: bool

    def model(self, depth: int | None) -> str:
        """Names the network."""

    def stem(self, part: str) -> str | None:
        """Names `conv1_<pad, conv, bn, relu>` or `pool1_<pad, pool, blur1, blur2>`.

        Before the last convolution of a deep stem come `conv1_<k>_<pad, conv, bn,
        relu>` with k = 1, 2.
        """

    def block(self, stage: int, block: int, part: str) -> str | None:
        """Names a part of a block, both counted from 0.

        Args:
            stage: Index of the stage.
            block: Index of the block in its stage.
            part: `add`, `out`, `preact_<bn, relu>`, `<k>_<pad, pool, conv, bn, relu,
                blur1, blur2>` with k = 1, 2, 3 along the branch and 0 on the shortcut,
                `se_<squeeze, reduce, relu, expand, gate, excite>` and `drop`.
        """

    def head(self, part: str) -> str | None:
        """Names `post_bn`, `post_relu`, `pool`, `dropout`, `flatten` or `dense`."""


class KerasNames:
    """The names of Keras Applications, so that its weight files fit.

    `conv{stage + 2}_block{block + 1}_{part}`; what Keras Applications lacks follows
    the same pattern.
    """

    shortcut_first = True

    def model(self, depth: int | None) -> str:
        """Names the network after its depth."""
        return f"resnet{depth or ''}"

    def stem(self, part: str) -> str:
        """Names a stem layer by its part."""
        return part

    def block(self, stage: int, block: int, part: str) -> str:
        """Names a layer such as `conv2_block1_1_conv`."""
        return f"conv{stage + 2}_block{block + 1}_{part}"

    def head(self, part: str) -> str:
        """Names a head layer."""
        return {"pool": "avg_pool", "dense": "predictions"}.get(part, part)


class NotebookNames:
    """The names of the notebook, after the original Caffe files.

    `res{stage + 2}{letter}_branch{1, 2a, 2b, 2c}` and the same with `bn`. Activations
    and additions have none, so Keras counts them.
    """

    shortcut_first = False

    def model(self, depth: int | None) -> str:
        """Names the network after its depth."""
        return f"ResNet{depth or ''}"

    def stem(self, part: str) -> str | None:
        """Names a stem layer; pooling and activation have no name."""
        names = {"conv1_pad": "zero_padding", "conv1_conv": "conv1", "conv1_bn": "bn1"}
        has_weights = part.endswith(("_conv", "_bn"))
        return names.get(part, part if has_weights else None)

    def block(self, stage: int, block: int, part: str) -> str | None:
        """Names a convolution or its batch norm, such as `res2a_branch2a`."""
        index, _, kind = part.partition("_")
        prefix = {"conv": "res", "bn": "bn"}.get(kind)
        branch = {"0": "1", "1": "2a", "2": "2b", "3": "2c"}.get(index)
        letters = string.ascii_lowercase
        letter = letters[block] if block < len(letters) else f"b{block}"
        if part in ("se_reduce", "se_expand", "drop"):  # what has weights or a seed
            return f"res{stage + 2}{letter}_{part}"
        if prefix is None or branch is None:
            return None
        return f"{prefix}{stage + 2}{letter}_branch{branch}"

    def head(self, part: str) -> str | None:
        """Names the pooling and the dense layer."""
        return {"pool": "avg_pooling", "dense": "softmax"}.get(part)


def choose_names(layer_names: str) -> LayerNames:
    """Returns the scheme called `keras` or `notebook`."""
    return NotebookNames() if layer_names == "notebook" else KerasNames()
