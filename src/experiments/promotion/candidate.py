"""A model that is held against the champion, and what its version says of it."""

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from experiments.config.schema.run import RunConfig
from experiments.evaluation.reporting.report import Report
from experiments.promotion.card import write_card, write_description
from experiments.promotion.decision import Champion, Decision, decide
from experiments.promotion.facts import (
    describe_preprocessing,
    find_epoch,
    gather_facts,
    read_data_tags,
)
from experiments.promotion.package import write_version
from experiments.promotion.registering import (
    CHAMPION,
    TEST_CONTENT,
    VERDICT,
    WEIGHTS,
    Account,
    count_tested,
)
from experiments.promotion.seeds import Seeds
from experiments.promotion.testing import Tested, ask_champion
from experiments.tracking.registry import NewVersion, Registered, Registry, Version
from experiments.tracking.spool.contents import EVALUATION
from experiments.trained.evaluated import find_temperature
from experiments.trained.evaluation_files import build_report, write_evaluation
from experiments.trained.images import Chosen
from experiments.trained.record import Record
from experiments.trained.trained import Trained


@dataclass(kw_only=True)
class Candidate:
    """A trained model on its test images, with all that its version needs.

    Attributes:
        run: Of the command.
        registry: Of the name that it is promoted to.
        record: Of its run.
        trained: The model, in its framework.
        chosen: Its test images.
        tested: What it says of them.
        seeds: The trainings that it is one of; `None` for a single one.
        force: Whether it becomes the champion whatever the comparison says.
        batch_size: Images at a time; `None` for those of the training.
    """

    run: RunConfig
    registry: Registry
    record: Record
    trained: Trained
    chosen: Chosen
    tested: Tested
    seeds: Seeds | None
    force: bool
    batch_size: int | None
    _asked: dict[str, Champion] = field(default_factory=dict)

    @cached_property
    def weights(self) -> str:
        """Hash of its weights, whatever it was loaded from."""
        from experiments.training.checkpoints.state import digest_weights

        return digest_weights(self.trained.model)

    @cached_property
    def report(self) -> Report:
        """What its answers are worth."""
        temperature = find_temperature(
            self.trained, self.chosen, batch_size=self.batch_size
        )
        return build_report(
            self.trained, self.chosen, self.tested.evaluated, temperature=temperature
        )

    @cached_property
    def files(self) -> list[Path]:
        """Its evaluation on the disk, written when it is asked for first."""
        return write_evaluation(self.tested.place, self.report, self.tested.evaluated)

    def compare(self, registered: Registered) -> Decision:
        """Holds it against the champion of a moment; each one is asked once."""
        version = registered.find(CHAMPION)
        return decide(
            self.tested.predictions,
            None if version is None else self._ask(version),
            weights=self.weights,
            force=self.force,
            others=sum(
                v.tags.get(WEIGHTS) != self.weights for v in registered.versions
            ),
        )

    def add(self, registered: Registered, decision: Decision) -> Version:
        """Registers it as a new version."""
        told = self.describe(registered, decision)
        name = f"{EVALUATION}{self.tested.place.name}"
        scores = self.report.scores.overall
        new = NewVersion(
            run_id=str(self.record.account.run_id),
            key=f"{self.registry.name}/{self.weights}/{self.tested.content}",
            epoch=find_epoch(self.record),
            tags=told.tags,
            description=told.description,
            scores={f"{name}/{score}": value for score, value in scores.items()},
        )
        with tempfile.TemporaryDirectory() as folder:
            package = Path(folder, "model")
            write_version(
                package,
                self.trained,
                self.chosen,
                card=self._write_card(registered),
                facts=self._list_facts(registered),
                files=self.files,
            )
            return self.registry.add(package, new)

    def describe(self, registered: Registered, decision: Decision) -> Account:
        """Returns what its version says of itself after a decision."""
        tags = {
            VERDICT: decision.verdict,
            "reason": decision.reason,
            "test_images": self.tested.images,
            "test_accuracy": f"{self.report.scores.overall['accuracy']:.4f}",
            "candidates_tested": str(self._count(registered)),
            WEIGHTS: self.weights,
            TEST_CONTENT: self.tested.content,
        }
        card = self._write_card(registered)
        return Account(tags=tags, description=write_description(card, decision))

    def _ask(self, version: Version) -> Champion:
        if version.number not in self._asked:
            self._asked[version.number] = ask_champion(
                self.registry.name,
                version,
                self.tested.predictions,
                self.chosen,
                self.run,
                batch_size=self.batch_size,
            )
        return self._asked[version.number]

    def _count(self, registered: Registered) -> int:
        return count_tested(registered, self.tested.content, self.weights)

    def _write_card(self, registered: Registered) -> str:
        return write_card(
            gather_facts(self.record, self.trained, self.chosen.dataset),
            self.report,
            images=self.tested.images,
            tested=self._count(registered),
            seeds=self.seeds,
        )

    def _list_facts(self, registered: Registered) -> Mapping[str, Any]:
        seeds = self.seeds
        trained = [] if seeds is None else [asdict(one) for one in seeds.members]
        return {
            "registered_name": self.registry.name,
            "run": self.record.account.name,
            "run_id": self.record.account.run_id,
            "weights": self.weights,
            "class_names": list(self.trained.class_names),
            "output": self.trained.kind,
            "preprocessing": describe_preprocessing(self.trained),
            "data": read_data_tags(self.record),
            "test": {
                "images": self.tested.images,
                "content": self.tested.content,
                "candidates_tested": self._count(registered),
                **self.report.as_dict(),
            },
            "seeds": [
                {k: v for k, v in one.items() if k != "folder"} for one in trained
            ],
        }
