"""What the pipeline expects of an augmentation."""

from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Augment(Protocol):
    """Changes a batch of images; equal keys give equal changes."""

    def __call__(self, images: Any, keys: Any) -> Any:
        """Returns changed images of the same shape.

        Args:
            images: uint8 `(B, H, W, C)`.
            keys: uint64 `(B,)`; draw with `draw_uniform` of
                `experiments.data.pipeline.sample_keys`.
        """
        ...


@runtime_checkable
class MixAugment(Protocol):
    """Mixes images of a batch and their labels; equal keys give equal mixtures."""

    def mix(self, images: Any, labels: Any, keys: Any) -> tuple[Any, Any]:
        """Returns changed images and labels of the same shapes.

        Args:
            images: uint8 `(B, H, W, C)`.
            labels: float32 `(B, classes)`, each row sums to 1.
            keys: uint64 `(B,)`, see `Augment`.
        """
        ...


@runtime_checkable
class CropAugment(Augment, Protocol):
    """An augmentation that begins with a random window of the original image.

    Files are decoded within the window only; images in memory go through `__call__`.
    """

    def draw(self, keys: Any) -> Any:
        """Returns the random numbers of each image, float32 `(B, K)` in [0, 1).

        Args:
            keys: uint64 `(B,)`.
        """
        ...

    def place_windows(self, sizes: Any, draws: Any) -> Any:
        """Returns int32 `(B, 4)`: top, left, height, width, inside each image.

        Args:
            sizes: int32 `(B, 2)`, height and width of each image.
            draws: What `draw` returned.
        """
        ...

    def choose_mirrored(self, draws: Any) -> Any:
        """Returns bool `(B,)`: which windows are mirrored left to right.

        Args:
            draws: What `draw` returned.
        """
        ...
