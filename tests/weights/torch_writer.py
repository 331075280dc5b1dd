"""Writes files as PyTorch's `torch.save` does, both of its forms, by NumPy alone."""

import io
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
PROTOCOL = b"\x80\x02M\xe9\x03."
_DICT = b"ccollections\nOrderedDict\n)R"
_TYPES = {"float32": "Float", "float16": "Half", "float64": "Double", "int64": "Long"}


def text(word: str) -> bytes:
    encoded = word.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def integer(number: int) -> bytes:
    return b"J" + struct.pack("<i", number)


def integers(numbers: Any) -> bytes:
    return b"(" + b"".join(map(integer, numbers)) + b"t"


def storage(kind: str, key: str, size: int, *, legacy: bool = False) -> bytes:
    view = b"N" if legacy else b""
    words = text("storage") + f"ctorch\n{kind}Storage\n".encode() + text(key)
    return b"(" + words + text("cpu") + integer(size) + view + b"tQ"


def tensor(stored: bytes, *, shape: Any, strides: Any = None, offset: int = 0) -> bytes:
    if strides is None:
        strides = [int(np.prod(shape[k + 1 :])) for k in range(len(shape))]
    given = stored + integer(offset) + integers(shape) + integers(strides)
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + given + b"\x89" + _DICT + b"tR"


def mapping(items: Mapping[str, bytes]) -> bytes:
    inside = b"".join(text(name) + value for name, value in items.items())
    return _DICT + b"(" + inside + b"u"


def pickled(value: bytes) -> bytes:
    return b"\x80\x02" + value + b"."


def describe(arrays: Mapping[str, npt.NDArray[Any]], *, legacy: bool = False) -> bytes:
    """Returns what is pickled of a state_dict, its attribute of versions included."""
    tensors = {}
    for key, (name, array) in enumerate(arrays.items()):
        stored = storage(_TYPES[array.dtype.name], str(key), array.size, legacy=legacy)
        tensors[name] = tensor(stored, shape=array.shape)
    versions = b"}" + text("_metadata") + _DICT + b"s"
    return mapping(tensors) + versions + b"b"


def write_archive(
    path: Path,
    table: bytes,
    parts: Mapping[str, bytes],
    compression: int = zipfile.ZIP_STORED,
) -> None:
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("weights/data.pkl", table)
        archive.writestr("weights/byteorder", "little")
        for key, content in parts.items():
            archive.writestr(f"weights/data/{key}", content)
        archive.writestr("weights/version", "3\n")


def save(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Writes what today's `torch.save(model.state_dict(), path)` does."""
    parts = {str(k): array.tobytes() for k, array in enumerate(arrays.values())}
    write_archive(path, pickled(describe(arrays)), parts)


def save_legacy(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Writes what `torch.save` did before PyTorch 1.6."""
    content = io.BytesIO()
    system = b"}" + text("little_endian") + b"\x88s"
    content.write(MAGIC + PROTOCOL + pickled(system))
    content.write(pickled(describe(arrays, legacy=True)))
    keys = b"".join(text(str(key)) for key in range(len(arrays)))
    content.write(pickled(b"](" + keys + b"e"))
    for array in arrays.values():
        content.write(struct.pack("<q", array.size) + array.tobytes())
    path.write_bytes(content.getvalue())


def name_as_torch(network: Any) -> dict[str, npt.NDArray[Any]]:
    """Returns the weights of a Keras-named ResNet as torchvision or timm lays them.

    Written from their `resnet.py`, apart from the table that is tested by it.
    """
    layers = {layer.name for layer in network.layers}
    if "conv1_1_conv" in layers:  # timm's deep stem, one `nn.Sequential`
        found = {"conv1.6.weight": network.get_layer("conv1_conv").kernel}
        for k, place in ((1, 0), (2, 3)):
            kernel = network.get_layer(f"conv1_{k}_conv").kernel
            found[f"conv1.{place}.weight"] = kernel
            found |= _norm(network, f"conv1_{k}_bn", f"conv1.{place + 1}")
    else:
        found = {"conv1.weight": network.get_layer("conv1_conv").kernel}
    found |= _norm(network, "conv1_bn", "bn1")
    pools = any(
        name.endswith("_0_pool") and network.get_layer(name).pool_size == (2, 2)
        for name in layers
    )
    for stage in range(4):
        for block in range(100):
            ours = f"conv{stage + 2}_block{block + 1}_"
            theirs = f"layer{stage + 1}.{block}."
            if f"{ours}1_conv" not in layers:
                break
            for k in (1, 2, 3):
                if f"{ours}{k}_conv" in layers:
                    kernel = network.get_layer(f"{ours}{k}_conv").kernel
                    found[f"{theirs}conv{k}.weight"] = kernel
                    found |= _norm(network, f"{ours}{k}_bn", f"{theirs}bn{k}")
            if f"{ours}0_conv" in layers:
                kernel = network.get_layer(f"{ours}0_conv").kernel
                # timm's first member is the pooling, or an identity, of ResNet-D.
                found[f"{theirs}downsample.{0 + pools}.weight"] = kernel
                norm = f"{theirs}downsample.{1 + pools}"
                found |= _norm(network, f"{ours}0_bn", norm)
            for number, part in ((1, "se_reduce"), (2, "se_expand")):
                if f"{ours}{part}" in layers:
                    layer = network.get_layer(f"{ours}{part}")
                    found[f"{theirs}se.fc{number}.weight"] = layer.kernel
                    found[f"{theirs}se.fc{number}.bias"] = layer.bias
    head = network.get_layer("predictions")
    found |= {"fc.weight": head.kernel, "fc.bias": head.bias}
    return {name: _lay(np.asarray(value)) for name, value in found.items()}


def _norm(network: Any, ours: str, theirs: str) -> dict[str, Any]:
    layer = network.get_layer(ours)
    return {
        f"{theirs}.weight": layer.gamma,
        f"{theirs}.bias": layer.beta,
        f"{theirs}.running_mean": layer.moving_mean,
        f"{theirs}.running_var": layer.moving_variance,
        f"{theirs}.num_batches_tracked": np.array(7, "int64"),
    }


def _lay(value: npt.NDArray[Any]) -> npt.NDArray[Any]:
    axes = {4: (3, 2, 0, 1), 2: (1, 0)}.get(value.ndim)
    return np.ascontiguousarray(value if axes is None else value.transpose(axes))
