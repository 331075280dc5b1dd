"""MLflow's registry: the versions of a model, and which of them an alias means."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from experiments.config.kinds.destination import Destination
from experiments.errors import TrackingError
from experiments.tracking.logged_model import has_model
from experiments.tracking.sending.model_upload import find_models, upload_model
from experiments.tracking.store.client import Connection, attempt, connect
from experiments.tracking.store.failures import RefusedError
from experiments.tracking.store.links import version_url

_ABSENT, _TAKEN = "RESOURCE_DOES_NOT_EXIST", "RESOURCE_ALREADY_EXISTS"
_TEXT = 5_000  # characters that the registry keeps of a description or a tag
_CUT = "\n\n(cut here: the rest is in the files of this version)"
_ABOUT = (
    "Registered by `task=promote`: `champion` is the version in use, `previous` the "
    "one before it. The description of a version is its card."
)
_VERSIONS = "mlflow.modelVersions"
_STEP = 0  # of scores that an evaluation adds, see `spool.contents`


@dataclass(frozen=True, kw_only=True)
class Version:
    """A version of a registered model.

    Attributes:
        number: Its number.
        run_id: The run that it is of, if the registry says.
        tags: Its tags.
    """

    number: str
    run_id: str | None
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A registered model as it stands at one moment.

    Attributes:
        versions: From the first on.
        aliases: Alias -> number of the version that it means.
    """

    versions: Sequence[Version] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)

    def find(self, alias: str) -> Version | None:
        """Returns the version that an alias means."""
        number = self.aliases.get(alias)
        return next((v for v in self.versions if v.number == number), None)


@dataclass(frozen=True, kw_only=True)
class NewVersion:
    """What a version is made of.

    Attributes:
        run_id: The run that trained it, which this store has.
        key: Tells this model from all others; a second upload of it is none.
        epoch: That its weights are of.
        tags: Its tags.
        description: In Markdown.
        scores: Metric -> value, shown on its page.
    """

    run_id: str
    key: str
    epoch: int
    tags: Mapping[str, str]
    description: str
    scores: Mapping[str, float]


