"""What is wrong with a file of weights."""

from experiments.errors import ExperimentError


class WeightsError(ExperimentError):
    """Weights are not there, damaged, of an unknown form, or of another network."""

    failure = "config"  # the same again at a second attempt
