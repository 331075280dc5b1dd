"""What a training begins with instead of random numbers, and how it prepares images."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.builders.model import Images
from experiments.config.kinds.weights import IMAGENET, RUN
from experiments.config.schema.models.applications import family_of
from experiments.config.schema.models.model import KerasApplicationConfig, ModelConfig
from experiments.config.schema.run import RunConfig
from experiments.data.dataset import Dataset
from experiments.errors import ConfigError, Problem
from experiments.jobs.runs.run_names import may_move
from experiments.runtime.devices import Devices
from experiments.trained.finding import find_trained
from experiments.trained.trained import read_trained_weights

if TYPE_CHECKING:
    from experiments.weights.fit import Table
    from experiments.weights.preprocessing import Preprocessing
    from experiments.weights.source import Layers, Weights

_CLOSE = 1e-3  # of a mean or deviation that was typed, to the weights' own


@dataclass(frozen=True, kw_only=True)
class Start:
    """What a network begins with.

    Attributes:
        images: What it is built for; `None` for the data set as it is.
        weights: Those that are put into it; `None` without any, or where a saved state
            will bring them.
        class_names: What the network is to tell apart.
        names: Gives the weights the names of a network's layers, where a file may have
            others.
    """

    images: Images | None = None
    weights: "Weights | None" = None
    class_names: tuple[str, ...] | None = None
    names: "Callable[[Layers, Any], Layers] | None" = None

    @property
    def begin(self) -> "Callable[[Any], Table] | None":
        """What `build_model` begins a network with; `None` without weights."""
        return None if self.weights is None else self.put_into

    def describe(self) -> dict[str, Any]:
        """Returns what `origin.json` has of it."""
        told: dict[str, Any] = {}
        if self.weights is not None:
            name, digest = self.weights.name, self.weights.sha256
            told["weights"] = {"name": name, "sha256": digest}
        if self.images is not None:
            mean, std = list(self.images.mean), list(self.images.std)
            told["prepared"] = {"mean": mean, "std": std}
        return told

    def put_into(self, network: Any) -> "Table":
        """Gives a network the weights, see `weights.fit.load_into`.

        Raises:
            WeightsError: They are of another network.
        """
        from experiments.weights.faults import WeightsError
        from experiments.weights.fit import load_into

        if self.weights is None:
            raise ValueError("There are no weights to begin with.")
        known = self.weights.preprocessing
        reverse = known is not None and known.reversed_channels
        names = self.weights.class_names
        other = None not in (names, self.class_names) and names != self.class_names
        layers = self.weights.layers
        if self.names is not None:
            layers = self.names(layers, network)
        try:
            return load_into(
                network,
                layers,
                reversed_channels=reverse,
                other_classes=other,
            )
        except WeightsError as error:
            raise WeightsError(f"{self.weights.name} {error}") from error


def find_start(
    run: RunConfig,
    dataset: Dataset,
    devices: Devices,
    *,
    typed: Sequence[str] = (),
    former: Mapping[str, Any] | None = None,
) -> Start:
    """Reads what `model.weights` names, and settles how images are prepared.

    Args:
        run: The checked config.
        dataset: Says the images' channels, and its own mean and deviation.
        devices: Those that compute.
        typed: Overrides as a person typed them.
        former: The `origin.json` of a job that goes on from a saved state: the file
            that it began with is not needed any more.

    Raises:
        WeightsError: The weights are not there, or of no use.
        ConfigError: They contradict what was typed.
    """
    if not isinstance(run.model, ModelConfig):
        return Start()
    if former is not None:
        prepared = former.get("prepared")
        return Start(
            images=prepared and Images.of(dataset, prepared["mean"], prepared["std"])
        )
    weights = _read(run, devices)
    names = None
    if weights is not None:
        _check_variant(run, weights)
        if isinstance(run.model, KerasApplicationConfig):
            weights, names = _as_application(run.model, weights)
    chosen = _choose_preprocessing(run.model.preprocessing, weights)
    images = None
    if chosen is not None:
        fitted = chosen.of_channels(dataset.image_shape[2])
        images = Images.of(dataset, fitted.mean, fitted.std)
        _check_typed(run, images, typed)
        if weights is not None and weights.preprocessing is None:
            weights = replace(weights, preprocessing=chosen)
    classes = None if weights is None else tuple(dataset.class_names)
    return Start(images=images, weights=weights, names=names, class_names=classes)


def _read(run: RunConfig, devices: Devices) -> "Weights | None":
    named = getattr(run.model, "weights", None)
    if named is None:
        return None
    from experiments.weights.imagenet import read_application, read_imagenet
    from experiments.weights.source import read_weights

    if named == IMAGENET and isinstance(run.model, KerasApplicationConfig):
        return read_application(run.model.architecture, run.model.alpha)
    if named == IMAGENET:
        return read_imagenet(int(getattr(run.model, "depth", 0)))
    if not named.startswith(RUN):
        return read_weights(Path(named))
    name = named.removeprefix(RUN)
    if may_move(name, run.destination()):
        reason = f"must name a run by its id or folder here. Received: {named}."
        raise ConfigError([Problem("model.weights", reason, "task=list shows both.")])
    return read_trained_weights(find_trained(name, run), run, devices)


def _as_application(
    model: KerasApplicationConfig, weights: "Weights"
) -> "tuple[Weights, Callable[[Layers, Any], Layers]]":
    """Returns weights with the preprocessing of their family, and who names them."""
    from experiments.weights.applications import name_as_built
    from experiments.weights.preprocessing import PREPROCESSINGS

    if weights.preprocessing is None and model.preprocessing == "auto":
        usual = PREPROCESSINGS[family_of(model.architecture).preprocessing]
        weights = replace(weights, preprocessing=usual)
    return weights, name_as_built


def _check_variant(run: RunConfig, weights: "Weights") -> None:
    """Refuses weights whose shapes would fit a network that strides elsewhere."""
    variant = getattr(run.model, "variant", None)
    if weights.variant is not None and variant != weights.variant:
        reason = (
            f"must be {weights.variant}, for {weights.name} was trained in such a "
            f"network. Received: {variant}."
        )
        hint = f"Type model.variant={weights.variant}."
        raise ConfigError([Problem("model.variant", reason, hint)])


def _choose_preprocessing(
    word: str, weights: "Weights | None"
) -> "Preprocessing | None":
    """Returns what is done to images; `None` for the data set's own."""
    if word == "dataset" or (word == "auto" and weights is None):
        return None
    from experiments.weights.preprocessing import PREPROCESSINGS

    if word != "auto":
        return PREPROCESSINGS[word]
    if weights is None or weights.preprocessing is None:
        name = "the weights" if weights is None else weights.name
        reason = (
            f"must be typed, for {name} does not tell how the images were prepared "
            "that it was trained on. Received: auto."
        )
        hint = (
            "model.preprocessing=caffe for Keras Applications' ResNets, torch for "
            "PyTorch's, dataset for the mean and deviation of the data set."
        )
        raise ConfigError([Problem("model.preprocessing", reason, hint)])
    return weights.preprocessing


def _check_typed(run: RunConfig, images: Images, typed: Sequence[str]) -> None:
    """Refuses a mean or deviation that was typed and is not the model's."""
    for key, chosen in (("mean", images.mean), ("std", images.std)):
        is_typed = any(word.lstrip("+").startswith(f"dataset.{key}=") for word in typed)
        given = getattr(run.dataset, key, None)
        if not is_typed or given is None:
            continue
        pairs = zip(given, chosen, strict=False)
        if len(given) != len(chosen) or any(abs(a - b) > _CLOSE for a, b in pairs):
            shown = ", ".join(f"{value:.4g}" for value in chosen)
            reason = (
                f"contradicts how the model prepares its images, {key} [{shown}]. "
                f"Received: {given}."
            )
            hint = f"Leave dataset.{key} out, or type model.preprocessing=dataset."
            raise ConfigError([Problem(f"dataset.{key}", reason, hint)])
