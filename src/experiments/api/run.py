"""A run that was trained before: what it was, what came of it, and its model."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from experiments.builders.data import Pipelines, build_dataset, build_pipelines
from experiments.builders.devices import prepared_framework
from experiments.command.composing.composed import compose
from experiments.config.kinds.destination import Destination
from experiments.config.kinds.metric_names import BEST_EPOCH, is_final
from experiments.config.kinds.objective import Objective
from experiments.config.kinds.phases import list_borders
from experiments.config.schema.loss import FORMER, name_differences
from experiments.config.schema.run import RunConfig
from experiments.data.files.asked.inputs import check_inputs, list_inputs
from experiments.errors import ExperimentError
from experiments.guest import undisturbed
from experiments.jobs.job import JobResult
from experiments.tracking.store.runs.run_names import Wanted
from experiments.trained.answer_rows import list_rows
from experiments.trained.finding import Found, find_record
from experiments.trained.network import build_saved, fetch_saved
from experiments.trained.record import Record, read_folder
from experiments.trained.settled import for_inference, settle_config
from experiments.trained.trained import Trained, open_trained
from experiments.trained.weights import describe_absence, list_saved
from experiments.training.checkpoints.listing import Checkpoint

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from experiments.api.given_images import Given
    from experiments.data.dataset import Dataset
    from experiments.evaluation.explaining.explanation import Explanation


class Run:
    """A run by its records; `load_run` returns it.

    Nothing is read before it is asked for but the records themselves.

    Args:
        record: What the run left.
        allowed_targets: Packages beside the project's own that may build its parts.
        destination: Where it was recorded, for what only MLflow holds.
    """

    def __init__(
        self,
        record: Record,
        *,
        allowed_targets: Sequence[str] = (),
        destination: Destination,
    ) -> None:
        self._record = record
        self._allowed = tuple(allowed_targets)
        self._destination = destination

    def __repr__(self) -> str:
        place = self.id if self.folder is None else self.folder
        return f"<Run {self.name!r}: {place}>"

    @property
    def id(self) -> str | None:
        """MLflow's id of the run; `None` with `tracking=off`."""
        return self._record.account.run_id

    @property
    def name(self) -> str:
        """Its name."""
        return self._record.account.name

    @property
    def folder(self) -> Path | None:
        """Its folder; `None` when only MLflow knows the run."""
        return self._record.folder

    @property
    def result(self) -> JobResult | None:
        """What its job returned; `None` while it has not ended, or without a folder."""
        return self._record.result

    @property
    def data(self) -> Mapping[str, Any]:
        """The recorded config as plain data; secrets are `***`."""
        return self._record.config

    @property
    def params(self) -> Mapping[str, str]:
        """The settings as MLflow shows them, by their dotted key."""
        return self._record.account.params

    @property
    def tags(self) -> Mapping[str, str]:
        """The tags of the run."""
        return self._record.account.tags

    @cached_property
    def config(self) -> RunConfig:
        """The recorded config, checked and typed: `run.config.optimizer.lr`.

        Where it is used and what may be built is what counts here, not what counted
        there: `gpu`, `output_dir` and `allowed_targets` are those of this process.

        Raises:
            ConfigError: It is no valid config here, or names code that is not allowed.
        """
        present = compose().data
        return settle_config(
            self._record,
            allowed_targets=[*present["allowed_targets"], *self._allowed],
            output_dir=present["output_dir"],
        )

    @cached_property
    def metrics(self) -> dict[str, float]:
        """The final scores: of the best epoch, and of the test set where there is one.

        While the run has not ended, the last value of each metric.
        """
        if self.result is not None and self.result.metrics:
            return dict(self.result.metrics)
        last = {k: v for at in self._points.values() for k, v in at.items()}
        return {k: v for k, v in last.items() if is_final(k)} or last

    @cached_property
    def history(self) -> list[dict[str, float]]:
        """The metrics of each epoch, in order: `run.history[0]["val_accuracy"]`."""
        last = max(self._points, default=0)
        epochs = [self._points.get(epoch, {}) for epoch in range(1, last + 1)]
        return [
            {name: v for name, v in epoch.items() if not is_final(name)}
            for epoch in epochs
        ]

    @property
    def checkpoints(self) -> list[Checkpoint]:
        """The saved states that are still there, the latest first."""
        return list_saved(self._record)

    def dataset(self) -> "Dataset":
        """Loads the data set of the run, its images as they are stored.

        Raises:
            DataError: It is absent or damaged.
        """
        return build_dataset(self.config)

    def pipelines(self) -> Pipelines:
        """Builds its batches, whose images have the size that its model takes.

        Raises:
            DataError: The images are absent or damaged.
        """
        run = for_inference(self.config)
        with prepared_framework(run):
            return build_pipelines(run, self.dataset())

    def model(self, epoch: int | None = None) -> Any:
        """Returns the model with the weights of an epoch, ready for `predict`.

        It takes uint8 images (B, H, W, C) of `config.dataset`'s size, such as those of
        `pipelines()`. From a checkpoint it is built by the recorded config and
        compiled; where only MLflow has it, it is read as it was saved there.

        Args:
            epoch: Counted from 1; `None` for the best one. Those that `checkpoints`
                lists are there: the best one and the last ones.

        Raises:
            ExperimentError: The weights of that epoch are kept nowhere.
        """
        if not self.checkpoints and (epoch is not None or self.id is None):
            raise ExperimentError(describe_absence(self._record, epoch))
        run = for_inference(self.config)
        with prepared_framework(run) as devices:
            if not self.checkpoints:
                return fetch_saved(self._record, self._destination, epoch=epoch)
            images = self._record.images or self._record.prepare(self.dataset())
            return build_saved(self._record, run, images, devices=devices, epoch=epoch)

    def predict(
        self,
        inputs: str | Path | Sequence[str | Path],
        *,
        top: int = 5,
        batch_size: int = 32,
    ) -> list[dict[str, Any]]:
        """Returns what the best epoch takes image files for, a row a file.

        They are read as the images that it was trained on: `pandas.DataFrame(rows)`
        has the columns of the `predictions.csv` that `task=predict` leaves.

        Args:
            inputs: Files, folders, patterns such as `photos/*.jpg`, or .txt files that
                list some: one or several.
            top: How many of the likeliest classes a row has.
            batch_size: Images that the model is asked about at once.

        Returns:
            `file`, `label`, `probability`, `label_2`, `probability_2` and so on, and
            `fault`: why a file without these is no image, else `None`.

        Raises:
            ExperimentError: One of the inputs is not there, or no weights are kept.
        """
        several = [inputs] if isinstance(inputs, str | Path) else inputs
        named = [str(Path(name).expanduser()) for name in several]
        check_inputs(named)
        with self._open() as trained:
            paths = list(list_inputs(named, ()))
            return list_rows(trained, paths, top=top, batch_size=batch_size)

    def explain(
        self,
        images: "Given",
        class_name: str | None = None,
        *,
        method: Literal["auto", "cam", "grad_cam"] = "auto",
    ) -> "list[Explanation]":
        """Shows what the model of the best epoch says of images, and where it sees it.

        Args:
            images: uint8 `(N, H, W, C)` or one `(H, W, C)`, of the model's size; or
                files, folders or patterns.
            class_name: A class whose heat maps are made beside those of the likeliest,
                or of those that are there where an image may have several labels.
            method: `cam`, `grad_cam`, or the former where it is exact.

        Returns:
            One an image, which a notebook shows as a picture.

        Raises:
            DataError: An image has another shape, or cannot be read.
            ExperimentError: There is no such class, or the model has no maps.
        """
        from experiments.api.given_images import read_given
        from experiments.evaluation.explaining.explanation import explain_images

        with self._open() as trained:
            pixels, names = read_given(images, trained)
            return explain_images(
                trained.model,
                pixels,
                trained.class_names,
                names=names,
                class_name=class_name,
                method=method,
                has_several=trained.has_several_labels,
            )

    def draw_curves(self) -> "Figure":
        """Returns loss and accuracy over the epochs as a Matplotlib figure."""
        from experiments.pictures.learning_curves import draw_learning_curves

        best = self.metrics.get(BEST_EPOCH)
        trainer: Any = self.data["trainer"]
        loss: Any = self.data.get("loss", FORMER)
        return draw_learning_curves(
            self.history,
            best_epoch=None if best is None else int(best),
            label_smoothing=float(trainer.get("label_smoothing", 0.0)),
            borders=list_borders(trainer.get("phases")),
            loss=name_differences(loss["_target_"], loss.get("class_weight")),
        )

    @contextmanager
    def _open(self) -> Iterator[Trained]:
        """Loads the model of the best epoch, and what it needs to be used rightly."""
        present = compose().run
        run = replace(
            present,
            allowed_targets=[*present.allowed_targets, *self._allowed],
            output_dir=str(self._destination.output_dir),
            tracking=replace(present.tracking, uri=self._destination.uri),
        )
        with open_trained(Found(typed=self.name, record=self._record), run) as trained:
            yield trained

    @cached_property
    def _points(self) -> Mapping[int, Mapping[str, float]]:
        """Epoch -> metrics; without a tracker as the last checkpoint remembers them."""
        from experiments.training.checkpoints.state_file import read_facts

        points = self._record.account.points
        if points or not self.checkpoints:
            return points
        return dict(enumerate(read_facts(self.checkpoints[0].path).history, start=1))


