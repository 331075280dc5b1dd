"""What a served model says of a request that it does not answer."""

from typing import Any

from mlflow.exceptions import BAD_REQUEST, MlflowException

from experiments.serving.names import REFUSED


class RefusedError(MlflowException):
    """A request that cannot be answered, for a reason of a few words: status 400.

    MLflow's server puts what it was sent in front of an error's message, kilobytes of
    somebody's photograph. This message stays as it is.
    """

    def __init__(self, reason: str) -> None:
        self._reason = reason
        super().__init__(reason, error_code=BAD_REQUEST, error_class=REFUSED)

    @property
    def message(self) -> str:
        """The reason alone."""
        return self._reason

    @message.setter
    def message(self, _: Any) -> None:
        """Keeps the reason."""
