"""Keys of `tracking`: where runs are recorded."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from experiments.config.code.extras import check_postgres
from experiments.config.kinds.addresses import check_web_address
from experiments.config.kinds.paths import find_fault
from experiments.config.reading.fields import setting
from experiments.errors import Problem
from experiments.redaction import redact

_SQLITE = "sqlite:///"
_POSTGRES = "postgresql://"
_ACCEPTED = "must start with http://, https://, postgresql:// or sqlite:/// and an "
_ACCEPTED += "absolute path."
_DATABASE = "postgresql://db.example.org/mlflow"


@dataclass(frozen=True, kw_only=True)
class TrackingConfig:
    """Schema of the group `tracking`.

    Attributes:
        enabled: Whether anything is recorded.
        uri: MLflow tracking server, PostgreSQL database or SQLite file; null for the
            embedded database `<output_dir>/mlflow.db`.
        experiment: Name of the MLflow experiment, which groups comparable runs.
        ui_url: Address of MLflow's pages, for links; null for the server itself, and
            for where `make ui` listens, http://127.0.0.1:5000, without one.
        log_model: Which model the run keeps: that of the best epoch, or none.
        server_timeout: Seconds that a tracking server may stay silent.
        system_metrics: Whether the use of CPU, memory and the run's GPUs is recorded.
        drain_seconds: How long the end of a run waits for records that are not sent
            yet; the rest waits in the run's folder.
    """

    enabled: bool
    uri: str | None
    experiment: str
    ui_url: str | None
    log_model: Literal["best", "none"]
    server_timeout: int = setting(ge=1, most=86_400)
    drain_seconds: float = setting(ge=0, most=604_800)
    system_metrics: bool = setting(added=3, before=False)

    def check(self) -> Iterator[Problem]:
        """Yields what is wrong between the keys."""
        if not self.experiment.strip():
            yield Problem("experiment", "must not be empty.", "Name the comparison.")
        if self.uri is not None:
            yield from check_uri(self.uri)
        if self.ui_url is not None:
            hint = "Name the page that opens by itself, without them."
            yield from check_web_address("ui_url", self.ui_url, hint=hint)


def check_uri(uri: str) -> Iterator[Problem]:
    """Yields what is wrong with the address of a server or a database."""
    if uri.startswith(_SQLITE):
        yield from _check_database(uri.removeprefix(_SQLITE))
    elif uri.startswith(_POSTGRES):
        yield from _check_postgres(uri)
    elif not uri.startswith(("http://", "https://")):
        hint = "Put an MLflow server in front of any other database."
        if uri.startswith("postgres"):
            hint = f"Such as {_DATABASE}."
        yield Problem("uri", f"{_ACCEPTED} Received: {redact(uri)!r}.", hint)
    else:
        # The resolved config is stored on the run, where a password must not be.
        hint = "Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or "
        hint += "MLFLOW_TRACKING_TOKEN, instead."
        yield from check_web_address("uri", uri, hint=hint)


def _check_postgres(uri: str) -> Iterator[Problem]:
    hint = "Set PGUSER and PGPASSWORD, PGSSLMODE and the like, or keep the password in "
    hint += "~/.pgpass, instead."
    schemes = (_POSTGRES.removesuffix("://"),)
    faults = list(
        check_web_address("uri", uri, hint=hint, schemes=schemes, example=_DATABASE)
    )
    yield from faults
    if not faults and not urlsplit(uri).path.strip("/"):
        reason = f"must name a database. Received: {redact(uri)!r}."
        yield Problem("uri", reason, f"Such as {_DATABASE}.")
    if not faults:
        yield from check_postgres()


def _check_database(path: str) -> Iterator[Problem]:
    received = f"Received: {redact(_SQLITE + path)!r}."
    hint = "Such as sqlite:////home/me/mlflow.db, with four slashes."
    if path.lstrip("/").startswith("~"):
        reason = "must be typed out: ~ would be the name of a folder."
        home = 'Such as "tracking.uri=sqlite:///$HOME/runs.db".'
        yield Problem("uri", f"{reason} {received}", home)
    elif not path.startswith("/") or path.endswith("/"):
        yield Problem("uri", f"{_ACCEPTED} {received}", hint)
    elif any(sign in path for sign in "?#%"):
        # Part of a path to one library that reads it, and not to another.
        yield Problem("uri", f"must not hold `?`, `#` or `%`. {received}", hint)
    elif (fault := find_fault(path)) is not None:
        yield Problem("uri", f"{fault} {received}", hint)
    elif Path(path).is_dir():
        yield Problem("uri", f"must name a file, not a folder. {received}", hint)