@undisturbed()
def load_run(
    run: str | Path | JobResult,
    *,
    output_dir: Path | str = "outputs",
    uri: str | None = None,
    monitor: str = "val_accuracy",
    allowed_targets: Sequence[str] = (),
) -> Run:
    """Finds a run by its folder, its MLflow id, its name or the result of `train`.

    A folder is enough: its records hold config, metrics, tags and weights, and nothing
    is asked of MLflow. Of an id the first characters are enough that no other run has;
    its folder is looked for below `output_dir`, which may have been moved. `last` is
    the latest run there, `best` the finished one with the best `monitor`.

    Args:
        run: Folder, id, name, `last`, `best` or result.
        output_dir: Where runs are kept, and the embedded database.
        uri: As `tracking.uri`; `None` for the embedded database.
        monitor: What `best` is the best of, as `trainer.monitor`: a loss or an
            accuracy.
        allowed_targets: Packages of your own that the recorded config names: what a
            record may call is said here, not in it.

    Raises:
        ExperimentError: There is no such run.
        ConfigError: `monitor` does not say whether a small value is a good one.

    Example:
        >>> import experiments
        >>> config = experiments.compose(["model=resnet20_cifar", "debug=one_step"])
        >>> run = experiments.load_run(experiments.train(config, quiet=True))
        >>> run.config.model.depth, len(run.history), run.checkpoints[0].is_best
        (20, 1, True)
        >>> images, labels = next(iter(run.pipelines().test))
        >>> run.model().predict(images, verbose=0).shape
        (4, 10)
        >>> experiments.load_run(run.id).folder == run.folder
        True
    """
    destination = Destination(output_dir=Path(output_dir), uri=uri)
    open_record = partial(Run, allowed_targets=allowed_targets, destination=destination)
    if isinstance(run, JobResult):
        return open_record(read_folder(Path(run.output_dir).absolute()))
    if Path(run).is_dir():
        return open_record(read_folder(Path(run).absolute()))
    if isinstance(run, Path) or "/" in run:
        raise ExperimentError(f"There is no folder {run}. Give a run's folder or id.")
    found = find_record(run, destination, Wanted(objective=Objective(monitor, "auto")))
    return open_record(found)
