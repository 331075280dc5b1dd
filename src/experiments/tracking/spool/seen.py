"""What a journal holds already, so that a resumed job repeats no record."""

from collections.abc import Iterable, Mapping

from experiments.config.formats.history import name_key, name_values
from experiments.tracking.spool.journal import (
    INPUTS,
    NOTE,
    PARAMS,
    PLANNED,
    SESSION,
    Entry,
)
from experiments.tracking.spool.tag_names import name_as_today

_CHANGED = "changed."
_ARROW = " -> "
_HISTORY_LENGTH = 4000  # the last ones, of a value that changed at each start


def name_changes(changed: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Returns the tags of what `Seen.changed_params` found."""
    return {_CHANGED + key: history for key, (_, history) in changed.items()}


def changed_keys(tags: Mapping[str, str]) -> dict[str, str]:
    """Returns key -> its values one after another, from the tags of a run."""
    return {
        name.removeprefix(_CHANGED): text
        for name, text in tags.items()
        if name.startswith(_CHANGED)
    }


def name_tags(tags: Mapping[str, str], since: int) -> dict[str, str]:
    """Returns the tags of an earlier format by today's names, changed keys too."""
    changed = {_CHANGED + name_key(k, since): v for k, v in changed_keys(tags).items()}
    others = {k: v for k, v in tags.items() if not k.startswith(_CHANGED)}
    return name_as_today({**others, **changed}, since)


class Seen:
    """Tells which records are new.

    A killed job repeats, bit for bit, what it did since its last checkpoint; only
    metrics of the clock differ, of which the first value stays.

    MLflow keeps the first value of a parameter for ever. Settings are therefore planned
    until the first step is done: by then a process that needed smaller parts of a batch
    has made way for one that takes them.

    A setting that was renamed meanwhile is known by its former name, under which MLflow
    has it.

    Args:
        entries: Of the journal so far.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._params: dict[str, str] = {}
        self._first: dict[str, str] = {}  # planned ones included
        self._planned: dict[str, str] = {}
        self._begins = False  # whether a process has planned nothing yet
        self._tags: dict[str, str] = {}
        self._points: set[tuple[str, int]] = set()
        self._artifacts: set[str] = set()
        self._models: dict[int, int] = {}  # step -> number of the entry
        self._note: str | None = None
        self._inputs: set[tuple[str, ...]] = set()
        for entry in entries:
            self._take(entry)

    def add_params(self, params: Mapping[str, str]) -> dict[str, str]:
        """Takes parameters and returns those without a value so far."""
        new = {k: v for k, v in params.items() if k not in self._params}
        self._params.update(new)
        self._first = {**new, **self._first}
        return new

    def plan_params(self, params: Mapping[str, str]) -> dict[str, str]:
        """Takes settings and returns those that are new or differ from the plan."""
        if self._begins:
            self._planned.clear()  # what another process would have run with
            self._begins = False
        open_ones = {k: v for k, v in params.items() if k not in self._params}
        new = {k: v for k, v in open_ones.items() if self._planned.get(k) != v}
        self._planned.update(new)
        self._first = {**new, **self._first}
        return new

    def settle_params(self) -> dict[str, str]:
        """Takes what is planned for parameters, and returns it."""
        new = self.add_params(self._planned)
        self._planned.clear()
        return new

    def has_param(self, key: str) -> bool:
        """Tells whether a parameter has its value, which stays."""
        return key in self._params

    def changed_params(self, params: Mapping[str, str]) -> dict[str, tuple[str, str]]:
        """Returns those with another value than before: their first one, and a tag.

        The tag lists all that it had, one after another; the last one is in force.
        """
        found = {}
        for key, value in params.items():
            first = self._first.get(key, value)
            history = self._tags.get(_CHANGED + key)
            latest = f"{_ARROW}{value}"
            if history is None and first == value:
                continue
            if history is not None and history.endswith(latest[-_HISTORY_LENGTH:]):
                continue
            text = f"{history or first}{latest}"
            cut = text[-_HISTORY_LENGTH:]
            found[key] = (first, cut if cut == text else f"...{cut}")
        return found

    def add_tags(self, tags: Mapping[str, str]) -> dict[str, str]:
        """Takes tags and returns those whose value differs from the last one."""
        new = {k: v for k, v in tags.items() if self._tags.get(k) != v}
        self._tags.update(new)
        return new

    def add_metrics(self, metrics: Mapping[str, float], step: int) -> dict[str, float]:
        """Takes metrics and returns those without a value at this step."""
        new = {k: v for k, v in metrics.items() if (k, step) not in self._points}
        self._points |= {(key, step) for key in new}
        return new

    def next_step(self, prefix: str) -> int:
        """Returns the step after the last one of the metrics that begin so."""
        steps = [step for key, step in self._points if key.startswith(prefix)]
        return max(steps, default=-1) + 1

    def add_artifact(self, path: str) -> bool:
        """Takes a file and tells whether none of its path was there."""
        new = path not in self._artifacts
        self._artifacts.add(path)
        return new

    def add_note(self, text: str) -> bool:
        """Takes a description and tells whether it is another one than before."""
        new, self._note = text != self._note, text
        return new

    def add_inputs(self, inputs: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
        """Takes data sets and returns those that are new to the run."""
        new = []
        for given in inputs:
            key = tuple(given[name] for name in ("name", "digest", "context"))
            if key not in self._inputs:
                new.append(dict(given))
            self._inputs.add(key)
        return new

    def find_model(self, step: int) -> int | None:
        """Returns the entry of the model of a step, whatever it was called."""
        return self._models.get(step)

    def add_model(self, step: int, number: int) -> None:
        """Takes a model.

        Args:
            step: That its weights come from.
            number: Of its entry.
        """
        self._models.setdefault(step, number)

    def _settle(self, params: Mapping[str, str]) -> None:
        self.add_params(params)
        self._planned = {k: v for k, v in self._planned.items() if k not in params}

    def _take(self, entry: Entry) -> None:
        content = entry.content
        if entry.kind == SESSION:
            self.add_tags(name_tags(content["tags"], entry.format))
            self._begins = True
        elif entry.kind == PLANNED:
            self.plan_params(name_values(content["values"], entry.format))
        elif entry.kind == PARAMS:
            self._settle(name_values(content["values"], entry.format))
        elif entry.kind == "tags":
            self.add_tags(name_tags(content["values"], entry.format))
        elif entry.kind == "metrics":
            self.add_metrics(content["values"], content["step"])
        elif entry.kind == "artifact":
            self.add_artifact(content["path"])
        elif entry.kind == "model":
            self.add_model(content["step"], entry.number)
        elif entry.kind == NOTE and "part" not in content:
            self.add_note(content["text"])
        elif entry.kind == INPUTS:
            self.add_inputs(content["datasets"])