class Registry:
    """A registered model of a store.

    Args:
        name: Of the model.
        destination: Which store.

    Raises:
        TrackingError: The store does not answer.
    """

    def __init__(self, name: str, destination: Destination) -> None:
        self.name = name
        self._connection: Connection = connect(destination, create=False)
        self._client: Any = self._connection.client

    def read(self) -> Registered:
        """Returns what is registered now; nothing where the name is new."""
        model = self._find_model()
        if model is None:
            return Registered()
        found: list[Any] = []
        query, token = f"name='{self.name}'", None
        while True:
            search = partial(
                self._client.search_model_versions, query, page_token=token
            )
            page = attempt(search, f"list the versions of {self.name}")
            found += page
            token = page.token
            if not token:
                break
        versions = [
            Version(
                number=str(one.version),
                run_id=one.run_id or None,
                tags=dict(one.tags),
            )
            for one in sorted(found, key=lambda one: int(one.version))
        ]
        aliases = {alias: str(number) for alias, number in model.aliases.items()}
        return Registered(versions=versions, aliases=aliases)

    def check_run(self, run_id: str) -> str:
        """Returns the status of a run of this store, in MLflow's words.

        Raises:
            TrackingError: This store does not have it.
        """
        run = attempt(lambda: self._client.get_run(run_id), f"read run {run_id}")
        if run.info.lifecycle_stage != "active":
            raise TrackingError(
                f"The run {run_id} was deleted in MLflow. Restore it first."
            )
        return str(run.info.status)

    def add(self, folder: Path, new: NewVersion) -> Version:
        """Registers a model folder; what an earlier try has uploaded is used.

        Args:
            folder: An MLflow model folder.
            new: What there is to say of it.

        Raises:
            TrackingError: The store refuses.
        """
        self._claim_model()
        model = self._upload(folder, new)
        # By `models:/<id>` MLflow would look in the store of its own settings.
        made = attempt(
            lambda: self._client.create_model_version(
                self.name,
                model.artifact_location,
                run_id=new.run_id,
                tags={key: text[:_TEXT] for key, text in new.tags.items()},
                description=_fit(new.description),
                model_id=model.model_id,
            ),
            f"register a version of {self.name}",
        )
        # From the model's own page to its version, as `mlflow.register_model` leads.
        linked = [{"name": self.name, "version": int(made.version)}]
        tags = {_VERSIONS: json.dumps(linked)}
        attempt(
            lambda: self._client.set_logged_model_tags(model.model_id, tags),
            f"link the model of {self.name}",
        )
        return Version(number=str(made.version), run_id=new.run_id, tags=dict(new.tags))

    def describe(self, number: str, tags: Mapping[str, str], description: str) -> None:
        """Replaces tags and the description of a version."""
        client, name = self._client, self.name
        purpose = f"describe version {number} of {name}"
        for key, text in tags.items():
            tag = partial(client.set_model_version_tag, name, number, key, text[:_TEXT])
            attempt(tag, purpose)
        text = _fit(description)
        attempt(lambda: client.update_model_version(name, number, text), purpose)

    def point(self, alias: str, number: str) -> None:
        """Lets an alias mean a version."""
        attempt(
            lambda: self._client.set_registered_model_alias(self.name, alias, number),
            f"move {alias} of {self.name} to version {number}",
        )

    def has_files(self, number: str) -> bool:
        """Tells whether the model of a version is still there."""
        client, name = self._client, self.name
        location = attempt(
            lambda: client.get_model_version_download_uri(name, number),
            f"find the files of version {number} of {name}",
        )
        return self._has_model(location)

    def url(self, number: str) -> str:
        """Returns the address of a version's page."""
        return version_url(self._connection.pages, self.name, number)

    def _find_model(self) -> Any:
        def find() -> Any:
            from mlflow.exceptions import MlflowException

            try:
                return self._client.get_registered_model(self.name)
            except MlflowException as error:
                if error.error_code == _ABSENT:
                    return None
                raise

        return attempt(find, f"look for the registered model {self.name}")

    def _claim_model(self) -> None:
        """Makes the registered model where there is none."""

        def claim() -> None:
            from mlflow.exceptions import MlflowException

            try:
                self._client.create_registered_model(self.name, description=_ABOUT)
            except MlflowException as error:
                if error.error_code != _TAKEN:
                    raise

        if self._find_model() is None:
            attempt(claim, f"register the name {self.name}")

    def _has_model(self, location: str) -> bool:
        uri = self._connection.location.uri
        return attempt(
            lambda: has_model(location, uri), f"look for the files of {self.name}"
        )

    def _forget_lost(self, new: NewVersion) -> None:
        """Removes what an earlier try has uploaded and somebody else deleted."""
        client = self._client
        for model in find_models(client, client.get_run(new.run_id), new.key):
            is_sent = model.status == "READY"
            if is_sent and not self._has_model(model.artifact_location):
                client.delete_logged_model(model.model_id)

    def _upload(self, folder: Path, new: NewVersion) -> Any:
        from mlflow.entities import Metric

        client, now = self._client, time.time_ns() // 1_000_000

        def upload() -> Any:
            self._forget_lost(new)
            upload_model(
                client,
                new.run_id,
                folder,
                name=self.name.replace(" ", "-").replace(".", "-"),
                step=new.epoch,
                key=new.key,
            )
            run = client.get_run(new.run_id)
            model = find_models(client, run, new.key)[0]
            scores = [
                Metric(name, value, now, _STEP, model_id=model.model_id)
                for name, value in new.scores.items()
            ]
            client.log_batch(new.run_id, metrics=scores)
            return model

        try:
            return attempt(upload, f"send the model of {self.name}")
        except RefusedError as error:
            raise TrackingError(f"Cannot send the model: {error}.") from error


def _fit(text: str) -> str:
    """Returns a description of which the registry keeps everything."""
    return text if len(text) <= _TEXT else text[: _TEXT - len(_CUT)].rstrip() + _CUT
